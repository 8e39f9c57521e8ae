/*
 * a8calls: each routine of mach_port, with each of its arguments, on each kind of
 * name, in this task, in another, and where there is no space of names.
 */
#include "suite.h"

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
static mach_port_name_t put(mach_port_name_t task, mach_port_name_t name, mach_msg_type_name_t type)
{
	if (task != self)
		must("insert", mach_port_insert_right(task, name, name, type));
	return name;
}

static void armed(mach_port_name_t task, mach_port_name_t name)
{
	mach_port_name_t previous;

	must("request", mach_port_request_notification(task, name, MACH_NOTIFY_DEAD_NAME, 0, watch,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous));
}

/* A right to a port of another task; it dies unseen when dies says so. */
static mach_port_name_t foreign(mach_port_name_t task, boolean_t once, boolean_t arm,
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

static mach_port_name_t allocated(mach_port_name_t task, mach_port_right_t right)
{
	mach_port_name_t name = fresh_name();

	must("allocate_name", mach_port_allocate_name(task, right, name));
	return name;
}

static mach_port_name_t with_send(mach_port_name_t task, mach_port_name_t name)
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

static mach_port_name_t make_in(mach_port_name_t task, enum kind kind)
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

/* ---- What is asked of a name. */

typedef kern_return_t operation(mach_port_name_t task, mach_port_name_t name, long a);

/* What it gave back; told later, for the real kernel itself speaks of bogus names. */
static unsigned values[9], value_count;
static mach_port_name_t also;
static const char *also_word;

static void gave(unsigned value)
{
	values[value_count++] = value;
}

static void gave_name(const char *word, mach_port_name_t name)
{
	also_word = word;
	also = name;
}

static kern_return_t op_type(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_type_t type = 0;
	kern_return_t kr = mach_port_type(task, name, &type);

	(void)a;
	gave(type);
	return kr;
}

static kern_return_t op_refs(mach_port_name_t task, mach_port_name_t name, long right)
{
	mach_port_urefs_t refs = 77;
	kern_return_t kr = mach_port_get_refs(task, name, (mach_port_right_t)right, &refs);

	gave(refs);
	return kr;
}

static kern_return_t op_mod_refs(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_mod_refs(task, name, (mach_port_right_t)((a >> 32) & 0xff),
				  (mach_port_delta_t)a);
}
#define MOD(right, delta) (((long)(right) << 32) | (unsigned)(delta))

static kern_return_t op_rename(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_t to = a == 1 ? fresh_name() : a == 2 ? name :
		a == 3 ? allocated(task, MACH_PORT_RIGHT_RECEIVE) :
		a == 4 ? 0xfffffffe : (mach_port_name_t)a;
	kern_return_t kr = mach_port_rename(task, name, to);

	if (kr == KERN_SUCCESS)
		gave_name("to", to);
	return kr;
}

static kern_return_t op_allocate_name(mach_port_name_t task, mach_port_name_t name, long right)
{
	kern_return_t kr = mach_port_allocate_name(task, (mach_port_right_t)right, name);

	if (kr == KERN_SUCCESS)
		keep_name(name);
	return kr;
}

static kern_return_t op_destroy(mach_port_name_t task, mach_port_name_t name, long a)
{
	(void)a;
	return mach_port_destroy(task, name);
}

static kern_return_t op_deallocate(mach_port_name_t task, mach_port_name_t name, long a)
{
	(void)a;
	return mach_port_deallocate(task, name);
}

static kern_return_t op_set_qlimit(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_set_qlimit(task, name, (mach_port_msgcount_t)a);
}

static kern_return_t op_set_mscount(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_set_mscount(task, name, (mach_port_mscount_t)a);
}

static kern_return_t op_set_seqno(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_set_seqno(task, name, (mach_port_seqno_t)a);
}

static kern_return_t op_set_status(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_array_t members = NULL;
	mach_msg_type_number_t n = 77;
	kern_return_t kr = mach_port_get_set_status(task, name, &members, &n);

	(void)a;
	gave(n);
	if (kr == KERN_SUCCESS)
		keep_memory((vm_offset_t)members, n * sizeof(*members));
	return kr;
}

static kern_return_t op_status(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_status_t s = { 0 };
	kern_return_t kr = mach_port_get_receive_status(task, name, &s);

	(void)a;
	gave(s.mps_pset != MACH_PORT_NULL);
	gave(s.mps_seqno);
	gave(s.mps_mscount);
	gave(s.mps_qlimit);
	gave(s.mps_msgcount);
	gave(s.mps_sorights);
	gave((unsigned)s.mps_srights);
	gave((unsigned)s.mps_pdrequest);
	gave((unsigned)s.mps_nsrequest);
	return kr;
}

/* 0: out of its set; 1: into a set; 2: into itself; 3: a port into it; 4: nothing into it. */
static kern_return_t op_move_member(mach_port_name_t task, mach_port_name_t name, long a)
{
	switch (a) {
	case 0: return mach_port_move_member(task, name, MACH_PORT_NULL);
	case 1: return mach_port_move_member(task, name, allocated(task, MACH_PORT_RIGHT_PORT_SET));
	case 2: return mach_port_move_member(task, name, name);
	case 3: return mach_port_move_member(task, allocated(task, MACH_PORT_RIGHT_RECEIVE), name);
	case 4: return mach_port_move_member(task, FREE_NAME + 5, name);
	}
	return mach_port_move_member(task, allocated(task, MACH_PORT_RIGHT_DEAD_NAME), name);
}

static kern_return_t op_request(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_t previous = MACH_PORT_NULL;
	kern_return_t kr;

	kr = mach_port_request_notification(task, name, (mach_msg_id_t)(a & 0xff),
					    (mach_port_mscount_t)(a >> 8), watch,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
	if (previous != MACH_PORT_NULL)
		gave_name("before", keep_name(previous));
	return kr;
}

static kern_return_t op_cancel(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_t previous = MACH_PORT_NULL;
	kern_return_t kr;

	kr = mach_port_request_notification(task, name, (mach_msg_id_t)(a & 0xff),
					    (mach_port_mscount_t)(a >> 8), MACH_PORT_NULL,
					    MACH_MSG_TYPE_MOVE_SEND_ONCE, &previous);
	if (previous != MACH_PORT_NULL)
		gave_name("before", keep_name(previous));
	return kr;
}

/* A right of another port, put under the name. */
static kern_return_t op_insert(mach_port_name_t task, mach_port_name_t name, long type)
{
	mach_port_name_t right = type == 19 || type == 17 ? make_port() : type == 18 ?
		send_once_to(watch) : make_receive();

	if (name == NO_NAME)
		keep_name(name);
	return mach_port_insert_right(task, name, right, (mach_msg_type_name_t)type);
}

static kern_return_t op_insert_none(mach_port_name_t task, mach_port_name_t name, long right)
{
	return mach_port_insert_right(task, name, (mach_port_name_t)right, MACH_MSG_TYPE_MOVE_SEND);
}

static kern_return_t op_extract(mach_port_name_t task, mach_port_name_t name, long how)
{
	mach_port_name_t right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 77;
	kern_return_t kr = mach_port_extract_right(task, name, (mach_msg_type_name_t)how, &right,
						   &type);

	gave(type);
	if (kr == KERN_SUCCESS)
		gave_name(task == self && right == name ? "under its name" : "got",
			  keep_name(right));
	return kr;
}

/* What has come to watch, in a line. */
static void tell_watch(void)
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
static void tell_call(const char *word, operation *op, mach_port_name_t task,
		      mach_port_name_t name, long a)
{
	kern_return_t kr;
	unsigned i;

	value_count = 0;
	also_word = NULL;
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
		tell_name_in(op == op_rename ? task : self, also_word, also);
		mach_printf("  ");
	}
	if (op == op_rename && also == 0xfffffffe)
		mach_port_destroy(task, also);
}

static void kinds_in(boolean_t another, operation *op, long a)
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

static void kinds(long op, long a, long unused)
{
	(void)unused;
	mach_printf("-- in this task\n");
	kinds_in(FALSE, (operation *)op, a);
	mach_printf("-- in another\n");
	kinds_in(TRUE, (operation *)op, a);
}

/* Of what has no space of names, with a good name and a bad one. */
static void nobody(long op, long a, long unused)
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

SWEEP("mach_port_type/each-kind", op_type, 0)
NOBODY("mach_port_type/of-no-space", op_type, 0)
SWEEP("mach_port_get_refs/each-kind-send", op_refs, 0)
SWEEP("mach_port_get_refs/each-kind-receive", op_refs, 1)
SWEEP("mach_port_get_refs/each-kind-send-once", op_refs, 2)
SWEEP("mach_port_get_refs/each-kind-port-set", op_refs, 3)
SWEEP("mach_port_get_refs/each-kind-dead-name", op_refs, 4)
SWEEP("mach_port_get_refs/each-kind-right-5", op_refs, 5)
NOBODY("mach_port_get_refs/of-no-space", op_refs, 0)
NOBODY("mach_port_get_refs/of-no-space-right-5", op_refs, 5)
SWEEP("mach_port_mod_refs/each-kind-send-same", op_mod_refs, MOD(0, 0))
SWEEP("mach_port_mod_refs/each-kind-send-up", op_mod_refs, MOD(0, 1))
SWEEP("mach_port_mod_refs/each-kind-send-down", op_mod_refs, MOD(0, -1))
SWEEP("mach_port_mod_refs/each-kind-send-down-2", op_mod_refs, MOD(0, -2))
SWEEP("mach_port_mod_refs/each-kind-send-up-65533", op_mod_refs, MOD(0, 65533))
SWEEP("mach_port_mod_refs/each-kind-receive-same", op_mod_refs, MOD(1, 0))
SWEEP("mach_port_mod_refs/each-kind-receive-up", op_mod_refs, MOD(1, 1))
SWEEP("mach_port_mod_refs/each-kind-receive-down", op_mod_refs, MOD(1, -1))
SWEEP("mach_port_mod_refs/each-kind-send-once-same", op_mod_refs, MOD(2, 0))
SWEEP("mach_port_mod_refs/each-kind-send-once-up", op_mod_refs, MOD(2, 1))
SWEEP("mach_port_mod_refs/each-kind-send-once-down", op_mod_refs, MOD(2, -1))
SWEEP("mach_port_mod_refs/each-kind-send-once-down-2", op_mod_refs, MOD(2, -2))
SWEEP("mach_port_mod_refs/each-kind-port-set-down", op_mod_refs, MOD(3, -1))
SWEEP("mach_port_mod_refs/each-kind-port-set-up", op_mod_refs, MOD(3, 1))
SWEEP("mach_port_mod_refs/each-kind-dead-name-up", op_mod_refs, MOD(4, 1))
SWEEP("mach_port_mod_refs/each-kind-dead-name-down", op_mod_refs, MOD(4, -1))
SWEEP("mach_port_mod_refs/each-kind-dead-name-down-3", op_mod_refs, MOD(4, -3))
SWEEP("mach_port_mod_refs/each-kind-right-5", op_mod_refs, MOD(5, -1))
NOBODY("mach_port_mod_refs/of-no-space", op_mod_refs, MOD(0, 0))
NOBODY("mach_port_mod_refs/of-no-space-right-5", op_mod_refs, MOD(5, 0))
SWEEP("mach_port_rename/each-kind-to-a-free-name", op_rename, 1)
SWEEP("mach_port_rename/each-kind-to-the-last-name", op_rename, 4)
SWEEP("mach_port_rename/each-kind-to-itself", op_rename, 2)
SWEEP("mach_port_rename/each-kind-to-anothers", op_rename, 3)
SWEEP("mach_port_rename/each-kind-to-null", op_rename, 0)
SWEEP("mach_port_rename/each-kind-to-dead", op_rename, -1)
NOBODY("mach_port_rename/of-no-space", op_rename, 1)
NOBODY("mach_port_rename/of-no-space-to-null", op_rename, 0)
SWEEP("mach_port_allocate_name/each-kind-send", op_allocate_name, 0)
SWEEP("mach_port_allocate_name/each-kind-receive", op_allocate_name, 1)
SWEEP("mach_port_allocate_name/each-kind-send-once", op_allocate_name, 2)
SWEEP("mach_port_allocate_name/each-kind-port-set", op_allocate_name, 3)
SWEEP("mach_port_allocate_name/each-kind-dead-name", op_allocate_name, 4)
SWEEP("mach_port_allocate_name/each-kind-right-5", op_allocate_name, 5)
SWEEP("mach_port_allocate_name/each-kind-right-minus-1", op_allocate_name, -1)
NOBODY("mach_port_allocate_name/of-no-space", op_allocate_name, 1)
NOBODY("mach_port_allocate_name/of-no-space-right-5", op_allocate_name, 5)
SWEEP("mach_port_destroy/each-kind", op_destroy, 0)
NOBODY("mach_port_destroy/of-no-space", op_destroy, 0)
SWEEP("mach_port_deallocate/each-kind", op_deallocate, 0)
NOBODY("mach_port_deallocate/of-no-space", op_deallocate, 0)
SWEEP("mach_port_set_qlimit/each-kind-0", op_set_qlimit, 0)
SWEEP("mach_port_set_qlimit/each-kind-16", op_set_qlimit, 16)
SWEEP("mach_port_set_qlimit/each-kind-17", op_set_qlimit, 17)
SWEEP("mach_port_set_qlimit/each-kind-minus-1", op_set_qlimit, -1)
NOBODY("mach_port_set_qlimit/of-no-space", op_set_qlimit, 0)
NOBODY("mach_port_set_qlimit/of-no-space-17", op_set_qlimit, 17)
SWEEP("mach_port_set_mscount/each-kind-minus-1", op_set_mscount, -1)
NOBODY("mach_port_set_mscount/of-no-space", op_set_mscount, 0)
SWEEP("mach_port_set_seqno/each-kind-minus-1", op_set_seqno, -1)
NOBODY("mach_port_set_seqno/of-no-space", op_set_seqno, 0)
SWEEP("mach_port_get_set_status/each-kind", op_set_status, 0)
NOBODY("mach_port_get_set_status/of-no-space", op_set_status, 0)
SWEEP("mach_port_get_receive_status/each-kind", op_status, 0)
NOBODY("mach_port_get_receive_status/of-no-space", op_status, 0)
SWEEP("mach_port_move_member/each-kind-out", op_move_member, 0)
SWEEP("mach_port_move_member/each-kind-into-a-set", op_move_member, 1)
SWEEP("mach_port_move_member/each-kind-into-itself", op_move_member, 2)
SWEEP("mach_port_move_member/a-port-into-each-kind", op_move_member, 3)
SWEEP("mach_port_move_member/nothing-into-each-kind", op_move_member, 4)
SWEEP("mach_port_move_member/a-dead-name-into-each-kind", op_move_member, 5)
NOBODY("mach_port_move_member/of-no-space", op_move_member, 0)
SWEEP("mach_port_request_notification/each-kind-dead-name-sync-0", op_request, 72)
SWEEP("mach_port_request_notification/each-kind-dead-name-sync-1", op_request, 72 + 256)
SWEEP("mach_port_request_notification/each-kind-no-senders-sync-0", op_request, 70)
SWEEP("mach_port_request_notification/each-kind-no-senders-sync-1", op_request, 70 + 256)
SWEEP("mach_port_request_notification/each-kind-no-senders-sync-minus-1", op_request, 70 + 256 * 0xffffffff)
SWEEP("mach_port_request_notification/each-kind-port-destroyed", op_request, 69)
SWEEP("mach_port_request_notification/each-kind-port-destroyed-sync-1", op_request, 69 + 256)
SWEEP("mach_port_request_notification/each-kind-id-0", op_request, 0)
SWEEP("mach_port_request_notification/each-kind-port-deleted", op_request, 65)
SWEEP("mach_port_request_notification/each-kind-dead-name-none", op_cancel, 72)
SWEEP("mach_port_request_notification/each-kind-dead-name-none-sync-1", op_cancel, 72 + 256)
SWEEP("mach_port_request_notification/each-kind-no-senders-none", op_cancel, 70)
SWEEP("mach_port_request_notification/each-kind-port-destroyed-none", op_cancel, 69)
NOBODY("mach_port_request_notification/of-no-space", op_request, 72)
NOBODY("mach_port_request_notification/of-no-space-id-0", op_request, 0)
SWEEP("mach_port_insert_right/under-each-kind-moved-receive", op_insert, 16)
SWEEP("mach_port_insert_right/under-each-kind-moved-send", op_insert, 17)
SWEEP("mach_port_insert_right/under-each-kind-moved-send-once", op_insert, 18)
SWEEP("mach_port_insert_right/under-each-kind-copied-send", op_insert, 19)
SWEEP("mach_port_insert_right/under-each-kind-made-send", op_insert, 20)
SWEEP("mach_port_insert_right/under-each-kind-made-send-once", op_insert, 21)
SWEEP("mach_port_insert_right/under-each-kind-null", op_insert_none, 0)
SWEEP("mach_port_insert_right/under-each-kind-dead-port", op_insert_none, -1)
NOBODY("mach_port_insert_right/of-no-space", op_insert, 20)
NOBODY("mach_port_insert_right/of-no-space-null", op_insert_none, 0)
SWEEP("mach_port_extract_right/each-kind-type-0", op_extract, 0)
SWEEP("mach_port_extract_right/each-kind-move-receive", op_extract, 16)
SWEEP("mach_port_extract_right/each-kind-move-send", op_extract, 17)
SWEEP("mach_port_extract_right/each-kind-move-send-once", op_extract, 18)
SWEEP("mach_port_extract_right/each-kind-copy-send", op_extract, 19)
SWEEP("mach_port_extract_right/each-kind-make-send", op_extract, 20)
SWEEP("mach_port_extract_right/each-kind-make-send-once", op_extract, 21)
SWEEP("mach_port_extract_right/each-kind-type-22", op_extract, 22)
NOBODY("mach_port_extract_right/of-no-space", op_extract, 20)
NOBODY("mach_port_extract_right/of-no-space-type-0", op_extract, 0)
