/* a5order: no-senders and port-destroyed, and the order in which notifications come. */
#include "suite.h"

#include "notes.h"

/* ---- No senders: which sync is told at once. */

static void no_senders_sync(long made, long with_right, long unused)
{
	static const mach_port_mscount_t syncs[] = { 0, 1, 2, 3, 4, 0x7fffffff, 0xffffffff };
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(syncs) / sizeof(syncs[0]); i++) {
		mach_port_name_t port = make_receive(), notify = make_receive();

		if (with_right)
			must("insert", mach_port_insert_right(self, port, port,
							      MACH_MSG_TYPE_MAKE_SEND));
		must("set_mscount", mach_port_set_mscount(self, port, (mach_port_mscount_t)made));
		mach_printf("sync %u\n", syncs[i]);
		code(" request", arm(port, MACH_NOTIFY_NO_SENDERS, syncs[i], notify));
		tell_status(" port", port);
		tell_notes(" told", notify);
		if (with_right) {
			must("deallocate", mach_port_deallocate(self, port));
			tell_notes(" the last goes", notify);
		}
		code(" cancel", arm_by(self, port, MACH_NOTIFY_NO_SENDERS, syncs[i], MACH_PORT_NULL,
				       MACH_MSG_TYPE_MOVE_SEND_ONCE));
		tell_status(" port", port);
		release_fixtures();
	}
}
EACH("notification/no-senders-none-made", no_senders_sync, 0, 0, 0)
EACH("notification/no-senders-three-made", no_senders_sync, 3, 0, 0)
EACH("notification/no-senders-all-made", no_senders_sync, -1, 0, 0)
EACH("notification/no-senders-one-there", no_senders_sync, 2, 1, 0)

CASE("notification/no-senders-replaced-by-one-told-at-once")
{
	mach_port_name_t port = make_receive(), one = make_receive(), two = make_receive();

	code("later", arm(port, MACH_NOTIFY_NO_SENDERS, 1, one));
	code("at once", arm(port, MACH_NOTIFY_NO_SENDERS, 0, two));
	tell_status("port", port);
	tell_notes("first", one);
	tell_notes("second", two);
	code("again", arm(port, MACH_NOTIFY_NO_SENDERS, 1, one));
	tell_status("port", port);
}

/* An armed request for sync is not looked at again but when the last right goes. */
CASE("notification/no-senders-made-and-gone")
{
	mach_port_name_t port = make_receive(), notify = make_receive();

	code("request", arm(port, MACH_NOTIFY_NO_SENDERS, 5, notify));
	code("set_mscount", mach_port_set_mscount(self, port, 9));
	tell_notes("after it is set", notify);
	must("insert", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	must("deallocate", mach_port_deallocate(self, port));
	tell_notes("after one was made", notify);
	tell_status("port", port);
}

/* ---- How the last send right goes. */

enum last {
	DEALLOCATED, DOWN, DESTROYED, IN_A_MESSAGE, RECEIVED, MESSAGE_DESTROYED, SENT_THROUGH,
	AS_REPLY, COPY_QUEUED, TASK_DIES, EXTRACTED, TIMED_OUT, MADE_ONCE, LASTS
};

static const char *const last_word[LASTS] = {
	"deallocated", "send -1", "all destroyed", "moved into a message",
	"moved, received and given up", "moved, the message destroyed", "used up by a message",
	"a reply right, given up", "deallocated, a copy queued", "its task dies", "extracted",
	"moved, timed out", "send-once rights do not count",
};

static void last_goes(enum last last, mach_port_name_t port, mach_port_name_t notify)
{
	mach_port_name_t carrier = make_port(), task, right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 0;
	struct message msg;

	switch (last) {
	case DEALLOCATED:
		code(" code", mach_port_deallocate(self, port));
		break;
	case DOWN:
		code(" code", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -1));
		break;
	case DESTROYED:
		code(" code", mach_port_destroy(self, port));
		break;
	case IN_A_MESSAGE:
		send_right(carrier, port, MACH_MSG_TYPE_MOVE_SEND, 1);
		break;
	case RECEIVED:
		send_right(carrier, port, MACH_MSG_TYPE_MOVE_SEND, 1);
		tell_notes(" on its way", notify);
		tell_notes(" the message", carrier);
		tell_notes(" received", notify);
		code(" code", mach_port_deallocate(self, port));
		break;
	case MESSAGE_DESTROYED:
		send_right(carrier, port, MACH_MSG_TYPE_MOVE_SEND, 1);
		must("destroy", mach_port_destroy(self, carrier));
		break;
	case SENT_THROUGH:
		msg = message_to(port);
		msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
		must("send", send_sized(&msg, HEADER));
		tell_notes(" on its way", notify);
		tell_notes(" at the port", port);
		break;
	case AS_REPLY:
		msg = message_to(carrier);
		msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MOVE_SEND);
		msg.head.msgh_local_port = port;
		must("send", send_sized(&msg, HEADER));
		tell_notes(" on its way", notify);
		code(" received", receive(carrier, &msg));
		code(" code", mach_port_deallocate(self, msg.head.msgh_remote_port));
		break;
	case COPY_QUEUED:
		send_right(carrier, port, MACH_MSG_TYPE_COPY_SEND, 1);
		code(" code", mach_port_deallocate(self, port));
		tell_notes(" on its way", notify);
		tell_notes(" the message", carrier);
		tell_name(" port", port);
		break;
	case TASK_DIES:
		task = make_task(FALSE);
		must("insert", mach_port_insert_right(task, FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_SEND));
		tell_notes(" it moved", notify);
		must("task_terminate", task_terminate(task));
		break;
	case EXTRACTED:
		code(" code", mach_port_extract_right(self, port, MACH_MSG_TYPE_MOVE_SEND, &right,
						      &type));
		fact(" the same name", right == port);
		break;
	case TIMED_OUT:
		for (task = 0; task < 5; task++)
			send_plain(carrier, 1);
		msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);
		code(" send", send_sized(&msg, HEADER + ITEM));
		break;
	case MADE_ONCE:
		right = send_once_to(port);
		code(" code", mach_port_deallocate(self, port));
		tell_notes(" with a send-once right", notify);
		code(" code", mach_port_deallocate(self, right));
		tell_notes(" at the port", port);
		break;
	case LASTS: break;
	}
}

static void last_goes_all(long two, long unused, long more_unused)
{
	int last;

	(void)unused;
	(void)more_unused;
	for (last = 0; last < LASTS; last++) {
		mach_port_name_t port = make_port(), notify = make_receive();

		words_begin();
		called("the port", port);
		if (two)
			must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, 1));
		must_arm(port, MACH_NOTIFY_NO_SENDERS, notify);
		mach_printf("%s\n", last_word[last]);
		last_goes((enum last)last, port, notify);
		tell_notes(" told", notify);
		tell_name(" left", port);
		tell_status(" port", port);
		release_fixtures();
	}
}
EACH("notification/no-senders-the-last-goes", last_goes_all, 0, 0, 0)
EACH("notification/no-senders-one-of-two-references-goes", last_goes_all, 1, 0, 0)

/* To the very port whose senders are gone. */
CASE("notification/no-senders-at-the-port-itself")
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	must_arm(port, MACH_NOTIFY_NO_SENDERS, port);
	send_plain(port, 1);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, 0);
	must("send", send_sized(&msg, HEADER));
	send_once_to(port);
	tell_notes("told", port);
	tell_status("port", port);
}

/* The requests of a receive right that moves: into a message and out again. */
static void moves_armed(long id, long how, long unused)
{
	mach_port_name_t port = make_port(), notify = make_receive(), carrier = make_port();
	mach_port_name_t right = MACH_PORT_NULL, set = make_set();
	mach_msg_type_name_t type = 0;

	(void)unused;
	words_begin();
	called("the port", port);
	called("the set", set);
	must("insert", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	must("set_seqno", mach_port_set_seqno(self, port, 4));
	must("set_qlimit", mach_port_set_qlimit(self, port, 3));
	must("move_member", mach_port_move_member(self, port, set));
	send_plain(port, 11);
	send_plain(port, 12);
	must_arm(port, (mach_msg_id_t)id, notify);
	tell_status("before", port);
	switch (how) {
	case 0:
		send_right(carrier, port, MACH_MSG_TYPE_MOVE_RECEIVE, 1);
		tell_name("on its way", port);
		tell_notes("on its way, told", notify);
		tell_notes("carrier", carrier);
		break;
	case 1:
		code("extract", mach_port_extract_right(self, port, MACH_MSG_TYPE_MOVE_RECEIVE,
							&right, &type));
		fact("the same name", right == port);
		break;
	case 2:
		must("insert", mach_port_insert_right(self, port, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	}
	tell_name("the name", port);
	tell_status("after", port);
	tell_notes("the set", set);
	tell_notes("told", notify);
	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_SEND, -2));
	tell_notes("the last sender goes", notify);
	tell_notes("the port", port);
	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_notes("the port goes", notify);
}
EACH("notification/dead-name-armed-receive-right-sent", moves_armed, MACH_NOTIFY_DEAD_NAME, 0, 0)
EACH("notification/dead-name-armed-receive-right-extracted", moves_armed, MACH_NOTIFY_DEAD_NAME, 1, 0)
EACH("notification/dead-name-armed-receive-right-inserted", moves_armed, MACH_NOTIFY_DEAD_NAME, 2, 0)
EACH("notification/no-senders-armed-receive-right-sent", moves_armed, MACH_NOTIFY_NO_SENDERS, 0, 0)
EACH("notification/no-senders-armed-receive-right-extracted", moves_armed, MACH_NOTIFY_NO_SENDERS, 1, 0)
EACH("notification/no-senders-armed-receive-right-inserted", moves_armed, MACH_NOTIFY_NO_SENDERS, 2, 0)
EACH("notification/port-destroyed-armed-receive-right-sent", moves_armed, MACH_NOTIFY_PORT_DESTROYED, 0, 0)
EACH("notification/port-destroyed-armed-receive-right-extracted", moves_armed, MACH_NOTIFY_PORT_DESTROYED, 1, 0)
EACH("notification/port-destroyed-armed-receive-right-inserted", moves_armed, MACH_NOTIFY_PORT_DESTROYED, 2, 0)

/* ---- Port-destroyed: the right comes back. */

enum loss { BY_MOD_REFS, BY_DESTROY, BY_MESSAGE, BY_TASK, LOSSES };

static const char *const loss_word[LOSSES] = {
	"receive -1", "destroyed", "its message destroyed", "its task dies",
};

static void comes_back(long with_send, long in_set, long armed)
{
	int loss;

	for (loss = 0; loss < LOSSES; loss++) {
		mach_port_name_t port = make_port(), set = make_set(), task, carrier;
		mach_port_name_t notify = make_port(), told = make_receive();
		struct message msg;

		words_begin();
		called("the port", port);
		called("the set", set);
		must("set_seqno", mach_port_set_seqno(self, port, 4));
		must("set_mscount", mach_port_set_mscount(self, port, 8));
		must("set_qlimit", mach_port_set_qlimit(self, port, 3));
		must("move_member", in_set ? mach_port_move_member(self, port, set) : 0);
		send_plain(port, 11);
		send_plain(port, 12);
		must_arm(port, MACH_NOTIFY_PORT_DESTROYED, notify);
		if (armed) {
			must_arm(port, MACH_NOTIFY_NO_SENDERS, told);
			must_arm(port, MACH_NOTIFY_DEAD_NAME, told);
		}
		if (!with_send)
			must("deallocate", mach_port_deallocate(self, port));
		mach_printf("%s\n", loss_word[loss]);
		switch ((enum loss)loss) {
		case BY_MOD_REFS:
			code(" code", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
			break;
		case BY_DESTROY:
			code(" code", mach_port_destroy(self, port));
			break;
		case BY_MESSAGE:
			carrier = make_port();
			send_right(carrier, port, MACH_MSG_TYPE_MOVE_RECEIVE, 1);
			code(" code", mach_port_mod_refs(self, carrier, MACH_PORT_RIGHT_RECEIVE, -1));
			break;
		case BY_TASK:
			task = make_task(FALSE);
			must("insert", mach_port_insert_right(task, FREE_NAME, port,
							      MACH_MSG_TYPE_MOVE_RECEIVE));
			code(" code", task_terminate(task));
			break;
		case LOSSES: break;
		}
		tell_name(" the name", port);
		tell_notes(" told", told);
		if (!tell_note(notify, &msg)) {
			mach_printf(" nothing came back\n");
			release_fixtures();
			continue;
		}
		called("the right", msg.item[0].port.name);
		fact(" under the old name", msg.item[0].port.name == port);
		tell_name(" the old name", port);
		tell_status(" the port", msg.item[0].port.name);
		tell_notes(" its messages", msg.item[0].port.name);
		tell_notes(" the set", set);
		code(" destroyed again", mach_port_mod_refs(self, msg.item[0].port.name,
							    MACH_PORT_RIGHT_RECEIVE, -1));
		tell_name(" the right", msg.item[0].port.name);
		tell_name(" the old name", port);
		tell_notes(" at the backup", notify);
		tell_notes(" told", told);
		release_fixtures();
	}
}
EACH("notification/port-destroyed-comes-back", comes_back, 0, 0, 0)
EACH("notification/port-destroyed-comes-back-from-a-set", comes_back, 0, 1, 0)
EACH("notification/port-destroyed-comes-back-send-right-stays", comes_back, 1, 0, 0)
EACH("notification/port-destroyed-comes-back-all-armed", comes_back, 0, 0, 1)
EACH("notification/port-destroyed-comes-back-send-right-stays-all-armed", comes_back, 1, 0, 1)
EACH("notification/port-destroyed-comes-back-from-a-set-all-armed", comes_back, 1, 1, 1)

/* Where there is nobody to come back to. */
static void backup_gone(long how, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), notify = make_port(), watch = make_receive();
	mach_port_name_t once = send_once_to(watch);

	(void)unused;
	(void)more_unused;
	words_begin();
	called("the port", port);
	called("the backup", notify);
	send_right(port, once, MACH_MSG_TYPE_MOVE_SEND_ONCE, 3);
	must_arm(port, MACH_NOTIFY_PORT_DESTROYED, how == 1 ? port : notify);
	must_arm(port, MACH_NOTIFY_DEAD_NAME, watch);
	switch (how) {
	case 0:		/* the backup died before */
		must("mod_refs", mach_port_mod_refs(self, notify, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case 1:		/* the port is its own backup */
		break;
	case 2:		/* the backup is in the port's queue */
		send_right(port, notify, MACH_MSG_TYPE_MOVE_RECEIVE, 4);
		break;
	case 3:		/* each is the other's backup */
		must_arm(notify, MACH_NOTIFY_PORT_DESTROYED, port);
		break;
	case 4:		/* the backup is full */
		send_plain(notify, 1); send_plain(notify, 1); send_plain(notify, 1);
		send_plain(notify, 1); send_plain(notify, 1);
		break;
	}
	code("receive -1", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_name("the port", port);
	tell_name("the backup", notify);
	tell_notes("watch", watch);
	if (how == 3) {
		code("the other", mach_port_mod_refs(self, notify, MACH_PORT_RIGHT_RECEIVE, -1));
		tell_name("the port", port);
		tell_name("the backup", notify);
	} else if (how == 4) {
		tell_notes("the backup", notify);
	}
	tell_notes("watch", watch);
}
EACH("notification/port-destroyed-backup-dead", backup_gone, 0, 0, 0)
EACH("notification/port-destroyed-own-backup", backup_gone, 1, 0, 0)
EACH("notification/port-destroyed-backup-in-its-queue", backup_gone, 2, 0, 0)
EACH("notification/port-destroyed-backups-of-each-other", backup_gone, 3, 0, 0)
EACH("notification/port-destroyed-backup-full", backup_gone, 4, 0, 0)
