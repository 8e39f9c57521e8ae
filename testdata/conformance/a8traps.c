/* a8traps: the traps of mach_port on each kind of name, and rights of each kind moved by calls. */
#include "suite.h"

#include "kinds.h"
#include "worker.h"

static kern_return_t op_deallocate(mach_port_name_t task, mach_port_name_t name, long a)
{
	return (kern_return_t)trap3(-73, task, (long)name | a, 0);
}

static kern_return_t op_allocate_name(mach_port_name_t task, mach_port_name_t name, long right)
{
	kern_return_t kr = (kern_return_t)trap3(-75, task, right, name);

	if (kr == KERN_SUCCESS)
		keep_name(name);
	return kr;
}

/* A right of another port, put under the name. */
static kern_return_t op_insert(mach_port_name_t task, mach_port_name_t name, long type)
{
	mach_port_name_t right = type == 19 || type == 17 ? make_port() : type == 18 ?
		send_once_to(watch) : make_receive();

	if (name == NO_NAME)
		keep_name(name);
	return (kern_return_t)trap6(-74, task, name, right, type, 0, 0);
}

static kern_return_t op_insert_none(mach_port_name_t task, mach_port_name_t name, long right)
{
	return (kern_return_t)trap6(-74, task, name, right, MACH_MSG_TYPE_MOVE_SEND, 0, 0);
}

SWEEP("trap_mach_port_deallocate/each-kind", op_deallocate, 0)
SWEEP("trap_mach_port_deallocate/each-kind-upper-half", op_deallocate, 0x100000000)
NOBODY("trap_mach_port_deallocate/of-no-space", op_deallocate, 0)
SWEEP("trap_mach_port_allocate_name/each-kind-receive", op_allocate_name, 1)
SWEEP("trap_mach_port_allocate_name/each-kind-port-set", op_allocate_name, 3)
SWEEP("trap_mach_port_allocate_name/each-kind-dead-name", op_allocate_name, 4)
SWEEP("trap_mach_port_allocate_name/each-kind-right-5", op_allocate_name, 5)
NOBODY("trap_mach_port_allocate_name/of-no-space", op_allocate_name, 1)
NOBODY("trap_mach_port_allocate_name/of-no-space-right-5", op_allocate_name, 5)
SWEEP("trap_mach_port_insert_right/under-each-kind-moved-receive", op_insert, 16)
SWEEP("trap_mach_port_insert_right/under-each-kind-moved-send", op_insert, 17)
SWEEP("trap_mach_port_insert_right/under-each-kind-moved-send-once", op_insert, 18)
SWEEP("trap_mach_port_insert_right/under-each-kind-copied-send", op_insert, 19)
SWEEP("trap_mach_port_insert_right/under-each-kind-made-send", op_insert, 20)
SWEEP("trap_mach_port_insert_right/under-each-kind-made-send-once", op_insert, 21)
SWEEP("trap_mach_port_insert_right/under-each-kind-type-22", op_insert, 22)
SWEEP("trap_mach_port_insert_right/under-each-kind-null", op_insert_none, 0)
SWEEP("trap_mach_port_insert_right/under-each-kind-dead-port", op_insert_none, -1)
NOBODY("trap_mach_port_insert_right/of-no-space", op_insert, 20)
NOBODY("trap_mach_port_insert_right/of-no-space-null", op_insert_none, 0)

/* ---- A right of each kind goes: into this task by another name, into another, and back. */

static mach_msg_type_name_t disposition;
static boolean_t by_trap;

static kern_return_t insert(mach_port_name_t task, mach_port_name_t name, mach_port_name_t right)
{
	if (by_trap)
		return (kern_return_t)trap6(-74, task, name, right, (long)disposition, 0, 0);
	return mach_port_insert_right(task, name, right, disposition);
}

static kern_return_t op_into(mach_port_name_t task, mach_port_name_t right, long another)
{
	mach_port_name_t name = fresh_name(), to = another ? make_task(FALSE) : task;
	kern_return_t kr = insert(to, name, right);

	if (kr == KERN_SUCCESS) {
		gave_name("there", name);
		also_there = TRUE;
	}
	if (another)
		also_task = to;
	return kr;
}

static kern_return_t op_onto_itself(mach_port_name_t task, mach_port_name_t right, long a)
{
	(void)a;
	return insert(task, right, right);
}

/* By a message to oneself: carried, and as its reply right. */
static kern_return_t op_carried(mach_port_name_t task, mach_port_name_t right, long as_reply)
{
	mach_port_name_t port = make_port(), got;
	struct message msg = message_to(port);
	kern_return_t kr;

	(void)task;
	if (as_reply) {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, disposition);
		msg.head.msgh_local_port = right;
		kr = send_sized(&msg, HEADER);
	} else {
		msg = message_with(port, TYPE_PORT(disposition), right);
		kr = send_sized(&msg, HEADER + ITEM);
	}
	if (kr != KERN_SUCCESS)
		return kr;
	kr = receive(port, &msg);
	got = as_reply ? msg.head.msgh_remote_port : msg.item[0].port.name;
	gave(as_reply ? msg.head.msgh_bits : msg.item[0].type.msgt_name);
	gave_name(got == right ? "under its name" : "got", keep_name(got));
	return kr;
}

static void goes(long op, long a, long with)
{
	disposition = (mach_msg_type_name_t)(with & 0xff);
	by_trap = with > 0xff;
	kinds_in(FALSE, (operation *)op, a);
}
#define GOES(type_name, type)								\
	EACH("mach_port_insert_right/" type_name "-each-kind-into-this-task", goes, op_into, 0, type) \
	EACH("mach_port_insert_right/" type_name "-each-kind-into-another", goes, op_into, 1, type) \
	EACH("mach_port_insert_right/" type_name "-each-kind-onto-itself", goes, op_onto_itself, 0, type) \
	EACH("trap_mach_port_insert_right/" type_name "-each-kind-into-this-task", goes, op_into, 0, type + 0x100) \
	EACH("trap_mach_port_insert_right/" type_name "-each-kind-into-another", goes, op_into, 1, type + 0x100) \
	EACH("trap_mach_port_insert_right/" type_name "-each-kind-onto-itself", goes, op_onto_itself, 0, type + 0x100) \
	EACH("mach_msg/" type_name "-each-kind-carried", goes, op_carried, 0, type)	\
	EACH("mach_msg/" type_name "-each-kind-as-reply", goes, op_carried, 1, type)
GOES("move-receive", 16)
GOES("move-send", 17)
GOES("move-send-once", 18)
GOES("copy-send", 19)
GOES("make-send", 20)
GOES("make-send-once", 21)
GOES("type-22", 22)

/* The faults of the traps, two at once. */
CASE("trap_mach_port_insert_right/order-of-checks")
{
	mach_port_name_t port = make_receive();

	code("no task, no right", (kern_return_t)trap6(-74, NO_NAME, FREE_NAME, NO_NAME, 20, 0, 0));
	code("no task, bad type", (kern_return_t)trap6(-74, NO_NAME, FREE_NAME, port, 3, 0, 0));
	code("null name, no right", (kern_return_t)trap6(-74, self, 0, NO_NAME, 20, 0, 0));
	code("null name, bad type", (kern_return_t)trap6(-74, self, 0, port, 3, 0, 0));
	code("null name, null right", (kern_return_t)trap6(-74, self, 0, 0, 20, 0, 0));
	code("bad type, no right", (kern_return_t)trap6(-74, self, FREE_NAME, NO_NAME, 3, 0, 0));
	code("bad type, null right", (kern_return_t)trap6(-74, self, FREE_NAME, 0, 3, 0, 0));
	code("name in use, no right", (kern_return_t)trap6(-74, self, port, NO_NAME, 20, 0, 0));
	code("name in use, wrong right", (kern_return_t)trap6(-74, self, port, make_dead(), 20, 0, 0));
	code("another task, no right",
	     (kern_return_t)trap6(-74, make_task(FALSE), FREE_NAME, NO_NAME, 20, 0, 0));
	tell_name("the port", port);
}

CASE("mach_port_insert_right/order-of-checks")
{
	mach_port_name_t port = make_receive(), other = make_port();

	code("null name, null right", mach_port_insert_right(self, 0, 0, MACH_MSG_TYPE_MAKE_SEND));
	code("null name, null moved", mach_port_insert_right(self, 0, 0, MACH_MSG_TYPE_MOVE_SEND));
	code("null name, dead right",
	     mach_port_insert_right(self, 0, make_died(), MACH_MSG_TYPE_MOVE_SEND));
	code("name in use, dead right",
	     mach_port_insert_right(self, port, make_died(), MACH_MSG_TYPE_MOVE_SEND));
	code("name in use, another name",
	     mach_port_insert_right(self, port, other, MACH_MSG_TYPE_COPY_SEND));
	must("mod_refs", mach_port_mod_refs(self, other, MACH_PORT_RIGHT_SEND, 65533));
	code("name in use, another name, all references",
	     mach_port_insert_right(self, port, other, MACH_MSG_TYPE_COPY_SEND));
	code("its name, all references",
	     mach_port_insert_right(self, other, other, MACH_MSG_TYPE_COPY_SEND));
	code("no space, null name",
	     mach_port_insert_right(host, 0, other, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	tell_notes("told", other);
	tell_status("port", other);
}
