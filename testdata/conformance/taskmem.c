/* taskmem: the memory of other tasks, and what they inherit. */
#include "suite.h"

/* The byte a page of another task begins with; -1 if it cannot be read. */
static int peek(mach_port_name_t task, vm_offset_t at)
{
	mach_msg_type_number_t got;
	vm_offset_t data;
	int byte;

	if (vm_read(task, at, 1, &data, &got) != KERN_SUCCESS)
		return -1;
	byte = *(volatile unsigned char *)data;
	vm_deallocate(self, data, got);
	return byte;
}

/* Puts a page that begins with this byte there. */
static kern_return_t poke(mach_port_name_t task, vm_offset_t at, int byte)
{
	vm_offset_t data = must_allocate(self, PAGE);
	kern_return_t kr;

	*(volatile char *)data = (char)byte;
	kr = vm_write(task, at, data, 4096);
	vm_deallocate(self, data, PAGE);
	return kr;
}

static void set(vm_offset_t at, int byte)
{
	*(volatile unsigned char *)at = (unsigned char)byte;
}

static int get(vm_offset_t at)
{
	return *(volatile unsigned char *)at;
}

/* A page inherited in a way, touched or not; both sides then write. */
static void inherits(long inheritance, long touched, long child_first)
{
	vm_offset_t at = island(3);
	mach_port_name_t child;

	must("vm_inherit", vm_inherit(self, at, 3 * PAGE, (vm_inherit_t)inheritance));
	if (touched)
		set(at, 1);
	child = make_task(TRUE);
	tell_memory("ours", at, 3);
	tell_memory_in(child, "the child's", at, 3);
	mach_printf("the child reads: %d\n", peek(child, at));
	if (child_first) {
		code("the child's is written", poke(child, at, 2));
		mach_printf("ours: %d, the child's: %d\n", get(at), peek(child, at));
	}
	set(at, 3);
	mach_printf("ours written; ours: %d, the child's: %d\n", get(at), peek(child, at));
	code("the child's is written", poke(child, at, 4));
	mach_printf("ours: %d, the child's: %d\n", get(at), peek(child, at));
	code("the child's second page is written", poke(child, at + PAGE, 5));
	mach_printf("ours: %d, the child's: %d\n", get(at + PAGE), peek(child, at + PAGE));
	must("task_terminate", task_terminate(child));
	mach_printf("the child is gone; ours: %d %d\n", get(at), get(at + PAGE));
	tell_memory("ours", at, 3);
}
EACH("task_create/inherit-share-touched", inherits, 0, 1, 0)
EACH("task_create/inherit-share-untouched", inherits, 0, 0, 0)
EACH("task_create/inherit-share-child-writes-first", inherits, 0, 1, 1)
EACH("task_create/inherit-share-untouched-child-writes-first", inherits, 0, 0, 1)
EACH("task_create/inherit-copy-touched", inherits, 1, 1, 0)
EACH("task_create/inherit-copy-untouched", inherits, 1, 0, 0)
EACH("task_create/inherit-copy-child-writes-first", inherits, 1, 1, 1)
EACH("task_create/inherit-none-touched", inherits, 2, 1, 0)
EACH("task_create/inherit-none-untouched", inherits, 2, 0, 0)

CASE("task_create/inherit-mixed")
{
	vm_offset_t at = island(4);

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	vm_inherit(self, at + 2 * PAGE, PAGE, VM_INHERIT_NONE);
	tell_memory_in(make_task(TRUE), "the child's", at, 4);
	tell_memory("ours", at, 4);
}

CASE("task_create/inherits-protections")
{
	vm_offset_t base = terrain();

	tell_memory_in(make_task(TRUE), "the child's", base, TERRAIN_PAGES);
}

CASE("task_create/no-inheritance-is-empty")
{
	mach_port_name_t task = make_task(FALSE);
	struct region r;

	code("vm_region", find_region(task, 0, &r));
	tell_name("its name", task);
}

CASE("task_create/child-has-no-names")
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t n = 9, m = 9;

	code("mach_port_names", mach_port_names(make_task(TRUE), &names, &n, &types, &m));
	mach_printf("names %u, types %u\n", n, m);
}

CASE("task_create/child-of-a-child")
{
	vm_offset_t at = island(2);
	mach_port_name_t child, grandchild = MACH_PORT_NULL;

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	set(at, 1);
	set(at + PAGE, 1);
	child = make_task(TRUE);
	must("task_create", task_create(child, TRUE, &grandchild));
	keep_name(grandchild);
	set(at, 2);
	set(at + PAGE, 2);
	must("vm_write", poke(child, at + PAGE, 3));
	mach_printf("shared: %d %d %d\n", get(at), peek(child, at), peek(grandchild, at));
	mach_printf("copied: %d %d %d\n", get(at + PAGE), peek(child, at + PAGE),
		    peek(grandchild, at + PAGE));
	must("task_terminate", task_terminate(child));
	must("vm_write", poke(grandchild, at, 4));
	mach_printf("the child is gone; shared: %d %d, copied: %d %d\n", get(at),
		    peek(grandchild, at), get(at + PAGE), peek(grandchild, at + PAGE));
	must("task_terminate", task_terminate(grandchild));
}

CASE("task_create/child-may-protect-its-own")
{
	vm_offset_t at = island(1);
	mach_port_name_t child;

	set(at, 1);
	child = make_task(TRUE);
	code("the child's to none", vm_protect(child, at, PAGE, TRUE, VM_PROT_NONE));
	tell_memory("ours", at, 1);
	tell_memory_in(child, "the child's", at, 1);
	set(at, 2);
	mach_printf("ours: %d\n", get(at));
}

CASE("task_create/shared-page-protected-in-the-child-only")
{
	vm_offset_t at = island(1);
	mach_port_name_t child;

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	set(at, 1);
	child = make_task(TRUE);
	code("the child's to read-only", vm_protect(child, at, PAGE, FALSE, VM_PROT_READ));
	set(at, 2);
	mach_printf("ours: %d, the child's: %d\n", get(at), peek(child, at));
	code("the child's is written", poke(child, at, 3));
	mach_printf("ours: %d, the child's: %d\n", get(at), peek(child, at));
}

CASE("task_create/shared-page-deallocated-in-the-child")
{
	vm_offset_t at = island(1);
	mach_port_name_t child;

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	set(at, 1);
	child = make_task(TRUE);
	code("vm_deallocate", vm_deallocate(child, at, PAGE));
	mach_printf("ours: %d, the child's: %d\n", get(at), peek(child, at));
}

CASE("task_create/copy-of-a-shared-page")
{
	vm_offset_t at = island(1), data;
	mach_msg_type_number_t got;
	mach_port_name_t child;

	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	set(at, 1);
	child = make_task(TRUE);
	must("vm_read", read_memory(child, at, PAGE, &data, &got));
	set(at, 2);
	mach_printf("ours: %d, the child's: %d, the copy: %d\n", get(at), peek(child, at),
		    get(data));
	must("vm_write", poke(child, at, 3));
	mach_printf("ours: %d, the child's: %d, the copy: %d\n", get(at), peek(child, at),
		    get(data));
}

CASE("task_create/write-over-a-shared-page-by-us")
{
	vm_offset_t at = island(2);
	mach_port_name_t child;

	vm_inherit(self, at, 2 * PAGE, VM_INHERIT_SHARE);
	set(at, 1);
	child = make_task(TRUE);
	code("vm_write", poke(self, at, 7));
	mach_printf("ours: %d, the child's: %d\n", get(at), peek(child, at));
	code("vm_copy onto the second page", vm_copy(child, at, PAGE, at + PAGE));
	mach_printf("ours: %d, the child's: %d\n", get(at + PAGE), peek(child, at + PAGE));
}

CASE("task_create/source-copied-before-the-child")
{
	vm_offset_t at = island(1), data;
	mach_msg_type_number_t got;
	mach_port_name_t child;

	set(at, 1);
	must("vm_read", read_memory(self, at, PAGE, &data, &got));
	vm_inherit(self, at, PAGE, VM_INHERIT_SHARE);
	child = make_task(TRUE);
	set(at, 2);
	mach_printf("ours: %d, the child's: %d, the copy: %d\n", get(at), peek(child, at),
		    get(data));
}

CASE("task_create/inheritance-flag-other-than-one")
{
	vm_offset_t at = island(1);
	mach_port_name_t child = MACH_PORT_NULL;

	set(at, 1);
	code("task_create", task_create(self, 2, &child));
	keep_name(child);
	mach_printf("the child's: %d\n", peek(child, at));
	task_terminate(child);
}

CASE("task_terminate/twice")
{
	mach_port_name_t task = make_task(FALSE);

	tell_name("before", task);
	code("task_terminate", task_terminate(task));
	tell_name("after", task);
	code("again", task_terminate(task));
	tell_name("after", task);
}

CASE("task_terminate/references-of-the-dead-name")
{
	mach_port_name_t task = make_task(FALSE);

	must("mach_port_mod_refs",
	     mach_port_mod_refs(self, task, MACH_PORT_RIGHT_SEND, 4));
	must("task_terminate", task_terminate(task));
	tell_name("after", task);
	code("mach_port_deallocate", mach_port_deallocate(self, task));
	tell_name("after", task);
}

CASE("task_terminate/its-receive-rights-die")
{
	mach_port_name_t task = make_task(FALSE), port = make_port();

	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	tell_name("before", port);
	must("task_terminate", task_terminate(task));
	tell_name("after", port);
}

CASE("task_terminate/its-send-rights-go")
{
	mach_port_name_t task = make_task(FALSE), port = make_receive();

	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, port, MACH_MSG_TYPE_MAKE_SEND));
	tell_name_in(task, "its", FREE_NAME);
	must("task_terminate", task_terminate(task));
	tell_name("ours", port);
}

CASE("thread_create/in-another-task")
{
	mach_port_name_t task = make_task(FALSE), thread = MACH_PORT_NULL;

	code("thread_create", thread_create(task, &thread));
	keep_name(thread);
	tell_name("its name", thread);
	code("thread_terminate", thread_terminate(thread));
	tell_name("after", thread);
	code("again", thread_terminate(thread));
}

CASE("thread_create/dies-with-its-task")
{
	mach_port_name_t task = make_task(FALSE), thread = MACH_PORT_NULL;

	must("thread_create", thread_create(task, &thread));
	keep_name(thread);
	must("task_terminate", task_terminate(task));
	tell_name("after", thread);
	code("thread_resume", thread_resume(thread));
}

CASE("thread_resume/not-suspended")
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	code("thread_resume", thread_resume(thread));
}
