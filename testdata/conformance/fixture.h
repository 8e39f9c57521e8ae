/*
 * What cases are made of: rights, memory and tasks that go when the case ends,
 * and lines that tell what became of them.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <libmach/libmach.h>

#include "../clients/report.h"

#define PAGE vm_page_size
#define RW (VM_PROT_READ | VM_PROT_WRITE)

/* Where the user's part of the address space ends. */
#define MAP_END ((vm_offset_t)0x800000000000)
/* The last page of all 64 bits: adding to it wraps. */
#define LAST_PAGE ((vm_offset_t)0 - PAGE)

/* A name no case gives a meaning to, and one that means nothing in a new task. */
#define NO_NAME ((mach_port_name_t)1000001)
#define FREE_NAME ((mach_port_name_t)1000003)

static mach_port_name_t self;
static mach_port_name_t host;	/* a kernel object that is not a task */

/* ---- What goes when the case ends. */

enum { FIXTURES = 256 };

static struct {
	mach_port_name_t names[FIXTURES], tasks[FIXTURES];
	struct { vm_offset_t at; vm_size_t size; } memory[FIXTURES];
	size_t name_count, task_count, memory_count;
} fixtures;

static inline mach_port_name_t keep_name(mach_port_name_t name)
{
	if (MACH_PORT_VALID(name) && fixtures.name_count < FIXTURES)
		fixtures.names[fixtures.name_count++] = name;
	return name;
}

static inline vm_offset_t keep_memory(vm_offset_t at, vm_size_t size)
{
	if (size != 0 && fixtures.memory_count < FIXTURES) {
		fixtures.memory[fixtures.memory_count].at = at;
		fixtures.memory[fixtures.memory_count++].size = size;
	}
	return at;
}

static inline void release_memory(void)
{
	while (fixtures.memory_count > 0) {
		fixtures.memory_count--;
		vm_deallocate(self, fixtures.memory[fixtures.memory_count].at,
			      fixtures.memory[fixtures.memory_count].size);
	}
}

/*
 * Tasks that live are ended. A request to a dead one would fail in mach_msg, for
 * which the stub gives up its reply port: the next one might get the name of a
 * right that the case gave away, and be destroyed below.
 */
static inline void release_fixtures(void)
{
	while (fixtures.task_count > 0) {
		mach_port_name_t task = fixtures.tasks[--fixtures.task_count];
		mach_port_type_t type = 0;

		if (mach_port_type(self, task, &type) == KERN_SUCCESS && (type & MACH_PORT_TYPE_SEND))
			task_terminate(task);
	}
	while (fixtures.name_count > 0)
		mach_port_destroy(self, fixtures.names[--fixtures.name_count]);
	release_memory();
}

static inline void fixture_init(void)
{
	host = mach_host_self();
	mig_get_reply_port();
}

/* ---- The task's names. */

struct name_list {
	mach_port_name_t names[1024];
	size_t count;
};

static inline void list_names(struct name_list *list)
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t names_count = 0, types_count = 0;
	size_t i;

	must("mach_port_names",
	     mach_port_names(self, &names, &names_count, &types, &types_count));
	for (i = 0; i < names_count && i < 1024; i++)
		list->names[i] = names[i];
	list->count = names_count;
	vm_deallocate(self, (vm_offset_t)names, names_count * sizeof(*names));
	vm_deallocate(self, (vm_offset_t)types, types_count * sizeof(*types));
}

static inline boolean_t has_name(const struct name_list *list, mach_port_name_t name)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->names[i] == name)
			return TRUE;
	return FALSE;
}

static inline void destroy_new_names(const struct name_list *before,
				     const struct name_list *after)
{
	size_t i;

	for (i = 0; i < after->count; i++)
		if (!has_name(before, after->names[i]) &&
		    after->names[i] != mig_get_reply_port())
			mach_port_destroy(self, after->names[i]);
}

/* ---- Rights. */

static inline mach_port_name_t make(mach_port_right_t right)
{
	mach_port_name_t name = MACH_PORT_NULL;

	must("mach_port_allocate", mach_port_allocate(self, right, &name));
	return keep_name(name);
}

static inline mach_port_name_t make_receive(void)
{
	return make(MACH_PORT_RIGHT_RECEIVE);
}

static inline mach_port_name_t make_set(void)
{
	return make(MACH_PORT_RIGHT_PORT_SET);
}

static inline mach_port_name_t make_dead(void)
{
	return make(MACH_PORT_RIGHT_DEAD_NAME);
}

/* A receive right and one reference to a send right. */
static inline mach_port_name_t make_port(void)
{
	mach_port_name_t name = make_receive();

	must("mach_port_insert_right",
	     mach_port_insert_right(self, name, name, MACH_MSG_TYPE_MAKE_SEND));
	return name;
}

/*
 * A name that means nothing yet. Never the same twice: a kernel may choose
 * names that were given up for what it makes next.
 */
static inline mach_port_name_t fresh_name(void)
{
	static mach_port_name_t last = 2000000;

	return keep_name(++last);
}

/* A send-once right to a port, under a name of its own. */
static inline mach_port_name_t send_once_to(mach_port_name_t port)
{
	mach_port_name_t name = fresh_name();

	must("mach_port_insert_right",
	     mach_port_insert_right(self, name, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	return name;
}

static inline mach_port_name_t make_task(boolean_t inherit)
{
	mach_port_name_t task = MACH_PORT_NULL;

	must("task_create", task_create(self, inherit, &task));
	fixtures.tasks[fixtures.task_count++] = task;
	return keep_name(task);
}

/* One reference to a send right; the receive right is another task's. */
static inline mach_port_name_t make_send(void)
{
	mach_port_name_t task = make_task(FALSE);
	mach_port_name_t name = make_port();

	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, name, MACH_MSG_TYPE_MOVE_RECEIVE));
	return name;
}

/* The name of a task that has been terminated. */
static inline mach_port_name_t make_dead_task(void)
{
	mach_port_name_t task = make_task(FALSE);

	must("task_terminate", task_terminate(task));
	return task;
}

/* The name of a port that has died: a dead name that was a send right. */
static inline mach_port_name_t make_died(void)
{
	mach_port_name_t name = make_port();

	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, name, MACH_PORT_RIGHT_RECEIVE, -1));
	return name;
}

enum name_kind {
	KIND_null,
	KIND_dead_port,
	KIND_no_name,
	KIND_receive,
	KIND_send,
	KIND_send_receive,
	KIND_send_once,
	KIND_dead_name,
	KIND_died,
	KIND_port_set,
	KIND_host,
	KIND_task,
	KIND_dead_task,
	KIND_thread,
};

static inline mach_port_name_t make_kind(enum name_kind kind)
{
	switch (kind) {
	case KIND_null: return MACH_PORT_NULL;
	case KIND_dead_port: return MACH_PORT_DEAD;
	case KIND_no_name: return NO_NAME;
	case KIND_receive: return make_receive();
	case KIND_send: return make_send();
	case KIND_send_receive: return make_port();
	case KIND_send_once: return send_once_to(make_receive());
	case KIND_dead_name: return make_dead();
	case KIND_died: return make_died();
	case KIND_port_set: return make_set();
	case KIND_host: return host;
	case KIND_task: return self;
	case KIND_dead_task: return make_dead_task();
	case KIND_thread: return keep_name(mach_thread_self());
	}
	return MACH_PORT_NULL;
}

/* The kinds of name as they stand in case names. */
#define KINDS(X, ...)								\
	X("null", KIND_null, ## __VA_ARGS__)					\
	X("dead-port", KIND_dead_port, ## __VA_ARGS__)				\
	X("no-name", KIND_no_name, ## __VA_ARGS__)				\
	X("receive", KIND_receive, ## __VA_ARGS__)				\
	X("send", KIND_send, ## __VA_ARGS__)					\
	X("send-receive", KIND_send_receive, ## __VA_ARGS__)			\
	X("send-once", KIND_send_once, ## __VA_ARGS__)				\
	X("dead-name", KIND_dead_name, ## __VA_ARGS__)				\
	X("died", KIND_died, ## __VA_ARGS__)					\
	X("port-set", KIND_port_set, ## __VA_ARGS__)

/* What a name stands for in a task, with its references. */
static inline void tell_name_in(mach_port_name_t task, const char *what,
				mach_port_name_t name)
{
	static const char *const rights[5] = {
		" send", " receive", " send-once", " port-set", " dead-name",
	};
	mach_port_type_t got = 0;
	mach_port_urefs_t refs;
	mach_port_right_t right;
	kern_return_t kr = mach_port_type(task, name, &got);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	mach_printf("%s:", what);
	for (right = 0; right < 5; right++)
		if (got & MACH_PORT_TYPE(right)) {
			got &= ~MACH_PORT_TYPE(right);
			refs = 99999;
			mach_port_get_refs(task, name, right, &refs);
			mach_printf("%s %u", rights[right], refs);
		}
	if (got != 0)
		mach_printf(" other bits 0x%x", got);
	mach_printf("\n");
}

static inline void tell_name(const char *what, mach_port_name_t name)
{
	tell_name_in(self, what, name);
}

/* ---- Memory. */

/*
 * Pages with a hole on either side: where the kernel puts memory, and with
 * which neighbour it shares an entry, is its own affair.
 */
static inline vm_offset_t island_in(mach_port_name_t task, size_t pages)
{
	vm_offset_t memory = must_allocate(task, (pages + 2) * PAGE);

	must("vm_deallocate", vm_deallocate(task, memory, PAGE));
	must("vm_deallocate", vm_deallocate(task, memory + (pages + 1) * PAGE, PAGE));
	return memory + PAGE;
}

static inline vm_offset_t island(size_t pages)
{
	return keep_memory(island_in(self, pages), pages * PAGE);
}

struct region {
	vm_offset_t start;
	vm_size_t size;
	vm_prot_t current;
	vm_prot_t maximum;
	vm_inherit_t inheritance;
	boolean_t shared;
	mach_port_name_t object;
	vm_offset_t offset;
};

static inline kern_return_t find_region(mach_port_name_t task, vm_offset_t at,
					struct region *found)
{
	kern_return_t kr;

	found->start = at;
	found->object = MACH_PORT_NULL;
	kr = vm_region(task, &found->start, &found->size, &found->current,
		       &found->maximum, &found->inheritance, &found->shared,
		       &found->object, &found->offset);
	if (kr == KERN_SUCCESS && MACH_PORT_VALID(found->object))
		mach_port_deallocate(self, found->object);
	return kr;
}

/*
 * The pages from an address on, entry by entry: how many pages, protections,
 * inheritance (s, c or n), and whether the entry is shared. Entries that lie
 * beside the range count only with what lies in it.
 */
static inline void tell_memory_in(mach_port_name_t task, const char *what,
				  vm_offset_t at, size_t pages)
{
	vm_offset_t end = at + pages * PAGE, stop;
	struct region r;

	mach_printf("%s:", what);
	while (at < end) {
		if (find_region(task, at, &r) != KERN_SUCCESS || r.start >= end) {
			mach_printf(" %zu hole", (end - at) / PAGE);
			break;
		}
		if (r.start > at) {
			mach_printf(" %zu hole,", (r.start - at) / PAGE);
			at = r.start;
		}
		stop = r.start + r.size < end ? r.start + r.size : end;
		mach_printf(" %zu %c%c%c/%c%c%c%s%c%s", (stop - at) / PAGE,
			    r.current & VM_PROT_READ ? 'r' : '-',
			    r.current & VM_PROT_WRITE ? 'w' : '-',
			    r.current & VM_PROT_EXECUTE ? 'x' : '-',
			    r.maximum & VM_PROT_READ ? 'r' : '-',
			    r.maximum & VM_PROT_WRITE ? 'w' : '-',
			    r.maximum & VM_PROT_EXECUTE ? 'x' : '-',
			    (r.current | r.maximum) & ~VM_PROT_ALL ? "+" : " ",
			    r.inheritance < 3 ? "scn"[r.inheritance] : '?',
			    r.shared ? " shared" : "");
		at = stop;
		if (at < end)
			mach_printf(",");
	}
	mach_printf("\n");
}

static inline void tell_memory(const char *what, vm_offset_t at, size_t pages)
{
	tell_memory_in(self, what, at, pages);
}

/* Reads into fresh memory that goes with the case. */
static inline kern_return_t read_memory(mach_port_name_t task, vm_offset_t at,
					vm_size_t size, vm_offset_t *data,
					mach_msg_type_number_t *got)
{
	kern_return_t kr;

	*data = 0;
	*got = 0;
	kr = vm_read(task, at, size, data, got);
	if (kr == KERN_SUCCESS)
		keep_memory(*data, *got);
	return kr;
}

/* ---- The island all address kinds are kinds of. */

enum { TERRAIN_PAGES = 9 };

/*
 * Pages: 0 1 writable, 2 read-only, 3 none, 4 hole, 5 writable, 6 execute only,
 * 7 maximum protection none, 8 writable.
 */
static inline vm_offset_t terrain_in(mach_port_name_t task)
{
	vm_offset_t at = island_in(task, TERRAIN_PAGES);

	must("vm_protect", vm_protect(task, at + 2 * PAGE, PAGE, FALSE, VM_PROT_READ));
	must("vm_protect", vm_protect(task, at + 3 * PAGE, PAGE, FALSE, VM_PROT_NONE));
	must("vm_deallocate", vm_deallocate(task, at + 4 * PAGE, PAGE));
	must("vm_protect", vm_protect(task, at + 6 * PAGE, PAGE, FALSE, VM_PROT_EXECUTE));
	must("vm_protect", vm_protect(task, at + 7 * PAGE, PAGE, TRUE, VM_PROT_NONE));
	return at;
}

static inline vm_offset_t terrain(void)
{
	vm_offset_t at;

	at = keep_memory(terrain_in(self), TERRAIN_PAGES * PAGE);
	pattern_fill(at, 2 * PAGE, 1);
	return at;
}

/* What to call it, whether it is in the island, where, how many bytes. */
#define PLACES(X, ...)								\
	X("page", 1, 0, 0x1000, ## __VA_ARGS__)					\
	X("two-pages", 1, 0, 0x2000, ## __VA_ARGS__)				\
	X("no-bytes", 1, 0, 0, ## __VA_ARGS__)					\
	X("no-bytes-unaligned", 1, 8, 0, ## __VA_ARGS__)			\
	X("one-byte-unaligned", 1, 8, 1, ## __VA_ARGS__)			\
	X("unaligned-address", 1, 8, 0x1000, ## __VA_ARGS__)			\
	X("unaligned-size", 1, 0, 0x1800, ## __VA_ARGS__)			\
	X("two-bytes-across-pages", 1, 0xfff, 2, ## __VA_ARGS__)		\
	X("read-only", 1, 0x2000, 0x1000, ## __VA_ARGS__)			\
	X("into-read-only", 1, 0x1000, 0x2000, ## __VA_ARGS__)			\
	X("no-access", 1, 0x3000, 0x1000, ## __VA_ARGS__)			\
	X("into-no-access", 1, 0x2000, 0x2000, ## __VA_ARGS__)			\
	X("no-access-then-hole", 1, 0x3000, 0x2000, ## __VA_ARGS__)		\
	X("hole", 1, 0x4000, 0x1000, ## __VA_ARGS__)				\
	X("hole-no-bytes", 1, 0x4000, 0, ## __VA_ARGS__)			\
	X("hole-unaligned", 1, 0x4008, 8, ## __VA_ARGS__)			\
	X("hole-first", 1, 0x4000, 0x2000, ## __VA_ARGS__)			\
	X("hole-in-middle", 1, 0x2000, 0x4000, ## __VA_ARGS__)			\
	X("hole-then-no-access", 1, 0x4000, 0x3000, ## __VA_ARGS__)		\
	X("execute-only", 1, 0x6000, 0x1000, ## __VA_ARGS__)			\
	X("maximum-none", 1, 0x7000, 0x1000, ## __VA_ARGS__)			\
	X("all-of-it", 1, 0, 0x9000, ## __VA_ARGS__)				\
	X("last-byte", 1, 0x8fff, 1, ## __VA_ARGS__)				\
	X("one-byte-past-the-end", 1, 0x8000, 0x1001, ## __VA_ARGS__)		\
	X("wraps", 1, 0, 0xfffffffffffff000, ## __VA_ARGS__)			\
	X("wraps-to-itself", 1, 0, 0xffffffffffffffff, ## __VA_ARGS__)		\
	X("page-zero", 0, 0, 0x1000, ## __VA_ARGS__)				\
	X("across-map-end", 0, 0x7ffffffff000 + 0x800, 0x1000, ## __VA_ARGS__)	\
	X("map-end", 0, 0x800000000000, 0x1000, ## __VA_ARGS__)			\
	X("not-canonical", 0, 0x900000000000, 0x1000, ## __VA_ARGS__)		\
	X("kernel-address", 0, 0xffffffff81000000, 0x1000, ## __VA_ARGS__)	\
	X("last-page", 0, 0xfffffffffffff000, 0x1000, ## __VA_ARGS__)		\
	X("before-last-byte", 0, 0xfffffffffffff000, 0xfff, ## __VA_ARGS__)	\
	X("nowhere-no-bytes", 0, 0xfffffffffffff005, 0, ## __VA_ARGS__)

/* Where a place is. */
static inline vm_offset_t place_at(vm_offset_t base, long relative, long at)
{
	return relative ? base + (vm_offset_t)at : (vm_offset_t)at;
}

#endif
