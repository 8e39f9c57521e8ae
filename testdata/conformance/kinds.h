/*
 * Kinds of name, in any task, and what a call makes of each: the answer, what is
 * left under the name, and what was told.
 */
#ifndef KINDS_H
#define KINDS_H

#include "notes.h"

/* ---- Kinds of name, in any task. */

enum kind {
	NOTHING, NULL_NAME, DEAD_PORT, RECEIVE, SEND_RECEIVE, SEND, TWO_SENDS, ALL_SENDS, SEND_ONCE,
	SET, MEMBER, DEAD_NAME, DIED, UNSEEN_SEND, UNSEEN_ONCE, ARMED_RECEIVE, ARMED_SEND_RECEIVE,
	ARMED_SEND, ARMED_ONCE, ARMED_UNSEEN_SEND, ARMED_UNSEEN_ONCE, QUEUE, KERNEL_SEND, ENDED_TASK,
	KINDS_OF_NAME
};

static const char *const kind_word[KINDS_OF_NAME] = {
	"nothing", "null", "dead port", "receive", "send-receive", "send", "two sends", "all sends",
	"send-once", "set", "set member", "dead name", "died", "unseen death", "unseen once",
	"receive, armed", "send-receive, armed", "send, armed", "send-once, armed",
	"unseen death, armed", "unseen once, armed", "queue", "a kernel's port", "a dead task",
};

static mach_port_name_t watch;	/* where requests are told, and send-once rights go */
static mach_port_name_t owner;	/* the task that has the receive right */

/* A right goes to the task, under a name that is new there. */
static inline mach_port_name_t put(mach_port_name_t task, mach_port_name_t name,
				   mach_msg_type_name_t type)
{
	if (task != self)
		must("insert", mach_port_insert_right(task, name, name, type));
	return name;
}

static inline void armed(mach_port_name_t task, mach_port_name_t name)
{
	mach_port_name_t previous;

	must("request", mach_port_request_notification(task, name, MACH_NOTIFY_DEAD_NAME, 0, watch,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
}

/* A right to a port of another task; it dies unseen when dies says so. */
static inline mach_port_name_t foreign(mach_port_name_t task, boolean_t once, boolean_t arm,
				       boolean_t dies)
{
	mach_port_name_t port = make_port(), name = once ? send_once_to(port) : port;

	owner = make_task(FALSE);
	must("insert", mach_port_insert_right(owner, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	put(task, name, once ? MACH_MSG_TYPE_MOVE_SEND_ONCE : MACH_MSG_TYPE_MOVE_SEND);
	if (arm)
		armed(task, name);
	if (dies)
		must("mod_refs", mach_port_mod_refs(owner, FREE_NAME, MACH_PORT_RIGHT_RECEIVE, -1));
	return name;
}

static inline mach_port_name_t allocated(mach_port_name_t task, mach_port_right_t right)
{
	mach_port_name_t name = fresh_name();

	must("allocate_name", mach_port_allocate_name(task, right, name));
	return name;
}

static inline mach_port_name_t with_send(mach_port_name_t task, mach_port_name_t name)
{
	mach_port_name_t right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 0;

	if (task == self) {
		must("insert", mach_port_insert_right(task, name, name, MACH_MSG_TYPE_MAKE_SEND));
		return name;
	}
	must("extract", mach_port_extract_right(task, name, MACH_MSG_TYPE_MAKE_SEND, &right, &type));
	must("insert", mach_port_insert_right(task, name, right, MACH_MSG_TYPE_MOVE_SEND));
	return name;
}

static inline mach_port_name_t make_in(mach_port_name_t task, enum kind kind)
{
	mach_port_name_t name;

	owner = MACH_PORT_NULL;
	switch (kind) {
	case NOTHING: return NO_NAME;
	case NULL_NAME: return MACH_PORT_NULL;
	case DEAD_PORT: return MACH_PORT_DEAD;
	case RECEIVE: return allocated(task, MACH_PORT_RIGHT_RECEIVE);
	case SEND_RECEIVE: return with_send(task, allocated(task, MACH_PORT_RIGHT_RECEIVE));
	case SEND: return foreign(task, FALSE, FALSE, FALSE);
	case TWO_SENDS:
	case ALL_SENDS:
		name = foreign(task, FALSE, FALSE, FALSE);
		must("mod_refs", mach_port_mod_refs(task, name, MACH_PORT_RIGHT_SEND,
						    kind == TWO_SENDS ? 1 : 65533));
		return name;
	case SEND_ONCE: return put(task, send_once_to(watch), MACH_MSG_TYPE_MOVE_SEND_ONCE);
	case SET: return allocated(task, MACH_PORT_RIGHT_PORT_SET);
	case MEMBER:
		name = allocated(task, MACH_PORT_RIGHT_RECEIVE);
		must("move_member", mach_port_move_member(task, name,
							  allocated(task, MACH_PORT_RIGHT_PORT_SET)));
		return name;
	case DEAD_NAME: return allocated(task, MACH_PORT_RIGHT_DEAD_NAME);
	case DIED:
		name = with_send(task, allocated(task, MACH_PORT_RIGHT_RECEIVE));
		must("mod_refs", mach_port_mod_refs(task, name, MACH_PORT_RIGHT_RECEIVE, -1));
		return name;
	case UNSEEN_SEND: return foreign(task, FALSE, FALSE, TRUE);
	case UNSEEN_ONCE: return foreign(task, TRUE, FALSE, TRUE);
	case ARMED_RECEIVE:
		armed(task, name = allocated(task, MACH_PORT_RIGHT_RECEIVE));
		return name;
	case ARMED_SEND_RECEIVE:
		armed(task, name = with_send(task, allocated(task, MACH_PORT_RIGHT_RECEIVE)));
		return name;
	case ARMED_SEND: return foreign(task, FALSE, TRUE, FALSE);
	case ARMED_ONCE: return foreign(task, TRUE, TRUE, FALSE);
	case ARMED_UNSEEN_SEND: return foreign(task, FALSE, TRUE, TRUE);
	case ARMED_UNSEEN_ONCE: return foreign(task, TRUE, TRUE, TRUE);
	case QUEUE:
		name = make_port();
		send_right(name, watch, MACH_MSG_TYPE_MAKE_SEND_ONCE, 1);
		if (task == self)
			return name;
		return put(task, name, MACH_MSG_TYPE_MOVE_RECEIVE);
	case KERNEL_SEND: return put(task, make_task(FALSE), MACH_MSG_TYPE_COPY_SEND);
	case ENDED_TASK:
		name = make_task(FALSE);
		put(task, name, MACH_MSG_TYPE_COPY_SEND);
		must("task_terminate", task_terminate(name));
		return name;
	case KINDS_OF_NAME: break;
	}
	return MACH_PORT_NULL;
}

/* ---- Calls. */

typedef kern_return_t operation(mach_port_name_t task, mach_port_name_t name, long a);

/* What it gave back; told later, for the real kernel itself speaks of bogus names. */
static unsigned values[9], value_count;
static mach_port_name_t also;
static const char *also_word;
static boolean_t also_there;	/* the name is the task's, not ours */
static mach_port_name_t also_task;	/* it is that of another task */

static inline void gave(unsigned value)
{
	values[value_count++] = value;
}

static inline void gave_name(const char *word, mach_port_name_t name)
{
	also_word = word;
	also = name;
	also_there = FALSE;
}

/* What has come to watch, in a line. */
static inline void tell_watch(void)
{
	struct message msg;

	while (receive(watch, &msg) == MACH_MSG_SUCCESS) {
		mach_printf("  told: %s\n", note_word(msg.head.msgh_id) != NULL ?
			    note_word(msg.head.msgh_id) : "a message");
		if (msg.head.msgh_id == MACH_NOTIFY_PORT_DESTROYED)
			keep_name(msg.item[0].port.name);
	}
}

/* Calls, and tells what came of it in a line. */
static inline void tell_call(const char *word, operation *op, mach_port_name_t task,
		      mach_port_name_t name, long a)
{
	kern_return_t kr;
	unsigned i;

	value_count = 0;
	also_word = NULL;
	also_task = MACH_PORT_NULL;
	kr = op(task, name, a);
	mach_printf("%s: %s", word, mach_error_string(kr));
	for (i = 0; i < value_count; i++)
		mach_printf(" %x", values[i]);
	if (also_word == NULL)
		return;
	if (!MACH_PORT_VALID(also)) {
		mach_printf(", %s %s", also_word, port_word(also));
	} else {
		mach_printf(", ");
		tell_name_in(also_task != MACH_PORT_NULL ? also_task : also_there ? task : self,
			     also_word, also);
		mach_printf("  ");
	}
	if (also_there && also == 0xfffffffe)
		mach_port_destroy(task, also);
}

static inline void kinds_in(boolean_t another, operation *op, long a)
{
	int kind;

	for (kind = 0; kind < KINDS_OF_NAME; kind++) {
		mach_port_name_t task, name;

		watch = make_receive();
		task = another ? make_task(FALSE) : self;
		name = make_in(task, (enum kind)kind);
		tell_call(kind_word[kind], op, task, name, a);
		tell_name_in(task, ", left", name);
		tell_watch();
		release_fixtures();
	}
}

static inline void kinds(long op, long a, long unused)
{
	(void)unused;
	mach_printf("-- in this task\n");
	kinds_in(FALSE, (operation *)op, a);
	mach_printf("-- in another\n");
	kinds_in(TRUE, (operation *)op, a);
}

/* Of what has no space of names, with a good name and a bad one. */
static inline void nobody(long op, long a, long unused)
{
	static const enum name_kind no_task[] = {
		KIND_host, KIND_thread, KIND_dead_task, KIND_null, KIND_dead_port, KIND_no_name,
		KIND_dead_name, KIND_port_set, KIND_receive, KIND_died,
	};
	static const char *const no_task_word[] = {
		"host", "thread", "dead task", "null", "dead port", "no name", "dead name",
		"port set", "receive right", "died",
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(no_task) / sizeof(no_task[0]); i++) {
		watch = make_receive();
		tell_call(no_task_word[i], (operation *)op, make_kind(no_task[i]), NO_NAME, a);
		mach_printf("\n");
		tell_watch();
		release_fixtures();
	}
}

#define SWEEP(name, op, a) EACH(name, kinds, op, a, 0)
#define NOBODY(name, op, a) EACH(name, nobody, op, a, 0)

#endif
