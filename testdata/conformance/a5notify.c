/* a5notify: notifications: of what, when, in what form, with which references. */
#include "suite.h"

#include "notes.h"

/* ---- Their form. */

static void tell_form(mach_port_name_t from)
{
	struct message msg;

	if (tell_received(from, &msg) != MACH_MSG_SUCCESS)
		return;
	if (msg.head.msgh_size > HEADER)
		tell_item(&msg.item[0]);
	if (msg.head.msgh_id == MACH_NOTIFY_PORT_DESTROYED)
		tell_name("its right", keep_name(msg.item[0].port.name));
	else if (msg.head.msgh_size > HEADER)
		mach_printf("its word: %s\n", msg.head.msgh_id == MACH_NOTIFY_NO_SENDERS ?
			    msg.item[0].word == 2 ? "2" : "another" :
			    word_of((mach_port_name_t)msg.item[0].word));
	count("more", drain(from));
}

static void form(long id, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), notify = make_receive(), once;

	(void)unused;
	(void)more_unused;
	words_begin();
	called("the port", port);
	must("insert", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	must("set_seqno", mach_port_set_seqno(self, notify, 7));
	switch (id) {
	case MACH_NOTIFY_PORT_DELETED:
		must_arm(port, MACH_NOTIFY_DEAD_NAME, notify);
		must("destroy", mach_port_destroy(self, port));
		return (void)tell_form(notify);	/* the port has died, too: two would come */
	case MACH_NOTIFY_PORT_DESTROYED:
		must_arm(port, MACH_NOTIFY_PORT_DESTROYED, notify);
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case MACH_NOTIFY_NO_SENDERS:
		must_arm(port, MACH_NOTIFY_NO_SENDERS, notify);
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -2));
		break;
	case MACH_NOTIFY_SEND_ONCE:
		once = send_once_to(notify);
		must("deallocate", mach_port_deallocate(self, once));
		break;
	case MACH_NOTIFY_DEAD_NAME:
		must_arm(port, MACH_NOTIFY_DEAD_NAME, notify);
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	}
	tell_form(notify);
	tell_name("the port's name", port);
}
EACH("notification/form-of-port-deleted", form, MACH_NOTIFY_PORT_DELETED, 0, 0)
EACH("notification/form-of-port-destroyed", form, MACH_NOTIFY_PORT_DESTROYED, 0, 0)
EACH("notification/form-of-no-senders", form, MACH_NOTIFY_NO_SENDERS, 0, 0)
EACH("notification/form-of-send-once", form, MACH_NOTIFY_SEND_ONCE, 0, 0)
EACH("notification/form-of-dead-name", form, MACH_NOTIFY_DEAD_NAME, 0, 0)

/* ---- Dead-name requests: each kind of right ends in each way. */

enum ending {
	DEALLOCATED, DESTROYED, SEND_DOWN, RECEIVE_DOWN, ONCE_DOWN, MOVED_SEND, MOVED_ONCE,
	MOVED_RECEIVE, COPIED, EXTRACTED, INSERTED, SENT_TO, REPLIED_BY, RENAMED_DIES, DIES,
	CANCELLED_DIES, ENDINGS
};

static const char *const ending_word[ENDINGS] = {
	"deallocated", "destroyed", "send -1", "receive -1", "send-once -1", "send moved",
	"send-once moved", "receive moved", "copied", "extracted", "moved to a task", "sent to",
	"reply right", "renamed, then its port dies", "its port dies",
	"cancelled, then its port dies",
};

/* The port of a name, wherever its receive right is. */
static void port_dies(mach_port_name_t port)
{
	mach_port_type_t type = 0;

	must("type", mach_port_type(self, port, &type));
	if (type & MACH_PORT_TYPE_RECEIVE)
		code("  receive -1", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
}

static kern_return_t moved(mach_port_name_t name, mach_msg_type_name_t type)
{
	mach_port_name_t carrier = make_port();
	struct message msg = message_with(carrier, TYPE_PORT(type), name);

	return send_sized(&msg, HEADER + ITEM);
}

static mach_msg_type_name_t mover(mach_port_name_t name)
{
	mach_port_type_t type = 0;

	must("type", mach_port_type(self, name, &type));
	return type & MACH_PORT_TYPE_SEND_ONCE ? MACH_MSG_TYPE_MOVE_SEND_ONCE :
	       type & MACH_PORT_TYPE_SEND ? MACH_MSG_TYPE_MOVE_SEND : MACH_MSG_TYPE_MOVE_RECEIVE;
}

static void end_armed(long ending, mach_port_name_t name, mach_port_name_t owner,
		      mach_port_name_t theirs, mach_port_name_t notify)
{
	mach_port_name_t to = fresh_name(), right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 0;
	struct message msg;

	switch ((enum ending)ending) {
	case DEALLOCATED: code("  code", mach_port_deallocate(self, name)); break;
	case DESTROYED: code("  code", mach_port_destroy(self, name)); break;
	case SEND_DOWN:
		code("  code", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_SEND, -1));
		break;
	case RECEIVE_DOWN:
		code("  code", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case ONCE_DOWN:
		code("  code", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_SEND_ONCE, -1));
		break;
	case MOVED_SEND: code("  code", moved(name, MACH_MSG_TYPE_MOVE_SEND)); break;
	case MOVED_ONCE: code("  code", moved(name, MACH_MSG_TYPE_MOVE_SEND_ONCE)); break;
	case MOVED_RECEIVE: code("  code", moved(name, MACH_MSG_TYPE_MOVE_RECEIVE)); break;
	case COPIED: code("  code", moved(name, MACH_MSG_TYPE_COPY_SEND)); break;
	case EXTRACTED:
		code("  code", mach_port_extract_right(self, name, mover(name), &right, &type));
		called("extracted", keep_name(right));
		break;
	case INSERTED:
		code("  code", mach_port_insert_right(make_task(FALSE), FREE_NAME, name,
						      mover(name)));
		break;
	case SENT_TO:
		msg = message_to(name);
		msg.head.msgh_bits = MACH_MSGH_BITS(mover(name), 0);
		code("  code", send_sized(&msg, HEADER));
		break;
	case REPLIED_BY:
		msg = message_to(make_port());
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, mover(name));
		msg.head.msgh_local_port = name;
		code("  code", send_sized(&msg, HEADER));
		break;
	case RENAMED_DIES:
		code("  rename", mach_port_rename(self, name, to));
		called("the new name", to);
		tell_name("  renamed", to);
		/* fall through */
	case DIES:
		/* Its port dies in a task of its own, or with the receive right here. */
		if (owner != MACH_PORT_NULL)
			code("  its receive right", mach_port_mod_refs(owner, theirs,
				MACH_PORT_RIGHT_RECEIVE, -1));
		else
			port_dies(ending == DIES ? name : to);
		tell_name("  new", to);
		break;
	case CANCELLED_DIES:
		code("  cancel", arm_by(self, name, MACH_NOTIFY_DEAD_NAME, 0, MACH_PORT_NULL,
					MACH_MSG_TYPE_MOVE_SEND_ONCE));
		end_armed(DIES, name, owner, theirs, notify);
		break;
	case ENDINGS: break;
	}
}

static void armed_ends(long kind, long references, long unused)
{
	mach_port_name_t name, notify, owner, theirs, port;
	long ending;

	(void)unused;
	for (ending = 0; ending < ENDINGS; ending++) {
		words_begin();
		owner = MACH_PORT_NULL;
		theirs = FREE_NAME;
		notify = make_receive();
		switch ((enum name_kind)kind) {
		case KIND_receive: name = make_receive(); break;
		case KIND_send_receive: name = make_port(); break;
		default:
			owner = make_task(FALSE);
			port = make_port();
			name = kind == KIND_send ? port : send_once_to(port);
			must("insert", mach_port_insert_right(owner, theirs, port,
							      MACH_MSG_TYPE_MOVE_RECEIVE));
		}
		if (references > 1)
			must("mod_refs", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_SEND,
							    (mach_port_delta_t)references - 1));
		called("it", name);
		must_arm(name, MACH_NOTIFY_DEAD_NAME, notify);
		mach_printf("%s\n", ending_word[ending]);
		end_armed(ending, name, owner, theirs, notify);
		tell_name("  left", name);
		tell_notes(" told", notify);
		tell_status(" its port", notify);
		release_fixtures();
	}
}
EACH("notification/armed-receive-right-ends", armed_ends, KIND_receive, 1, 0)
EACH("notification/armed-send-right-ends", armed_ends, KIND_send, 1, 0)
EACH("notification/armed-send-right-of-two-references-ends", armed_ends, KIND_send, 2, 0)
EACH("notification/armed-send-right-of-all-references-ends", armed_ends, KIND_send, 65534, 0)
EACH("notification/armed-send-receive-right-ends", armed_ends, KIND_send_receive, 1, 0)
EACH("notification/armed-send-receive-right-of-two-references-ends", armed_ends,
     KIND_send_receive, 2, 0)
EACH("notification/armed-send-once-right-ends", armed_ends, KIND_send_once, 1, 0)

/* Names that are dead already, told at once or not. */
static void dead_already(long died, long sync, long references)
{
	mach_port_name_t name = died ? make_died() : make_dead(), notify = make_receive();

	words_begin();
	called("it", name);
	must("mod_refs", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_DEAD_NAME,
					    (mach_port_delta_t)references - 1));
	code("request", arm(name, MACH_NOTIFY_DEAD_NAME, (mach_port_mscount_t)sync, notify));
	tell_name("left", name);
	tell_notes("told", notify);
	code("to nobody", arm_by(self, name, MACH_NOTIFY_DEAD_NAME, (mach_port_mscount_t)sync,
				 MACH_PORT_NULL, MACH_MSG_TYPE_MOVE_SEND_ONCE));
	tell_name("left", name);
}
EACH("mach_port_request_notification/of-a-dead-name-sync-0", dead_already, 0, 0, 1)
EACH("mach_port_request_notification/of-a-dead-name-sync-1", dead_already, 0, 1, 1)
EACH("mach_port_request_notification/of-a-dead-name-sync-minus-1", dead_already, 0, -1, 1)
EACH("mach_port_request_notification/of-a-died-name-sync-0", dead_already, 1, 0, 1)
EACH("mach_port_request_notification/of-a-died-name-sync-2", dead_already, 1, 2, 2)
EACH("mach_port_request_notification/of-a-dead-name-one-below-the-most", dead_already, 0, 1, 65534)
EACH("mach_port_request_notification/of-a-dead-name-at-the-most", dead_already, 0, 1, 65535)
EACH("mach_port_request_notification/of-a-dead-name-at-the-most-sync-0", dead_already, 0, 0, 65535)

/* A right whose port died unseen: the request itself finds it dead. */
static void died_unseen(long once, long sync, long armed)
{
	mach_port_name_t owner = make_task(FALSE), port = make_port();
	mach_port_name_t name = once ? send_once_to(port) : port;
	mach_port_name_t notify = make_receive();

	words_begin();
	called("it", name);
	must("insert", mach_port_insert_right(owner, FREE_NAME, port, MACH_MSG_TYPE_MOVE_RECEIVE));
	if (armed)
		must_arm(name, MACH_NOTIFY_DEAD_NAME, notify);
	must("mod_refs", mach_port_mod_refs(owner, FREE_NAME, MACH_PORT_RIGHT_RECEIVE, -1));
	code("request", arm(name, MACH_NOTIFY_DEAD_NAME, (mach_port_mscount_t)sync, notify));
	tell_name("left", name);
	tell_notes("told", notify);
}
EACH("mach_port_request_notification/of-unseen-death-sync-0", died_unseen, 0, 0, 0)
EACH("mach_port_request_notification/of-unseen-death-sync-1", died_unseen, 0, 1, 0)
EACH("mach_port_request_notification/of-unseen-once-sync-0", died_unseen, 1, 0, 0)
EACH("mach_port_request_notification/of-unseen-once-sync-1", died_unseen, 1, 1, 0)
EACH("mach_port_request_notification/of-unseen-death-armed-sync-0", died_unseen, 0, 0, 1)
EACH("mach_port_request_notification/of-unseen-death-armed-sync-1", died_unseen, 0, 1, 1)
EACH("mach_port_request_notification/of-unseen-once-armed-sync-1", died_unseen, 1, 1, 1)

/* ---- Replaced, cancelled: which right comes back. */

static void replaced(long id, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), one = make_receive(), two = make_receive();

	(void)unused;
	(void)more_unused;
	words_begin();
	called("the port", port);
	code("the first", arm(port, (mach_msg_id_t)id, 0, one));
	tell_status("first", one);
	code("the second", arm(port, (mach_msg_id_t)id, 0, two));
	tell_status("first", one);
	tell_status("second", two);
	code("the second again", arm(port, (mach_msg_id_t)id, 0, two));
	code("none", arm_by(self, port, (mach_msg_id_t)id, 0, MACH_PORT_NULL,
			    MACH_MSG_TYPE_MOVE_SEND_ONCE));
	code("none again", arm_by(self, port, (mach_msg_id_t)id, 0, MACH_PORT_NULL,
				  MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("the first again", arm(port, (mach_msg_id_t)id, 0, one));
	must("mod_refs", mach_port_mod_refs(self, one, MACH_PORT_RIGHT_RECEIVE, -1));
	code("the second, after the first died", arm(port, (mach_msg_id_t)id, 0, two));
	tell_name("the port", port);
	tell_status("the port", port);
	tell_notes("second", two);
}
EACH("mach_port_request_notification/dead-name-replaced", replaced, MACH_NOTIFY_DEAD_NAME, 0, 0)
EACH("mach_port_request_notification/no-senders-replaced", replaced, MACH_NOTIFY_NO_SENDERS, 0, 0)
EACH("mach_port_request_notification/port-destroyed-replaced", replaced,
     MACH_NOTIFY_PORT_DESTROYED, 0, 0)

/* A refused request destroys the right that it brought. */
static void refused(long kind, long id, long sync)
{
	mach_port_name_t notify = make_receive(), name = make_kind((enum name_kind)kind);

	code("request", arm(name, (mach_msg_id_t)id, (mach_port_mscount_t)sync, notify));
	tell_status("its port", notify);
	tell_notes("told", notify);
}
EACH("mach_port_request_notification/refused-no-name", refused, KIND_no_name, MACH_NOTIFY_DEAD_NAME, 0)
EACH("mach_port_request_notification/refused-set", refused, KIND_port_set, MACH_NOTIFY_DEAD_NAME, 0)
EACH("mach_port_request_notification/refused-dead", refused, KIND_dead_name, MACH_NOTIFY_DEAD_NAME, 0)
EACH("mach_port_request_notification/refused-send", refused, KIND_send, MACH_NOTIFY_NO_SENDERS, 0)
EACH("mach_port_request_notification/refused-once", refused, KIND_send_once, MACH_NOTIFY_PORT_DESTROYED, 0)
EACH("mach_port_request_notification/refused-sync", refused, KIND_receive, MACH_NOTIFY_PORT_DESTROYED, 1)
EACH("mach_port_request_notification/refused-id-0", refused, KIND_receive, 0, 0)
EACH("mach_port_request_notification/refused-id-66", refused, KIND_receive, 66, 0)
EACH("mach_port_request_notification/refused-id-73", refused, KIND_receive, 73, 0)
EACH("mach_port_request_notification/refused-id-minus-1", refused, KIND_receive, -1, 0)

/* Each type of right in place of a send-once right. */
static void notify_type(long kind, long type, long unused)
{
	mach_port_name_t port = make_port(), notify = make_kind((enum name_kind)kind);

	(void)unused;
	words_begin();
	code("request", arm_by(self, port, MACH_NOTIFY_DEAD_NAME, 0, notify,
			       (mach_msg_type_name_t)type));
	tell_name("the port", port);
	tell_name("the right", notify);
	if (kind == KIND_receive || kind == KIND_send_receive)
		tell_notes("told", notify);
}
#define NOTIFY_TYPES(name, kind)							\
	EACH("mach_port_request_notification/to-" name "-by-move-receive", notify_type, kind, 16, 0) \
	EACH("mach_port_request_notification/to-" name "-by-move-send", notify_type, kind, 17, 0)    \
	EACH("mach_port_request_notification/to-" name "-by-move-send-once", notify_type, kind, 18, 0) \
	EACH("mach_port_request_notification/to-" name "-by-copy-send", notify_type, kind, 19, 0)    \
	EACH("mach_port_request_notification/to-" name "-by-make-send", notify_type, kind, 20, 0)    \
	EACH("mach_port_request_notification/to-" name "-by-make-send-once", notify_type, kind, 21, 0)
NOTIFY_TYPES("null", KIND_null)
NOTIFY_TYPES("dead-port", KIND_dead_port)
NOTIFY_TYPES("receive", KIND_receive)
NOTIFY_TYPES("send-receive", KIND_send_receive)
NOTIFY_TYPES("send", KIND_send)
NOTIFY_TYPES("send-once", KIND_send_once)
NOTIFY_TYPES("died", KIND_died)
NOTIFY_TYPES("no-name", KIND_no_name)

/* The faults of a request, two at once. */
CASE("mach_port_request_notification/order-of-checks")
{
	mach_port_name_t to = make_receive(), dead = make_died(), receive = make_receive();

	code("dead right, no task", arm_by(host, receive, MACH_NOTIFY_DEAD_NAME, 0, MACH_PORT_DEAD,
					   MACH_MSG_TYPE_MOVE_SEND_ONCE));
	code("dead right, bad id", arm_by(self, receive, 3, 0, MACH_PORT_DEAD,
					  MACH_MSG_TYPE_MOVE_SEND_ONCE));
	code("dead right, no name", arm_by(self, NO_NAME, MACH_NOTIFY_DEAD_NAME, 0, MACH_PORT_DEAD,
					   MACH_MSG_TYPE_MOVE_SEND_ONCE));
	code("bad sync, no name", arm(NO_NAME, MACH_NOTIFY_PORT_DESTROYED, 1, to));
	code("bad sync, wrong right", arm(dead, MACH_NOTIFY_PORT_DESTROYED, 1, to));
	code("bad id, no name", arm(NO_NAME, 3, 0, to));
	code("bad id, no task", arm_by(host, receive, 3, 0, to, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("null name", arm(MACH_PORT_NULL, MACH_NOTIFY_DEAD_NAME, 1, to));
	code("dead name", arm(MACH_PORT_DEAD, MACH_NOTIFY_DEAD_NAME, 1, to));
	code("dead task", arm_by(make_dead_task(), receive, 3, 0, to, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	count("told of refused rights", drain(to));
}

/* Of another task's names: told here, named as there. */
CASE("mach_port_request_notification/of-another-task")
{
	mach_port_name_t task = make_task(FALSE), port = make_port(), notify = make_receive();

	words_begin();
	called("there", FREE_NAME);
	must("insert", mach_port_insert_right(task, FREE_NAME, port, MACH_MSG_TYPE_COPY_SEND));
	code("request", arm_by(task, FREE_NAME, MACH_NOTIFY_DEAD_NAME, 0, notify,
			       MACH_MSG_TYPE_MAKE_SEND_ONCE));
	tell_name_in(task, "there", FREE_NAME);
	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name_in(task, "there", FREE_NAME);
	tell_notes("told", notify);
}
