/*
 * vmhistory: what a long row of calls makes of eight pages: each answer, and
 * after each call the entries and the bytes.
 */
#include "suite.h"

enum { ARENA = 8, COPIES = 4, CHILDREN = 2 };

static struct {
	unsigned long state;		/* of the row of numbers */
	vm_offset_t arena, other;
	vm_offset_t copies[COPIES];
	size_t copy_pages[COPIES];
	mach_port_name_t children[CHILDREN];
	boolean_t sharing;		/* inheritance "share" is among the calls */
} now;

static unsigned int number(unsigned int below)
{
	now.state = now.state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned int)(now.state >> 33) % below;
}

/* A range of the arena: at least a page. */
static vm_offset_t some(size_t *pages)
{
	size_t first = number(ARENA);

	*pages = 1 + number((unsigned int)(ARENA - first));
	return now.arena + first * PAGE;
}

/* Of one's own page; a copy may have been put where the arena has a hole. */
static void tell_byte(vm_offset_t at)
{
	struct region r;

	if (find_region(self, at, &r) != KERN_SUCCESS || r.start > at || !(r.current & VM_PROT_READ))
		mach_printf(" -");
	else
		mach_printf(" %u", *(volatile unsigned char *)at);
}

static void tell_bytes(mach_port_name_t task)
{
	size_t page;

	for (page = 0; page < ARENA; page++) {
		vm_offset_t data = 0;
		mach_msg_type_number_t got = 0;
		struct region r;

		if (task == self) {
			tell_byte(now.arena + page * PAGE);
			continue;
		}
		if (find_region(task, now.arena + page * PAGE, &r) != KERN_SUCCESS ||
		    r.start > now.arena + page * PAGE || !(r.current & VM_PROT_READ)) {
			mach_printf(" -");
			continue;
		}
		if (vm_read(task, now.arena + page * PAGE, PAGE, &data, &got) != KERN_SUCCESS) {
			mach_printf(" ?");
			continue;
		}
		mach_printf(" %u", *(unsigned char *)data);
		vm_deallocate(self, data, got);
	}
	mach_printf("\n");
}

/* The arena's entries: pages, protections, inheritance, offset. */
static void tell_entries(mach_port_name_t task)
{
	vm_offset_t at = now.arena, end = at + ARENA * PAGE;
	struct region r;

	while (at < end && find_region(task, at, &r) == KERN_SUCCESS && r.start < end) {
		vm_offset_t stop = r.start + r.size < end ? r.start + r.size : end;

		if (r.start > at)
			mach_printf(" (%zu)", (r.start - at) / PAGE);
		else
			r.offset += at - r.start;
		at = r.start > at ? r.start : at;
		mach_printf(" %zu%c%c%c%c%s", (stop - at) / PAGE,
			    r.current & VM_PROT_READ ? 'r' : '-', r.current & VM_PROT_WRITE ? 'w' : '-',
			    "scn"[r.inheritance % 3], r.shared ? '!' : ' ',
			    r.object == MACH_PORT_NULL ? "none" : "");
		if (r.object != MACH_PORT_NULL)
			mach_printf("at %ld", (long)r.offset / (long)PAGE);
		mach_printf(",");
		at = stop;
	}
	mach_printf("\n");
}

static void call_protection(void)
{
	static const vm_prot_t choices[] = {RW, RW, RW, VM_PROT_READ, VM_PROT_NONE};
	size_t pages;
	vm_offset_t at = some(&pages);
	vm_prot_t prot = choices[number(5)];

	mach_printf("protect %zu+%zu %u: %s\n", (at - now.arena) / PAGE, pages, prot,
		    mach_error_string(vm_protect(self, at, pages * PAGE, FALSE, prot)));
}

static void call_inheritance(void)
{
	size_t pages;
	vm_offset_t at = some(&pages);
	vm_inherit_t inherit = number(3);

	if (inherit == VM_INHERIT_SHARE && !now.sharing)
		inherit = VM_INHERIT_COPY;
	mach_printf("inherit %zu+%zu %u: %s\n", (at - now.arena) / PAGE, pages, inherit,
		    mach_error_string(vm_inherit(self, at, pages * PAGE, inherit)));
}

static void call_memory(void)
{
	size_t pages;
	vm_offset_t at = some(&pages);

	if (number(3) == 0) {
		mach_printf("deallocate %zu+%zu: %s\n", (at - now.arena) / PAGE, pages,
			    mach_error_string(vm_deallocate(self, at, pages * PAGE)));
		return;
	}
	mach_printf("allocate %zu+%zu: ", (at - now.arena) / PAGE, pages);
	mach_printf("%s\n", mach_error_string(vm_allocate(self, &at, pages * PAGE, FALSE)));
}

static void call_touch(void)
{
	size_t page = number(ARENA);
	vm_offset_t at = now.arena + page * PAGE;
	boolean_t store = number(3) != 0;
	struct region r;

	if (find_region(self, at, &r) != KERN_SUCCESS || r.start > at ||
	    !(r.current & (store ? VM_PROT_WRITE : VM_PROT_READ)))
		return;
	mach_printf("%s %zu\n", store ? "write" : "read", page);
	if (store)
		*(volatile unsigned char *)at = (unsigned char)(1 + number(250));
	else
		(void)*(volatile unsigned char *)at;
}

static void call_read(void)
{
	size_t slot = number(COPIES), pages;
	vm_offset_t at = some(&pages);
	mach_msg_type_number_t got = 0;
	kern_return_t kr;

	if (now.copy_pages[slot] != 0) {
		mach_printf("give copy %zu up\n", slot);
		vm_deallocate(self, now.copies[slot], now.copy_pages[slot] * PAGE);
		now.copy_pages[slot] = 0;
		return;
	}
	kr = vm_read(self, at, pages * PAGE, &now.copies[slot], &got);
	mach_printf("copy %zu of %zu+%zu: %s\n", slot, (at - now.arena) / PAGE, pages,
		    mach_error_string(kr));
	now.copy_pages[slot] = kr == KERN_SUCCESS ? pages : 0;
}

static void call_copy(void)
{
	size_t pages, room, to;
	vm_offset_t at = some(&pages), from = at;
	kern_return_t kr;

	/* Shared pages are not written back onto themselves: the kernel hangs. */
	if (now.sharing)
		from = now.other;
	room = ARENA - pages;
	to = room == 0 ? 0 : number((unsigned int)room + 1);
	kr = vm_copy(self, from, pages * PAGE, now.arena + to * PAGE);
	mach_printf("copy %zu+%zu to %zu: %s\n", (from - (now.sharing ? now.other : now.arena)) / PAGE,
		    pages, to, mach_error_string(kr));
}

static void call_write(void)
{
	size_t pages;
	vm_offset_t at = some(&pages);

	mach_printf("write %zu+%zu: %s\n", (at - now.arena) / PAGE, pages,
		    mach_error_string(vm_write(self, at, now.other, (mach_msg_type_number_t)(pages * PAGE))));
	*(volatile unsigned char *)(now.other + number(ARENA) * PAGE) = (unsigned char)(1 + number(250));
}

static void call_wire(void)
{
	size_t pages;
	vm_offset_t at = some(&pages);
	vm_prot_t access = number(2) ? VM_PROT_NONE : VM_PROT_READ;

	mach_printf("wire %zu+%zu %u: %s\n", (at - now.arena) / PAGE, pages, access,
		    mach_error_string(vm_wire(host_priv_port, self, at, pages * PAGE, access)));
}

static void call_fork(void)
{
	size_t slot = number(CHILDREN);

	if (now.children[slot] != MACH_PORT_NULL) {
		mach_printf("end child %zu\n", slot);
		task_terminate(now.children[slot]);
		now.children[slot] = MACH_PORT_NULL;
		return;
	}
	now.children[slot] = make_task(TRUE);
	mach_printf("child %zu:", slot);
	tell_entries(now.children[slot]);
}

static void call_child(void)
{
	size_t slot = number(CHILDREN), pages;
	vm_offset_t at = some(&pages);
	mach_port_name_t task = now.children[slot];

	if (task == MACH_PORT_NULL)
		return;
	mach_printf("child %zu: write %zu+%zu: %s\n", slot, (at - now.arena) / PAGE, pages,
		    mach_error_string(vm_write(task, at, now.other, (mach_msg_type_number_t)(pages * PAGE))));
	mach_printf("child %zu:", slot);
	tell_entries(task);
	mach_printf("child %zu bytes:", slot);
	tell_bytes(task);
}

enum { WITH_CHILDREN = 1, WITH_SHARING = 2, WITH_WIRING = 4 };

static void history(long seed, long with, long steps)
{
	size_t i;
	long step;

	memset(&now, 0, sizeof(now));
	now.state = (unsigned long)seed * 7919 + 17;
	now.sharing = (with & WITH_SHARING) != 0;
	now.arena = 0x20000000000;
	must("vm_allocate", vm_allocate(self, &now.arena, ARENA * PAGE, FALSE));
	keep_memory(now.arena, ARENA * PAGE);
	now.other = 0x28000000000;
	must("vm_allocate", vm_allocate(self, &now.other, ARENA * PAGE, FALSE));
	keep_memory(now.other, ARENA * PAGE);
	for (i = 0; i < ARENA; i++)
		*(volatile unsigned char *)(now.other + i * PAGE) = (unsigned char)(101 + i);
	for (step = 0; step < steps; step++) {
		switch (number(12)) {
		case 0: case 1: call_memory(); break;
		case 2: call_protection(); break;
		case 3: call_inheritance(); break;
		case 4: case 5: case 6: call_touch(); break;
		case 7: call_read(); break;
		case 8: call_copy(); break;
		case 9: call_write(); break;
		case 10: if (with & WITH_WIRING) call_wire(); else call_touch(); break;
		case 11: if (with & WITH_CHILDREN) { if (number(2)) call_fork(); else call_child(); } break;
		}
		mach_printf("   ");
		tell_entries(self);
	}
	mach_printf("bytes:");
	tell_bytes(self);
	for (i = 0; i < COPIES; i++)
		if (now.copy_pages[i] != 0) {
			size_t page;

			mach_printf("copy %zu:", i);
			for (page = 0; page < now.copy_pages[i]; page++)
				tell_byte(now.copies[i] + page * PAGE);
			mach_printf("\n");
			keep_memory(now.copies[i], now.copy_pages[i] * PAGE);
		}
}
#define HISTORY(seed)								\
	EACH("vm_history/one-task-" #seed, history, seed, 0, 40)		\
	EACH("vm_history/children-" #seed, history, seed, WITH_CHILDREN, 40)	\
	EACH("vm_history/sharing-" #seed, history, seed, WITH_CHILDREN | WITH_SHARING, 40)	\
	EACH("vm_history/wiring-" #seed, history, seed, WITH_WIRING, 40)
HISTORY(1)
HISTORY(2)
HISTORY(3)
HISTORY(4)
HISTORY(5)
HISTORY(6)
HISTORY(7)
HISTORY(8)
HISTORY(9)
HISTORY(10)
HISTORY(11)
HISTORY(12)
HISTORY(13)
HISTORY(14)
HISTORY(15)
HISTORY(16)
