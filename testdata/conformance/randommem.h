/*
 * Random programs of memory: regions made, split, protected, inherited,
 * shared, copied, sent and written, in this task and in tasks that were made
 * from it and from one another. Addresses are told as they are: a kernel that
 * follows Mach chooses the same. As randomipc.h, the whole of a client.
 */
#include "random.h"

#include "message.h"

#include <mach/task_info.h>

enum {
	TASKS = 4,		/* ourselves and our children */
	PLAYGROUND = 24,	/* pages that most operations are about */
	BLOCKS = 6,		/* regions elsewhere, per task */
};

#define BASE ((vm_offset_t)0x20000000)

struct range {
	vm_offset_t at;
	vm_size_t size;
};

static mach_port_name_t tasks[TASKS], port;
static struct range blocks[TASKS][BLOCKS];

/* ---- Where. */

static struct range of_playground(void)
{
	unsigned int first = below(PLAYGROUND), pages = 1 + below(percent(20) ? 12 : 4);

	return (struct range){ BASE + first * PAGE, pages * PAGE };
}

/* What may be asked of our own task without ending the program. */
static struct range nowhere_of_ours(void)
{
	static const struct range all[] = {
		{ 0x40000000, 0x3000 }, { 0x40000800, 0x800 }, { 0x7fffffff000, 0x1000 },
		{ 0x800000000000, 0x1000 }, { 0xfffffffffffff000, 0x1000 },
		{ 0x20000000, 0xffffffffffffff00 }, { 0x20001234, 0xffffffffe0000000 },
		{ 0xffffffff81000000, 0x2000 }, { 0x900000000000, 8 },
	};

	return ONE_OF(all);
}

static struct range nowhere(void)
{
	static const struct range all[] = {
		{ 0, 0x1000 }, { 0, 0x7ffffffff000 }, { 0, 0x800000000000 },
		{ 0x7ffffffff000, 0x1000 }, { 0x7fffffffe000, 0x4000 },
		{ 0x7ffffffff800, 0x1000 }, { 0x30000000, 0x40000000 },
		{ 0x1ffff000, 0x10000000 }, { 8, 0x10 },
	};

	return percent(50) ? nowhere_of_ours() : ONE_OF(all);
}

/* Mostly whole pages, mostly where something is or was. */
static struct range where(size_t task)
{
	struct range r, *b;

	if (percent(4))
		return task == 0 ? nowhere_of_ours() : nowhere();
	b = &blocks[task][below(BLOCKS)];
	r = percent(20) && b->size != 0 ? *b : of_playground();
	if (percent(12))
		r.at += below((unsigned int)PAGE);
	if (percent(12))
		r.size -= below((unsigned int)PAGE);
	if (percent(2))
		r.size = 0;
	return r;
}

static void say_where(const char *what, size_t task, struct range r)
{
	say(what);
	say_number("task ", task);
	say_number("", r.at);
	say_number("+ ", r.size);
}

static size_t a_task(void)
{
	return percent(55) ? 0 : below(TASKS);
}

/* A place for another block; what was there goes. */
static struct range *another_block(size_t task)
{
	struct range *b = &blocks[task][below(BLOCKS)];

	if (b->size != 0)
		vm_deallocate(tasks[task], b->at, b->size);
	b->size = 0;
	return b;
}

/*
 * Whether any of it is memory that is shared by inheritance. Over such memory
 * only fresh pages are written: the recorded kernel hangs when a page there is
 * overwritten with itself, and after some copies nobody knows what is itself.
 */
static boolean_t shared(size_t task, struct range r)
{
	vm_offset_t at = r.at, end = r.at + r.size;
	struct region found;

	while (at < end && find_region(tasks[task], at, &found) == KERN_SUCCESS && found.start < end) {
		if (found.shared)
			return TRUE;
		at = found.start + found.size;
	}
	return FALSE;
}

static void say_attributes(const struct region *r)
{
	say_number("", (unsigned long)(r->current | r->maximum << 8));
	say_number("", r->inheritance);
	say_number("", (unsigned long)r->shared);
}

static boolean_t alike(const struct region *a, const struct region *b)
{
	return a->current == b->current && a->maximum == b->maximum &&
		a->inheritance == b->inheritance && a->shared == b->shared;
}

/*
 * The region at an address with those behind it that are alike: which of them
 * a kernel keeps in one entry depends on what became of its memory objects.
 */
static kern_return_t run_of_regions(size_t task, vm_offset_t at, struct region *r)
{
	kern_return_t kr = find_region(tasks[task], at, r);
	struct region next;

	while (kr == KERN_SUCCESS && !run.entries &&
	       find_region(tasks[task], r->start + r->size, &next) == KERN_SUCCESS &&
	       next.start == r->start + r->size && alike(r, &next))
		r->size += next.size;
	return kr;
}

/* ---- Calls. */

static void do_allocate(void)
{
	size_t task = a_task();
	boolean_t anywhere = percent(30);
	struct range r = where(task), *b = NULL;
	kern_return_t kr;

	if (anywhere)
		b = another_block(task);
	say_where(anywhere ? " allocate anywhere" : " allocate", task, r);
	kr = percent(20) ? syscall_vm_allocate(tasks[task], &r.at, r.size, anywhere) :
		vm_allocate(tasks[task], &r.at, r.size, anywhere);
	say_code(kr);
	say_number("", r.at);
	if (b != NULL && kr == KERN_SUCCESS)
		*b = r;
}

static void do_deallocate(void)
{
	size_t task = a_task();
	struct range r = where(task);

	say_where(" deallocate", task, r);
	say_code(percent(20) ? syscall_vm_deallocate(tasks[task], r.at, r.size) :
		 vm_deallocate(tasks[task], r.at, r.size));
}

static vm_prot_t a_protection(void)
{
	static const vm_prot_t all[] = { 0, 1, 2, 3, 3, 3, 3, 4, 5, 6, 7, 7 };

	return percent(2) ? (vm_prot_t)below(64) : ONE_OF(all);
}

static void do_protect(void)
{
	size_t task = a_task();
	struct range r = where(task);
	boolean_t maximum = percent(12);
	vm_prot_t protection = a_protection();

	say_where(maximum ? " protect maximum" : " protect", task, r);
	say_number("", (unsigned long)protection);
	say_code(vm_protect(tasks[task], r.at, r.size, maximum, protection));
}

static void do_inherit(void)
{
	size_t task = a_task();
	struct range r = where(task);
	vm_inherit_t inheritance = below(percent(5) ? 5 : 3);

	say_where(" inherit", task, r);
	say_number("", inheritance);
	say_code(vm_inherit(tasks[task], r.at, r.size, inheritance));
}

static void do_map(void)
{
	static const vm_offset_t masks[] = {
		0, 0, 0, 0xfff, 0x1fff, 0xffff, 0x7ff, 0xfffffff,
	};
	size_t task = a_task();
	boolean_t anywhere = percent(40), copy = percent(50);
	struct range r = where(task), *b = NULL;
	vm_offset_t mask = ONE_OF(masks), offset = below(3) * PAGE;
	vm_prot_t current = a_protection(), maximum = percent(60) ? 7 : a_protection();
	vm_inherit_t inheritance = below(percent(5) ? 5 : 3);
	kern_return_t kr;

	if (anywhere)
		b = another_block(task);
	say_where(anywhere ? " map anywhere" : " map", task, r);
	say_number("mask ", mask);
	say_number("offset ", offset);
	say_number("copy ", (unsigned long)copy);
	say_number("", (unsigned long)current);
	say_number("", (unsigned long)maximum);
	say_number("", inheritance);
	kr = vm_map(tasks[task], &r.at, r.size, mask, anywhere, MACH_PORT_NULL, offset, copy,
		    current, maximum, inheritance);
	say_code(kr);
	say_number("", r.at);
	if (b != NULL && kr == KERN_SUCCESS)
		*b = r;
}

static void do_region(void)
{
	size_t task = a_task();
	struct range at = where(task);
	struct region r;
	kern_return_t kr;

	say_where(" region", task, at);
	kr = find_region(tasks[task], at.at, &r);
	say_code(kr);
	if (kr != KERN_SUCCESS)
		return;
	if (r.start > at.at)
		say_number("", r.start);
	say_attributes(&r);
}

static void keep_or_drop(vm_offset_t at, vm_size_t size)
{
	if (size != 0 && percent(25))
		*another_block(0) = (struct range){ at, size };
	else
		vm_deallocate(self, at, size);
}

static void do_read(void)
{
	size_t task = a_task();
	struct range r = where(task);
	vm_offset_t got = 0;
	mach_msg_type_number_t n = 0;
	kern_return_t kr;

	if (r.size > PLAYGROUND * PAGE)
		r.size = PLAYGROUND * PAGE;
	say_where(" read", task, r);
	kr = vm_read(tasks[task], r.at, r.size, &got, &n);
	say_code(kr);
	if (kr != KERN_SUCCESS)
		return;
	say_number("", got);
	say_number("+ ", n);
	if (n > 0)
		say_bytes((void *)got, n);
	keep_or_drop(got, n);
}

static void do_write(void)
{
	size_t task = a_task();
	struct range from = where(0), to = where(task);
	boolean_t fresh;

	if (from.size > PLAYGROUND * PAGE)
		from.size = PLAYGROUND * PAGE;
	to.size = from.size;
	fresh = percent(20) || shared(task, to);
	if (fresh) {
		from.at = must_allocate(self, from.size + PAGE) + (from.at & (PAGE - 1));
		pattern_fill(from.at, from.size, below(256));
	}
	say_where(fresh ? " write fresh" : " write", task, to);
	say_number("from ", from.at);
	say_code(vm_write(tasks[task], to.at, from.at, (mach_msg_type_number_t)from.size));
	if (fresh)
		vm_deallocate(self, from.at & ~(PAGE - 1), from.size + PAGE);
}

static void do_copy(void)
{
	size_t task = a_task();
	struct range from = where(task), to = where(task);

	to.size = from.size;
	if (from.size > PLAYGROUND * PAGE || shared(task, to)) {
		say(" no copy");
		return;
	}
	say_where(" copy", task, from);
	say_number("to ", to.at);
	say_code(vm_copy(tasks[task], from.at, from.size, to.at));
}

/* Our own instructions; only where they may. */
static void do_touch(void)
{
	struct range r = where(0);
	boolean_t write = percent(70);
	vm_offset_t end = r.at + (r.size > PAGE * PLAYGROUND ? 0 : r.size);
	unsigned int byte = below(256);
	struct region found;

	say_where(write ? " touch" : " look", 0, r);
	say_number("", byte);
	for (; r.at < end; r.at += PAGE) {
		if (find_region(self, r.at, &found) != KERN_SUCCESS || found.start > r.at ||
		    (found.current & (write ? RW : VM_PROT_READ)) != (write ? RW : VM_PROT_READ))
			continue;
		if (write)
			*(volatile unsigned char *)r.at = (unsigned char)byte++;
		else
			say_number("", *(volatile unsigned char *)r.at);
	}
}

/* Memory sent to ourselves; it may leave the place it is sent from. */
static void do_send(void)
{
	struct range r = where(0);
	boolean_t deallocate = percent(50);
	struct message msg;
	mach_msg_return_t mr;
	vm_size_t n;

	if (r.size > PLAYGROUND * PAGE)
		r.size = PLAYGROUND * PAGE;
	msg = message_with(port, TYPE(.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64,
				      .msgt_number = (unsigned int)(r.size / 8),
				      .msgt_deallocate = deallocate), r.at);
	say_where(deallocate ? " send away" : " send", 0, r);
	mr = send_sized(&msg, HEADER + ITEM);
	say_code(mr);
	if (mr != MACH_MSG_SUCCESS)
		return;
	mr = receive(port, &msg);
	say_code(mr);
	if (mr != MACH_MSG_SUCCESS)
		return;
	n = msg.item[0].type.msgt_number * 8;
	say_number("", msg.item[0].address);
	say_number("+ ", n);
	if (n > 0)
		say_bytes((void *)msg.item[0].address, n);
	keep_or_drop(msg.item[0].address, n);
}

static void do_task(void)
{
	size_t child = 1 + below(TASKS - 1), parent = percent(60) ? 0 : below(TASKS);
	boolean_t inherit = percent(90);
	mach_port_name_t task = MACH_PORT_NULL;

	say_number("task ", child);
	say_number("from ", parent);
	say_number("inherit ", (unsigned long)inherit);
	say_code(task_create(tasks[parent], inherit, &task));
	say_code(task_terminate(tasks[child]));
	mach_port_deallocate(self, tasks[child]);
	tasks[child] = task;
	if (!inherit)
		memset(blocks[child], 0, sizeof(blocks[child]));
	else if (child != parent)
		memcpy(blocks[child], blocks[parent], sizeof(blocks[child]));
}

static void step(void)
{
	switch (below(100)) {
	case 0 ... 13: do_allocate(); break;
	case 14 ... 21: do_deallocate(); break;
	case 22 ... 28: do_protect(); break;
	case 29 ... 35: do_inherit(); break;
	case 36 ... 41: do_map(); break;
	case 42 ... 45: do_region(); break;
	case 46 ... 53: do_read(); break;
	case 54 ... 63: do_write(); break;
	case 64 ... 73: do_copy(); break;
	case 74 ... 87: do_touch(); break;
	case 88 ... 94: do_send(); break;
	default: do_task(); break;
	}
}

/* ---- The state: every entry of every map, and what is in the playgrounds. */

static void tell_contents(size_t task, const struct region *r)
{
	vm_offset_t at = 0;
	mach_msg_type_number_t n = 0;

	if (r->start < BASE || r->start + r->size > BASE + 4 * PLAYGROUND * PAGE ||
	    !(r->current & VM_PROT_READ))
		return;
	if (vm_read(tasks[task], r->start, r->size, &at, &n) != KERN_SUCCESS)
		return;
	say_bytes((void *)at, n);
	vm_deallocate(self, at, n);
}

static void state(boolean_t clear)
{
	struct region r;
	vm_offset_t at;
	size_t i;

	for (i = 0; i < TASKS; i++) {
		struct task_basic_info info;
		mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

		say_number("task ", i);
		must("task_info", task_info(tasks[i], TASK_BASIC_INFO, (task_info_t)&info, &n));
		say_number("size ", info.virtual_size);
		end_line(clear);
		for (at = 0; run_of_regions(i, at, &r) == KERN_SUCCESS; at = r.start + r.size) {
			say_number("  ", r.start);
			say_number("+ ", r.size);
			say_attributes(&r);
			if (run.entries)
				say_number("offset ", r.offset);
			if (run.end)
				tell_contents(i, &r);
			end_line(clear);
		}
	}
}

static void program(long seed, long steps, long unused)
{
	size_t i;

	(void)unused;
	port = make_port();
	memset(blocks, 0, sizeof(blocks));
	tasks[0] = self;
	for (i = 1; i < TASKS; i++)
		must("task_create", task_create(self, TRUE, &tasks[i]));
	random_run((unsigned long)seed, (unsigned long)steps, step, state);
	for (i = 1; i < TASKS; i++) {
		task_terminate(tasks[i]);
		mach_port_deallocate(self, tasks[i]);
	}
	for (i = 0; i < BLOCKS; i++)
		vm_deallocate(self, blocks[0][i].at, blocks[0][i].size);
	vm_deallocate(self, BASE, 4 * PLAYGROUND * PAGE);
}

int main(int argc, char **argv)
{
	return random_main(argc, argv, program);
}
