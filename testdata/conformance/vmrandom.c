/*
 * vmrandom: thousands of calls and real page faults on sixteen pages, chosen by a
 * number, and a model of them that the client keeps itself.
 */
#include "suite.h"

enum { PAGES = 16, SLOTS = 4, TASKS = 3, CELLS = 4096 };

/* What a page holds; those who share it by inheritance have one cell. */
struct page {
	boolean_t there, shared;
	int cell;
	vm_prot_t prot;
	vm_inherit_t inherit;
};

static struct {
	unsigned long state;
	vm_offset_t arena;
	mach_port_name_t port, tasks[TASKS];	/* the first is ourselves */
	struct page pages[TASKS][PAGES];
	unsigned long cells[CELLS];
	int next_cell;
	struct { vm_offset_t at; size_t pages; unsigned long holds[PAGES]; } slots[SLOTS];
	unsigned long done, refused, wrong;
} w;

static unsigned int number(unsigned int below)
{
	w.state = w.state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned int)(w.state >> 33) % below;
}

static int new_cell(unsigned long holds)
{
	int used = 0, i, t, p;

	for (i = 0; i < CELLS; i++) {
		w.next_cell = (w.next_cell + 1) % CELLS;
		for (used = 0, t = 0; t < TASKS; t++)
			for (p = 0; p < PAGES; p++)
				used |= w.pages[t][p].there && w.pages[t][p].cell == w.next_cell;
		if (!used)
			break;
	}
	w.cells[w.next_cell] = holds;
	return w.next_cell;
}

/* A page is known by three of its words. */
static boolean_t page_holds(vm_offset_t at, unsigned long holds)
{
	const volatile unsigned long *words = (const volatile unsigned long *)at;

	return words[0] == holds && words[255] == holds && words[511] == holds;
}

static void page_put(vm_offset_t at, unsigned long holds)
{
	volatile unsigned long *words = (volatile unsigned long *)at;

	words[0] = words[255] = words[511] = holds;
}

static vm_offset_t address(size_t page)
{
	return w.arena + page * PAGE;
}

/* Whether all of the range is there and allows the access. */
static boolean_t allowed(int task, size_t first, size_t pages, vm_prot_t access)
{
	size_t i;

	for (i = first; i < first + pages; i++)
		if (!w.pages[task][i].there || (w.pages[task][i].prot & access) != access)
			return FALSE;
	return TRUE;
}

static void expect(boolean_t fine, kern_return_t kr)
{
	w.done++;
	w.refused += kr != KERN_SUCCESS;
	if (fine != (kr == KERN_SUCCESS))
		w.wrong++;
}

/* New contents for a page: its own from now on, unless it is shared. */
static void replace(struct page *page, unsigned long holds)
{
	if (page->shared)
		w.cells[page->cell] = holds;
	else
		page->cell = new_cell(holds);
}

static void check_task(int task)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		struct page *page = &w.pages[task][i];
		vm_offset_t data = address(i);
		mach_msg_type_number_t got = 0;

		if (!page->there || !(page->prot & VM_PROT_READ))
			continue;
		if (task != 0 && vm_read(w.tasks[task], address(i), PAGE, &data, &got) != KERN_SUCCESS) {
			w.wrong++;
			continue;
		}
		w.wrong += !page_holds(data, w.cells[page->cell]);
		if (task != 0)
			vm_deallocate(self, data, got);
	}
}

static void forget_slot(int slot)
{
	if (w.slots[slot].pages != 0)
		vm_deallocate(self, w.slots[slot].at, w.slots[slot].pages * PAGE);
	w.slots[slot].pages = 0;
}

static void check_slot(int slot)
{
	size_t i;

	for (i = 0; i < w.slots[slot].pages; i++)
		w.wrong += !page_holds(w.slots[slot].at + i * PAGE, w.slots[slot].holds[i]);
}

static void keep_slot(int slot, int task, size_t first, size_t pages, vm_offset_t at)
{
	size_t i;

	/* The kernel may choose a hole of the arena: those stay holes. */
	if (at >= w.arena && at < address(PAGES)) {
		vm_deallocate(self, at, pages * PAGE);
		return;
	}
	w.slots[slot].at = at;
	w.slots[slot].pages = pages;
	for (i = 0; i < pages; i++)
		w.slots[slot].holds[i] = w.cells[w.pages[task][first + i].cell];
}

/* Sends a range to a port of ours, and takes it from there into a slot. */
static void send_pages(int slot, size_t first, size_t pages, boolean_t deallocate)
{
	struct {
		mach_msg_header_t head;
		mach_msg_type_long_t type;
		vm_offset_t data;
		char room[64];
	} message;
	boolean_t fine = allowed(0, first, pages, VM_PROT_READ);
	size_t i;
	mach_msg_return_t mr;

	memset(&message, 0, sizeof(message));
	message.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0) | MACH_MSGH_BITS_COMPLEX;
	message.head.msgh_size = sizeof(message) - sizeof(message.room);
	message.head.msgh_remote_port = w.port;
	message.type.msgtl_header.msgt_longform = TRUE;
	message.type.msgtl_header.msgt_deallocate = deallocate;
	message.type.msgtl_name = MACH_MSG_TYPE_BYTE;
	message.type.msgtl_size = 8;
	message.type.msgtl_number = (mach_msg_type_number_t)(pages * PAGE);
	message.data = address(first);
	mr = mach_msg(&message.head, MACH_SEND_MSG, message.head.msgh_size, 0, MACH_PORT_NULL, 0,
		      MACH_PORT_NULL);
	expect(fine, mr);
	if (mr != MACH_MSG_SUCCESS)
		return;
	if (number(2))	/* what is sent is what was there then */
		for (i = 0; i < pages; i++)
			if (!deallocate && (w.pages[0][first + i].prot & VM_PROT_WRITE)) {
				unsigned long was = w.cells[w.pages[0][first + i].cell];

				page_put(address(first + i), was + 1);
				page_put(address(first + i), was);
			}
	forget_slot(slot);
	mr = mach_msg(&message.head, MACH_RCV_MSG, 0, sizeof(message), w.port, 0, MACH_PORT_NULL);
	expect(TRUE, mr);
	keep_slot(slot, 0, first, pages, message.data);
	for (i = 0; deallocate && i < pages; i++)
		w.pages[0][first + i].there = FALSE;
}

static void fork_task(int task)
{
	size_t i;

	if (w.tasks[task] != MACH_PORT_NULL) {
		check_task(task);
		task_terminate(w.tasks[task]);
		mach_port_destroy(self, w.tasks[task]);
		w.tasks[task] = MACH_PORT_NULL;
		for (i = 0; i < PAGES; i++)
			w.pages[task][i].there = FALSE;
		return;
	}
	must("task_create", task_create(self, TRUE, &w.tasks[task]));
	for (i = 0; i < PAGES; i++) {
		struct page *ours = &w.pages[0][i], *its = &w.pages[task][i];

		*its = *ours;
		its->there = ours->there && ours->inherit != VM_INHERIT_NONE;
		if (!its->there)
			continue;
		if (ours->inherit == VM_INHERIT_SHARE)
			ours->shared = its->shared = TRUE;
		else {
			its->shared = FALSE;
			its->cell = new_cell(w.cells[ours->cell]);
		}
	}
}

/* Shared pages are not overwritten: with themselves, and the real kernel hangs. */
static boolean_t any_shared(int task, size_t first, size_t pages)
{
	size_t i;

	for (i = first; i < first + pages; i++)
		if (w.pages[task][i].there && w.pages[task][i].shared)
			return TRUE;
	return FALSE;
}

static void copy_pages(size_t from, size_t to, size_t pages)
{
	boolean_t fine = allowed(0, from, pages, VM_PROT_READ) && allowed(0, to, pages, VM_PROT_WRITE);
	unsigned long was[PAGES];
	size_t i;

	if (any_shared(0, to, pages))
		return;
	for (i = 0; i < pages; i++)
		was[i] = w.cells[w.pages[0][from + i].cell];
	expect(fine, vm_copy(self, address(from), pages * PAGE, address(to)));
	for (i = 0; fine && i < pages; i++)
		replace(&w.pages[0][to + i], was[i]);
}

static void step(void)
{
	size_t first = number(PAGES), pages = 1 + number((unsigned int)(PAGES - first)), i;
	int task = (int)number(TASKS), slot = (int)number(SLOTS);
	vm_offset_t at = address(first), data = 0;
	mach_msg_type_number_t got = 0;
	boolean_t fine = TRUE;
	vm_prot_t prot;
	kern_return_t kr;

	switch (number(14)) {
	case 0:
		for (i = first; i < first + pages; i++)
			fine &= !w.pages[0][i].there;
		expect(fine, vm_allocate(self, &at, pages * PAGE, FALSE));
		for (i = first; fine && i < first + pages; i++)
			w.pages[0][i] = (struct page){TRUE, FALSE, new_cell(0), RW, VM_INHERIT_COPY};
		break;
	case 1:
		if (number(2))
			break;
		expect(TRUE, vm_deallocate(self, at, pages * PAGE));
		for (i = first; i < first + pages; i++)
			w.pages[0][i].there = FALSE;
		break;
	case 2:
		prot = number(3) ? RW : VM_PROT_READ;
		expect(TRUE, vm_protect(self, at, pages * PAGE, FALSE, prot));
		for (i = first; i < first + pages; i++)
			w.pages[0][i].prot = prot;
		break;
	case 3:
		kr = (kern_return_t)number(3);
		expect(TRUE, vm_inherit(self, at, pages * PAGE, (vm_inherit_t)kr));
		for (i = first; i < first + pages; i++)
			w.pages[0][i].inherit = (vm_inherit_t)kr;
		break;
	case 4: case 5: case 6: case 7:
		for (i = first; i < first + pages; i++)
			if (allowed(0, i, 1, RW)) {
				w.cells[w.pages[0][i].cell] = w.state ^ i;
				page_put(address(i), w.state ^ i);
			}
		w.done += pages;
		break;
	case 8:
		fine = w.tasks[task] != MACH_PORT_NULL && allowed(task, first, pages, VM_PROT_READ);
		if (w.tasks[task] == MACH_PORT_NULL)
			break;
		kr = vm_read(w.tasks[task], at, pages * PAGE, &data, &got);
		expect(fine, kr);
		if (kr == KERN_SUCCESS) {
			forget_slot(slot);
			keep_slot(slot, task, first, pages, data);
		}
		break;
	case 9:
		pages = w.slots[slot].pages;
		if (pages == 0 || w.tasks[task] == MACH_PORT_NULL || first + pages > PAGES ||
		    any_shared(task, first, pages))
			break;
		fine = allowed(task, first, pages, VM_PROT_WRITE);
		expect(fine, vm_write(w.tasks[task], at, w.slots[slot].at, (mach_msg_type_number_t)(pages * PAGE)));
		for (i = 0; fine && i < pages; i++)
			replace(&w.pages[task][first + i], w.slots[slot].holds[i]);
		break;
	case 10:
		copy_pages(first, number((unsigned int)(PAGES - pages) + 1), pages);
		break;
	case 11:
		send_pages(slot, first, pages, number(4) == 0);
		break;
	case 12:
		if (task != 0)
			fork_task(task);
		break;
	case 13:
		check_slot(slot);
		if (w.tasks[task] != MACH_PORT_NULL)
			check_task(task);
		break;
	}
}

static void random_history(long seed, long steps, long unused)
{
	long i;
	int task;

	(void)unused;
	memset(&w, 0, sizeof(w));
	w.state = (unsigned long)seed * 104729 + 3;
	w.arena = 0x30000000000;
	w.tasks[0] = self;
	w.port = make_receive();
	for (i = 0; i < steps && w.wrong == 0; i++)
		step();
	for (task = 0; task < TASKS; task++)
		if (w.tasks[task] != MACH_PORT_NULL)
			check_task(task);
	for (i = 0; i < SLOTS; i++) {
		check_slot((int)i);
		forget_slot((int)i);
	}
	for (task = 1; task < TASKS; task++)
		if (w.tasks[task] != MACH_PORT_NULL)
			fork_task(task);
	vm_deallocate(self, w.arena, PAGES * PAGE);
	mach_printf("calls and pages written: %zu, refused: %zu, wrong: %zu\n", (size_t)w.done,
		    (size_t)w.refused, (size_t)w.wrong);
}
EACH("vm_random/1", random_history, 1, 2000, 0)
EACH("vm_random/2", random_history, 2, 2000, 0)
EACH("vm_random/3", random_history, 3, 2000, 0)
EACH("vm_random/4", random_history, 4, 2000, 0)
EACH("vm_random/5", random_history, 5, 10000, 0)
