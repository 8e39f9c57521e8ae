/*
 * portcalls: the routines of mach_port that ports has not: names of one's own,
 * port sets, notifications, what a receive right knows of itself.
 */
#include "suite.h"

#include <mach/notify.h>

/* What a routine says of each kind of name. */
#define EACH_NAME(call) do {							\
	mach_port_name_t name;							\
	name = NO_NAME; code("no name", call);					\
	name = make_receive(); code("a receive right", call);			\
	name = make_send(); code("a send right", call);				\
	name = send_once_to(make_receive()); code("a send-once right", call);	\
	name = make_dead(); code("a dead name", call);				\
	name = make_set(); code("a port set", call);				\
} while (0)

static kern_return_t request(mach_port_name_t task, mach_port_name_t name, mach_msg_id_t id,
			     mach_port_mscount_t sync, mach_port_name_t to)
{
	mach_port_name_t before = MACH_PORT_NULL;
	kern_return_t kr;

	kr = mach_port_request_notification(task, name, id, sync, to,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &before);
	if (kr == KERN_SUCCESS && before != MACH_PORT_NULL) {
		mach_printf("there was one before\n");
		keep_name(before);
	}
	return kr;
}

static kern_return_t set_status(mach_port_name_t task, mach_port_name_t name)
{
	mach_port_name_array_t members = NULL;
	mach_msg_type_number_t n = 0;
	kern_return_t kr = mach_port_get_set_status(task, name, &members, &n);

	if (kr == KERN_SUCCESS) {
		mach_printf("%u members\n", n);
		keep_memory((vm_offset_t)members, n * sizeof(*members));
	}
	return kr;
}

static kern_return_t extract(mach_port_name_t task, mach_port_name_t name,
			     mach_msg_type_name_t how)
{
	mach_port_name_t right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 0;
	kern_return_t kr = mach_port_extract_right(task, name, how, &right, &type);

	if (kr == KERN_SUCCESS) {
		mach_printf("it comes as %u\n", type);
		keep_name(right);
	}
	return kr;
}

static kern_return_t status(mach_port_name_t task, mach_port_name_t name)
{
	mach_port_status_t s;
	kern_return_t kr = mach_port_get_receive_status(task, name, &s);

	if (kr == KERN_SUCCESS)
		mach_printf("seqno %u, made %u, limit %u, messages %u, in a set: %s\n",
			    s.mps_seqno, s.mps_mscount, s.mps_qlimit, s.mps_msgcount,
			    s.mps_pset == MACH_PORT_NULL ? "no" : "yes");
	return kr;
}

static void all_calls(mach_port_name_t task)
{
	code("rename", mach_port_rename(task, NO_NAME, FREE_NAME));
	code("allocate_name", mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, FREE_NAME));
	code("set_qlimit", mach_port_set_qlimit(task, NO_NAME, 1));
	code("set_mscount", mach_port_set_mscount(task, NO_NAME, 1));
	code("get_set_status", set_status(task, NO_NAME));
	code("move_member", mach_port_move_member(task, NO_NAME, MACH_PORT_NULL));
	code("request_notification",
	     request(task, NO_NAME, MACH_NOTIFY_DEAD_NAME, 0, make_receive()));
	code("extract_right", extract(task, NO_NAME, MACH_MSG_TYPE_COPY_SEND));
	code("extract_right, no disposition", extract(task, NO_NAME, 0x100));
	code("get_receive_status", status(task, NO_NAME));
	code("set_seqno", mach_port_set_seqno(task, NO_NAME, 1));
}

CASE("portcalls/of-the-host") { all_calls(host); }
CASE("portcalls/of-a-task") { all_calls(make_task(FALSE)); }
CASE("portcalls/of-a-dead-task") { all_calls(make_dead_task()); }

CASE("mach_port_rename/kinds-of-name")
{
	EACH_NAME(mach_port_rename(self, name, keep_name(fresh_name())));
}

CASE("mach_port_rename/new-names")
{
	mach_port_name_t port = make_receive();

	code("null", mach_port_rename(self, port, MACH_PORT_NULL));
	code("dead", mach_port_rename(self, port, MACH_PORT_DEAD));
	code("another's", mach_port_rename(self, port, make_receive()));
	code("its own", mach_port_rename(self, port, port));
	code("nothing to another's", mach_port_rename(self, NO_NAME, make_receive()));
	code("nothing to null", mach_port_rename(self, NO_NAME, MACH_PORT_NULL));
	code("nothing to a free one", mach_port_rename(self, NO_NAME, FREE_NAME));
	code("to a free one", mach_port_rename(self, port, keep_name(FREE_NAME)));
	tell_name("the old", port);
	tell_name("the new", FREE_NAME);
}

CASE("mach_port_extract_right/kinds-of-name")
{
	EACH_NAME(extract(self, name, MACH_MSG_TYPE_MAKE_SEND));
	EACH_NAME(extract(self, name, MACH_MSG_TYPE_COPY_SEND));
}

CASE("mach_port_extract_right/dispositions")
{
	mach_port_name_t port = make_receive();

	code("0", extract(self, port, 0));
	code("an integer", extract(self, port, MACH_MSG_TYPE_INTEGER_32));
	code("more than a byte", extract(self, port, 0x100 + MACH_MSG_TYPE_MAKE_SEND));
	code("0 of nothing", extract(self, NO_NAME, 0));
	code("make-send-once", extract(self, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
}

CASE("mach_port_set_qlimit/kinds-of-name")
{
	EACH_NAME(mach_port_set_qlimit(self, name, 3));
}

CASE("mach_port_set_qlimit/limits")
{
	mach_port_name_t port = make_receive();

	code("most", mach_port_set_qlimit(self, port, MACH_PORT_QLIMIT_MAX));
	code("more", mach_port_set_qlimit(self, port, MACH_PORT_QLIMIT_MAX + 1));
	code("more, of nothing", mach_port_set_qlimit(self, NO_NAME, MACH_PORT_QLIMIT_MAX + 1));
	code("status", status(self, port));
}

CASE("mach_port_set_mscount/kinds-of-name")
{
	EACH_NAME(mach_port_set_mscount(self, name, 3));
}

CASE("mach_port_set_seqno/kinds-of-name")
{
	EACH_NAME(mach_port_set_seqno(self, name, 3));
}

CASE("mach_port_get_receive_status/kinds-of-name") { EACH_NAME(status(self, name)); }

CASE("mach_port_get_receive_status/what-was-set")
{
	mach_port_name_t port = make_receive();

	code("set_seqno", mach_port_set_seqno(self, port, 7));
	code("set_mscount", mach_port_set_mscount(self, port, 9));
	code("set_qlimit", mach_port_set_qlimit(self, port, 2));
	code("move_member", mach_port_move_member(self, port, make_set()));
	code("status", status(self, port));
}

CASE("mach_port_get_set_status/kinds-of-name") { EACH_NAME(set_status(self, name)); }

CASE("mach_port_move_member/kinds-of-name")
{
	mach_port_name_t set = make_set();

	EACH_NAME(mach_port_move_member(self, name, set));
	EACH_NAME(mach_port_move_member(self, name, MACH_PORT_NULL));
}

CASE("mach_port_move_member/kinds-of-set")
{
	mach_port_name_t port = make_receive();

	EACH_NAME(mach_port_move_member(self, port, name));
	code("null", mach_port_move_member(self, port, MACH_PORT_NULL));
	code("null again", mach_port_move_member(self, port, MACH_PORT_NULL));
}

CASE("mach_port_move_member/the-same-set")
{
	mach_port_name_t set = make_set(), port = make_receive();

	code("once", mach_port_move_member(self, port, set));
	code("twice", mach_port_move_member(self, port, set));
	code("another", mach_port_move_member(self, make_receive(), set));
	code("status", set_status(self, set));
}

CASE("mach_port_request_notification/kinds-of-name")
{
	mach_port_name_t to = make_receive();

	EACH_NAME(request(self, name, MACH_NOTIFY_DEAD_NAME, 0, to));
	EACH_NAME(request(self, name, MACH_NOTIFY_DEAD_NAME, 1, to));
	EACH_NAME(request(self, name, MACH_NOTIFY_PORT_DESTROYED, 0, to));
	EACH_NAME(request(self, name, MACH_NOTIFY_NO_SENDERS, 1, to));
}

CASE("mach_port_request_notification/what-is-asked-for")
{
	mach_port_name_t port = make_receive(), to = make_receive();

	code("0", request(self, port, 0, 0, to));
	code("a send-once", request(self, port, MACH_NOTIFY_SEND_ONCE, 0, to));
	code("deleted", request(self, port, MACH_NOTIFY_PORT_DELETED, 0, to));
	code("destroyed, sync 1", request(self, port, MACH_NOTIFY_PORT_DESTROYED, 1, to));
	code("destroyed, sync 1, of nothing",
	     request(self, NO_NAME, MACH_NOTIFY_PORT_DESTROYED, 1, to));
	code("destroyed", request(self, port, MACH_NOTIFY_PORT_DESTROYED, 0, to));
	code("destroyed again", request(self, port, MACH_NOTIFY_PORT_DESTROYED, 0, to));
}

CASE("mach_port_request_notification/to-a-dead-name")
{
	mach_port_name_t before = MACH_PORT_NULL;

	code("a receive right", mach_port_request_notification(self, make_receive(),
		MACH_NOTIFY_PORT_DESTROYED, 0, make_died(), MACH_MSG_TYPE_MOVE_SEND_ONCE, &before));
	code("no name", mach_port_request_notification(self, NO_NAME,
		MACH_NOTIFY_PORT_DESTROYED, 0, make_died(), MACH_MSG_TYPE_MOVE_SEND_ONCE, &before));
}

CASE("mach_port_request_notification/a-dead-name-with-all-references")
{
	mach_port_name_t name = make_dead();

	code("mod_refs", mach_port_mod_refs(self, name, MACH_PORT_RIGHT_DEAD_NAME, 65534));
	code("at once", request(self, name, MACH_NOTIFY_DEAD_NAME, 1, make_receive()));
	code("later", request(self, name, MACH_NOTIFY_DEAD_NAME, 0, make_receive()));
	tell_name("the name", name);
}

CASE("mach_port_request_notification/a-dead-name-to-nobody")
{
	mach_port_name_t before = MACH_PORT_NULL;

	code("at once", mach_port_request_notification(self, make_dead(), MACH_NOTIFY_DEAD_NAME, 1,
						       MACH_PORT_NULL, MACH_MSG_TYPE_MOVE_SEND_ONCE,
						       &before));
}

CASE("mach_ports_register/nothing-for-a-host")
{
	code("a host", mach_ports_register(host, NULL, 0));
}
