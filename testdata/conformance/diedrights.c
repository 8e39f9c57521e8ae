/* diedrights: rights whose port died elsewhere, and rights that die on their way. */
#include "suite.h"

#include "message.h"

/*
 * A right whose port died with another task: its holder has not been told, and
 * the kernel finds out when the name is used. The task is no fixture: ending it
 * twice would cost the reply port, whose next name may be one given up here.
 */
static mach_port_name_t unseen(boolean_t once)
{
	mach_port_name_t task = MACH_PORT_NULL;
	mach_port_name_t port = make_port();
	mach_port_name_t name = once ? send_once_to(port) : port;

	must("task_create", task_create(self, FALSE, &task));
	must("mach_port_insert_right",
	     mach_port_insert_right(task, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	must("task_terminate", task_terminate(task));
	must("mach_port_destroy", mach_port_destroy(self, task));
	return name;
}

static void mod_refs(long once, long right, long delta)
{
	mach_port_name_t name = unseen((boolean_t)once);

	code("mach_port_mod_refs",
	     mach_port_mod_refs(self, name, (mach_port_right_t)right, (int)delta));
	tell_name("left", name);
}
#define MOD_REFS(right_name, right)						\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-death-up", mod_refs, 0, right, 1)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-death-same", mod_refs, 0, right, 0)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-death-down", mod_refs, 0, right, -1)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-death-far-down", mod_refs, 0, right, -2)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-once-up", mod_refs, 1, right, 1)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-once-same", mod_refs, 1, right, 0)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-once-down", mod_refs, 1, right, -1)	\
	EACH("mach_port_mod_refs/" right_name "-of-unseen-once-far-down", mod_refs, 1, right, -2)
MOD_REFS("send", 0)
MOD_REFS("receive", 1)
MOD_REFS("send-once", 2)
MOD_REFS("port-set", 3)
MOD_REFS("dead-name", 4)

static void used_as(long once, long how, long unused)
{
	mach_port_name_t name = unseen((boolean_t)once);
	mach_port_urefs_t refs = 99;
	mach_port_type_t type = 0;
	kern_return_t kr;

	(void)unused;
	switch (how) {
	case 0:
		kr = mach_port_type(self, name, &type);
		code("mach_port_type", kr);
		mach_printf("type 0x%x\n", type);
		break;
	case 1:
		code("mach_port_deallocate", mach_port_deallocate(self, name));
		break;
	case 2:
		code("mach_port_destroy", mach_port_destroy(self, name));
		break;
	case 3:
		code("of dead name", mach_port_get_refs(self, name, MACH_PORT_RIGHT_DEAD_NAME, &refs));
		count("refs", refs);
		break;
	case 4:
		code("of send", mach_port_get_refs(self, name, MACH_PORT_RIGHT_SEND, &refs));
		count("refs", refs);
		break;
	case 5:
		code("another right under it",
		     mach_port_insert_right(self, name, make_receive(), MACH_MSG_TYPE_MAKE_SEND));
		break;
	case 6:
		code("copied into a task",
		     mach_port_insert_right(make_task(FALSE), FREE_NAME, name,
					    MACH_MSG_TYPE_COPY_SEND));
		break;
	case 7:
		code("moved into a task",
		     mach_port_insert_right(make_task(FALSE), FREE_NAME, name,
					    once ? MACH_MSG_TYPE_MOVE_SEND_ONCE :
						   MACH_MSG_TYPE_MOVE_SEND));
		break;
	case 8:
		code("request", vm_deallocate(name, 0x10000, PAGE));
		break;
	}
	tell_name("left", name);
}
#define USED(what, how)								\
	EACH(what "-of-unseen-death", used_as, 0, how, 0)				\
	EACH(what "-of-unseen-once", used_as, 1, how, 0)
USED("mach_port_type/type", 0)
USED("mach_port_deallocate/reference", 1)
USED("mach_port_destroy/name", 2)
USED("mach_port_get_refs/dead-name", 3)
USED("mach_port_get_refs/send", 4)
USED("mach_port_insert_right/under-name", 5)
USED("mach_port_insert_right/copy", 6)
USED("mach_port_insert_right/move", 7)
USED("vm_deallocate/task-name", 8)

/* Sent to, and as a reply right, and in a body. */
static void sent(long once, long place, long disposition)
{
	mach_port_name_t name = unseen((boolean_t)once), port = make_port();
	struct message msg = message_to(place == 0 ? name : port);

	if (place == 0)
		msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)disposition, 0);
	if (place == 1) {
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, (mach_msg_bits_t)disposition);
		msg.head.msgh_local_port = name;
	}
	if (place == 2) {
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE_PORT((unsigned)disposition);
		msg.item[0].word = name;
	}
	code("send", send_sized(&msg, place == 2 ? HEADER + ITEM : HEADER));
	tell_name("left", name);
	if (place != 0 && tell_received(port, &msg) == MACH_MSG_SUCCESS && place == 2) {
		tell_item(&msg.item[0]);
		mach_printf("right: %s\n", port_word(msg.item[0].port.name));
	}
}
#define SENT(disposition_name, disposition)					\
	EACH("mach_msg/to-unseen-death-by-" disposition_name, sent, 0, 0, disposition)	\
	EACH("mach_msg/to-unseen-once-by-" disposition_name, sent, 1, 0, disposition)	\
	EACH("mach_msg/reply-unseen-death-by-" disposition_name, sent, 0, 1, disposition)	\
	EACH("mach_msg/reply-unseen-once-by-" disposition_name, sent, 1, 1, disposition)	\
	EACH("mach_msg/body-unseen-death-by-" disposition_name, sent, 0, 2, disposition)	\
	EACH("mach_msg/body-unseen-once-by-" disposition_name, sent, 1, 2, disposition)
SENT("move-receive", 16)
SENT("move-send", 17)
SENT("move-send-once", 18)
SENT("copy-send", 19)
SENT("make-send", 20)
SENT("make-send-once", 21)

/* A right in a queued message, whose port dies before it is received. */
static void dies_queued(long disposition, long out_of_line, long unused)
{
	mach_port_name_t port = make_port(), dying = make_port();
	mach_port_name_t *names = (mach_port_name_t *)island(1);
	struct message msg = message_with(port, TYPE_PORT((unsigned)disposition), dying);

	(void)unused;
	if (out_of_line) {
		names[0] = dying;
		names[1] = dying;
		msg.item[0].type = TYPE(.msgt_name = (unsigned)disposition, .msgt_size = 32,
					.msgt_number = 2);
		msg.item[0].address = (vm_offset_t)names;
	}
	must("send", send_sized(&msg, HEADER + ITEM));
	must("mach_port_destroy", mach_port_destroy(self, dying));
	tell_name("its name", dying);
	if (tell_received(port, &msg) != MACH_MSG_SUCCESS)
		return;
	tell_item(&msg.item[0]);
	if (out_of_line) {
		names = (mach_port_name_t *)keep_memory(msg.item[0].address, PAGE);
		mach_printf("rights: %s, %s\n", port_word(names[0]), port_word(names[1]));
	} else {
		mach_printf("right: %s\n", port_word(msg.item[0].port.name));
	}
}
EACH("mach_msg/copied-send-dies-queued", dies_queued, 19, 0, 0)
EACH("mach_msg/made-send-dies-queued", dies_queued, 20, 0, 0)
EACH("mach_msg/made-send-once-dies-queued", dies_queued, 21, 0, 0)
EACH("mach_msg/copied-sends-out-of-line-die-queued", dies_queued, 19, 1, 0)
EACH("mach_msg/made-send-onces-out-of-line-die-queued", dies_queued, 21, 1, 0)

/* The reply right dies in the queue. */
CASE("mach_msg/reply-right-dies-queued")
{
	mach_port_name_t port = make_port(), dying = make_port();
	struct message msg = message_to(port);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND);
	msg.head.msgh_local_port = dying;
	must("send", send_sized(&msg, HEADER));
	must("mach_port_destroy", mach_port_destroy(self, dying));
	tell_received(port, &msg);
}
