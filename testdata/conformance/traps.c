/* traps: the kernel's traps, and the calls that exist as traps too. */
#include "suite.h"

#include "message.h"

/* Each trap on each kind of name where it wants a task. */
static void vm_allocate_kind(long kind, long unused, long more_unused)
{
	vm_offset_t at = 0;

	(void)unused;
	(void)more_unused;
	code("trap", syscall_vm_allocate(make_kind((enum name_kind)kind), &at, PAGE, TRUE));
	fact("address is zero", at == 0);
}
static void vm_deallocate_kind(long kind, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	code("trap", syscall_vm_deallocate(make_kind((enum name_kind)kind), 0x10000, PAGE));
}
static void port_allocate_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t name = 7;

	(void)unused;
	(void)more_unused;
	code("trap", syscall_mach_port_allocate(make_kind((enum name_kind)kind),
						MACH_PORT_RIGHT_RECEIVE, &name));
	fact("the name is as it was", name == 7);
}
static void port_deallocate_kind(long kind, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	code("trap", syscall_mach_port_deallocate(make_kind((enum name_kind)kind), NO_NAME));
}
#define TASKS(X, ...) KINDS(X, ## __VA_ARGS__)					\
	X("host", KIND_host, ## __VA_ARGS__)					\
	X("thread", KIND_thread, ## __VA_ARGS__)				\
	X("dead-task", KIND_dead_task, ## __VA_ARGS__)
#define TRAP(name, kind, trap_name, function) \
	EACH(trap_name "/task-is-" name, function, kind, 0, 0)
TASKS(TRAP, "trap_vm_allocate", vm_allocate_kind)
TASKS(TRAP, "trap_vm_deallocate", vm_deallocate_kind)
TASKS(TRAP, "trap_mach_port_allocate", port_allocate_kind)
TASKS(TRAP, "trap_mach_port_deallocate", port_deallocate_kind)

static void allocate_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), address = place_at(base, relative, at);

	code("trap", syscall_vm_allocate(task, &address, (vm_size_t)size, FALSE));
	fact("the address is as it was", address == place_at(base, relative, at));
	fact("the address is zero", address == 0);
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define ALLOCATE(name, ...) EACH("trap_vm_allocate/" name, allocate_place, __VA_ARGS__)
PLACES(ALLOCATE)

static void deallocate_place(long relative, long at, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task);

	code("trap", syscall_vm_deallocate(task, place_at(base, relative, at),
					   (vm_size_t)size));
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
#define DEALLOCATE(name, ...) EACH("trap_vm_deallocate/" name, deallocate_place, __VA_ARGS__)
PLACES(DEALLOCATE)

static void out_pointer(long at, long relative, long unused)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain();
	struct region r;

	(void)unused;
	code("vm_allocate", syscall_vm_allocate(task, (vm_offset_t *)place_at(base, relative, at),
						PAGE, TRUE));
	code("vm_region", find_region(task, 0, &r));
	code("mach_port_allocate",
	     syscall_mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE,
					(mach_port_name_t *)place_at(base, relative, at)));
}
EACH("trap_out_pointer/null", out_pointer, 0, 0, 0)
EACH("trap_out_pointer/hole", out_pointer, 0x4000, 1, 0)
EACH("trap_out_pointer/read-only", out_pointer, 0x2000, 1, 0)
EACH("trap_out_pointer/no-access", out_pointer, 0x3000, 1, 0)
EACH("trap_out_pointer/map-end", out_pointer, 0x800000000000, 0, 0)
EACH("trap_out_pointer/not-canonical", out_pointer, 0x900000000000, 0, 0)

static void port_right(long right, long unused, long more_unused)
{
	mach_port_name_t name = 7;
	kern_return_t kr = syscall_mach_port_allocate(self, (mach_port_right_t)right, &name);

	(void)unused;
	(void)more_unused;
	code("trap", kr);
	if (kr == KERN_SUCCESS)
		tell_name("it is", keep_name(name));
}
EACH("trap_mach_port_allocate/send", port_right, 0, 0, 0)
EACH("trap_mach_port_allocate/receive", port_right, 1, 0, 0)
EACH("trap_mach_port_allocate/send-once", port_right, 2, 0, 0)
EACH("trap_mach_port_allocate/port-set", port_right, 3, 0, 0)
EACH("trap_mach_port_allocate/dead-name", port_right, 4, 0, 0)
EACH("trap_mach_port_allocate/right-5", port_right, 5, 0, 0)

static void port_deallocated(long kind, long unused, long more_unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);

	(void)unused;
	(void)more_unused;
	code("trap", syscall_mach_port_deallocate(self, name));
	tell_name("left", name);
}
#define DEALLOCATED(name, kind) \
	EACH("trap_mach_port_deallocate/" name, port_deallocated, kind, 0, 0)
KINDS(DEALLOCATED)

/* The traps that give a name: the same one, and a reference more. */
static void gives(mach_port_name_t (*trap)(void))
{
	mach_port_name_t name = trap(), again;
	mach_port_urefs_t before = 0, after = 0;

	must("mach_port_get_refs",
	     mach_port_get_refs(self, name, MACH_PORT_RIGHT_SEND, &before));
	again = trap();
	must("mach_port_get_refs",
	     mach_port_get_refs(self, name, MACH_PORT_RIGHT_SEND, &after));
	fact("the same name", name == again);
	count("references more", after - before);
	mach_port_deallocate(self, name);
	mach_port_deallocate(self, name);
}
CASE("trap_mach_task_self/again") { gives(mach_task_self_trap); }
CASE("trap_mach_thread_self/again") { gives(mach_thread_self); }
CASE("trap_mach_host_self/again") { gives(mach_host_self); }

CASE("trap_mach_reply_port/a-receive-right")
{
	mach_port_name_t one = keep_name(mach_reply_port()), two = keep_name(mach_reply_port());

	tell_name("it is", one);
	fact("another each time", one != two);
}

CASE("trap_mach_msg/null-send")
{
	code("mach_msg", mach_msg_trap(NULL, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0,
				       MACH_PORT_NULL));
}

CASE("trap_mach_msg/null-receive")
{
	mach_port_name_t port = make_port();

	must("signal", mach_event_signal(port));
	code("mach_msg", mach_msg_trap(NULL, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 64, port, 0,
				       MACH_PORT_NULL));
	count("messages left", drain(port));
}
