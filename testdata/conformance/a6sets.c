/* a6sets: port sets: whose messages are where, in which order, and who gets them. */
#include "suite.h"

#include "notes.h"
#include "second.h"

static struct second one, two, three;

static void start_receiver(struct second *s, mach_port_name_t port, mach_msg_size_t size,
			   mach_msg_option_t option)
{
	memset(&s->message, 0, sizeof(s->message));
	s->port = port;
	s->size = size;
	s->option = option;
	second_start(s, second_receives);
}

static void tell_receiver(struct second *s, const char *what)
{
	second_tell(s, what);
	if (s->done && s->answer == MACH_MSG_SUCCESS)
		mach_printf("  message %d, seqno %u, at %s\n", s->message.head.msgh_id,
			    s->message.head.msgh_seqno, word_of(s->message.head.msgh_local_port));
	else if (s->done)
		mach_printf("  size %u\n", s->message.head.msgh_size);
}

static mach_port_name_t port_called(const char *word)
{
	return called(word, make_port());
}

static mach_port_name_t set_called(const char *word)
{
	return called(word, make_set());
}

static void into(mach_port_name_t port, mach_port_name_t set)
{
	must("move_member", mach_port_move_member(self, port, set));
}

/* ---- Order. */

/* Messages that came before, between and after their ports went into a set. */
CASE("port_set/queues-merge-and-split")
{
	mach_port_name_t set, a, b, c;

	words_begin();
	set = set_called("set");
	a = port_called("a");
	b = port_called("b");
	c = port_called("c");
	send_plain(a, 11);
	send_plain(b, 21);
	send_plain(a, 12);
	into(b, set);
	send_plain(c, 31);
	send_plain(b, 22);
	into(a, set);
	send_plain(c, 32);
	send_plain(a, 13);
	send_plain(b, 23);
	into(c, set);
	send_plain(a, 14);
	send_plain(c, 33);
	tell_status("a", a);
	tell_status("b", b);
	tell_status("c", c);
	into(a, MACH_PORT_NULL);
	send_plain(a, 15);
	send_plain(b, 24);
	tell_notes("a, taken out", a);
	into(a, set);
	send_plain(a, 16);
	tell_notes("the set", set);
}

static void between_sets(long how, long unused, long more_unused)
{
	mach_port_name_t first, second, a, b, c;

	(void)unused;
	(void)more_unused;
	words_begin();
	first = set_called("first");
	second = set_called("second");
	a = port_called("a");
	b = port_called("b");
	c = port_called("c");
	into(a, first);
	into(b, first);
	into(c, second);
	send_plain(a, 11);
	send_plain(b, 21);
	send_plain(c, 31);
	send_plain(a, 12);
	send_plain(b, 22);
	send_plain(c, 32);
	switch (how) {
	case 0: code("move", mach_port_move_member(self, a, second)); break;
	case 1: code("destroy the set", mach_port_destroy(self, first)); break;
	case 2: code("rename the set", mach_port_rename(self, first, called("new", fresh_name()))); break;
	case 3:
		code("rename the member", mach_port_rename(self, a, called("new", fresh_name())));
		break;
	case 4: code("destroy the member", mach_port_destroy(self, a)); break;
	case 5:
		code("give up its receive right",
		     mach_port_mod_refs(self, a, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case 6:
		send_right(c, a, MACH_MSG_TYPE_MOVE_RECEIVE, 33);
		break;
	case 7:
		code("move to a task", mach_port_insert_right(make_task(FALSE), FREE_NAME, a,
							      MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	case 8:
		must_arm(a, MACH_NOTIFY_PORT_DESTROYED, c);
		code("give up its receive right",
		     mach_port_mod_refs(self, a, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case 9:	/* the set goes; then members are looked at in different ways */
		must("destroy", mach_port_destroy(self, first));
		send_plain(b, 23);
		into(b, second);
		code("out of a set that is gone", mach_port_move_member(self, a, MACH_PORT_NULL));
		break;
	}
	tell_status("a", a);
	tell_status("b", b);
	tell_status("c", c);
	tell_notes("first", first);
	tell_notes("second", second);
	tell_notes("a", a);
	tell_notes("b", b);
	tell_name("a", a);
}
EACH("port_set/member-moves-to-another", between_sets, 0, 0, 0)
EACH("port_set/goes-with-messages", between_sets, 1, 0, 0)
EACH("port_set/renamed", between_sets, 2, 0, 0)
EACH("port_set/member-renamed", between_sets, 3, 0, 0)
EACH("port_set/member-destroyed", between_sets, 4, 0, 0)
EACH("port_set/member-dies", between_sets, 5, 0, 0)
EACH("port_set/member-sent-to-another-member", between_sets, 6, 0, 0)
EACH("port_set/member-given-to-a-task", between_sets, 7, 0, 0)
EACH("port_set/member-goes-to-its-backup", between_sets, 8, 0, 0)
EACH("port_set/members-of-a-set-that-is-gone", between_sets, 9, 0, 0)

/* A message too large stays first, and others wait behind it. */
CASE("port_set/too-large-first")
{
	mach_port_name_t set, a, b;
	struct message msg;

	words_begin();
	set = set_called("set");
	a = port_called("a");
	b = port_called("b");
	into(a, set);
	into(b, set);
	send_right(a, b, MACH_MSG_TYPE_COPY_SEND, 1);
	send_plain(b, 2);
	code("large", receive_sized(set, &msg, HEADER, MACH_RCV_LARGE));
	tell_status("a", a);
	code("large again", receive_sized(set, &msg, HEADER, MACH_RCV_LARGE));
	code("destroyed", receive_sized(set, &msg, HEADER, 0));
	tell_header(&msg, a);
	tell_notes("the set", set);
	tell_status("a", a);
}

/* Limits are the members' own. */
CASE("port_set/limits-of-members")
{
	mach_port_name_t set, a, b;
	struct message msg;
	int i;

	words_begin();
	set = set_called("set");
	a = port_called("a");
	b = port_called("b");
	into(a, set);
	into(b, set);
	must("set_qlimit", mach_port_set_qlimit(self, a, 2));
	for (i = 0; i < 4; i++) {
		msg = message_to(a);
		msg.head.msgh_id = 10 + i;
		code("to a", send_sized(&msg, HEADER));
		msg = message_to(b);
		msg.head.msgh_id = 20 + i;
		code("to b", send_sized(&msg, HEADER));
	}
	tell_notes("the set", set);
}

/* ---- What is told of members. */

static void tell_members(const char *what, mach_port_name_t task, mach_port_name_t set)
{
	mach_port_name_array_t members = NULL;
	mach_msg_type_number_t n = 99, i, falling = 0, beyond = 0;
	kern_return_t kr = mach_port_get_set_status(task, set, &members, &n);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	mach_printf("%s: %u members", what, n);
	for (i = 0; i < n && i < 8; i++)
		mach_printf(" %s", word_of(members[i]));
	for (i = 1; i < n; i++)
		falling += members[i] < members[i - 1];
	mach_printf(", out of order %u, address null: %d", falling, members == NULL);
	/* The last page's rest. */
	for (i = n; n != 0 && i % 1024 != 0; i++)
		beyond += members[i] != 0;
	mach_printf(", beyond the last: %u\n", beyond);
	keep_memory((vm_offset_t)members, n * sizeof(*members));
}

CASE("mach_port_get_set_status/members-come-and-go")
{
	mach_port_name_t set, other, a, b, c, high;

	words_begin();
	set = set_called("set");
	other = set_called("other");
	high = fresh_name();
	tell_members("none", self, set);
	c = port_called("c");
	a = port_called("a");
	b = port_called("b");
	into(b, set);
	into(a, set);
	into(c, set);
	tell_members("three", self, set);
	must("rename", mach_port_rename(self, a, high));
	called("a, renamed", high);
	tell_members("one renamed", self, set);
	into(b, other);
	tell_members("one moved", self, set);
	tell_members("there", self, other);
	must("destroy", mach_port_destroy(self, c));
	tell_members("one destroyed", self, set);
	must("destroy", mach_port_destroy(self, other));
	tell_members("the set destroyed", self, other);
	into(high, MACH_PORT_NULL);
	tell_members("the last out", self, set);
}

static void many_members(long n, long another, long unused)
{
	mach_port_name_t task = another ? make_task(FALSE) : self, set = fresh_name(), name;
	long i;

	(void)unused;
	words_begin();
	must("allocate_name", mach_port_allocate_name(task, MACH_PORT_RIGHT_PORT_SET, set));
	for (i = 0; i < n; i++) {
		name = 5000000 + (mach_port_name_t)((i * 7) % n);
		must("allocate_name", mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, name));
		must("move_member", mach_port_move_member(task, name, set));
	}
	tell_members("all", task, set);
	for (i = 0; i < n; i++)
		must("destroy", mach_port_destroy(task, 5000000 + (mach_port_name_t)i));
	tell_members("none", task, set);
}
EACH("mach_port_get_set_status/100-members", many_members, 100, 0, 0)
EACH("mach_port_get_set_status/1024-members", many_members, 1024, 0, 0)
EACH("mach_port_get_set_status/1025-members", many_members, 1025, 0, 0)
EACH("mach_port_get_set_status/2500-members-of-another-task", many_members, 2500, 1, 0)

/* ---- Threads that wait at a set, and at its members. */

/* Two wait at a set; members come with messages. */
CASE("port_set/waiting-while-members-come")
{
	mach_port_name_t set, a, b;

	words_begin();
	set = set_called("set");
	a = port_called("a");
	b = port_called("b");
	send_plain(a, 11);
	send_plain(b, 21);
	send_plain(b, 22);
	start_receiver(&one, set, 0, 0);
	start_receiver(&two, set, 0, 0);
	into(a, set);
	seconds_settle();
	fact("the first waits", !one.done);
	fact("the second waits", !two.done);
	into(b, set);
	tell_receiver(&one, "the first");
	tell_receiver(&two, "the second");
	tell_notes("the set", set);
	tell_status("a", a);
	tell_status("b", b);
	second_end(&one);
	second_end(&two);
}

/* Three wait; one member comes with as many messages. */
CASE("port_set/waiting-while-a-full-member-comes")
{
	mach_port_name_t set, a;

	words_begin();
	set = set_called("set");
	a = port_called("a");
	send_plain(a, 1);
	send_plain(a, 2);
	send_plain(a, 3);
	send_plain(a, 4);
	start_receiver(&one, set, 0, 0);
	start_receiver(&two, set, 0, 0);
	start_receiver(&three, set, 0, 0);
	into(a, set);
	tell_receiver(&one, "the first");
	tell_receiver(&two, "the second");
	tell_receiver(&three, "the third");
	tell_notes("the set", set);
	second_end(&one);
	second_end(&two);
	second_end(&three);
}

/* Those who have too little room are told, and the message goes to one who has. */
static void too_little_room(long option, long unused, long more_unused)
{
	mach_port_name_t set, a;

	(void)unused;
	(void)more_unused;
	words_begin();
	set = set_called("set");
	a = port_called("a");
	send_right(a, a, MACH_MSG_TYPE_COPY_SEND, 1);
	start_receiver(&one, set, 0, 0);
	start_receiver(&two, set, HEADER, (mach_msg_option_t)option);
	start_receiver(&three, set, HEADER, (mach_msg_option_t)option);
	into(a, set);
	seconds_settle();
	tell_receiver(&two, "the second");
	tell_receiver(&three, "the third");
	tell_receiver(&one, "the first");
	tell_notes("the set", set);
	second_end(&one);
	second_end(&two);
	second_end(&three);
}
EACH("port_set/waiting-with-too-little-room", too_little_room, MACH_RCV_LARGE, 0, 0)

/* Two wait at a set; its members go, and the set stays, or not. */
static void members_go(long how, long unused, long more_unused)
{
	mach_port_name_t set, a, b;
	struct message msg;

	(void)unused;
	(void)more_unused;
	words_begin();
	set = set_called("set");
	a = port_called("a");
	b = port_called("b");
	into(a, set);
	into(b, set);
	start_receiver(&one, set, 0, 0);
	start_receiver(&two, set, 0, 0);
	switch (how) {
	case 0: code("out", mach_port_move_member(self, a, MACH_PORT_NULL)); break;
	case 1: code("to another", mach_port_move_member(self, a, make_set())); break;
	case 2: code("destroyed", mach_port_destroy(self, a)); break;
	case 3:
		send_right(b, a, MACH_MSG_TYPE_MOVE_RECEIVE, 7);
		break;
	case 4: code("the set", mach_port_destroy(self, set)); break;
	case 5:
		code("the set", mach_port_mod_refs(self, set, MACH_PORT_RIGHT_PORT_SET, -1));
		break;
	case 6:
		code("the set", mach_port_rename(self, set, called("new", fresh_name())));
		break;
	case 7: code("a", mach_port_rename(self, a, called("new", fresh_name()))); break;
	}
	seconds_settle();
	mach_printf("done: %d %d\n", one.done, two.done);
	msg = message_to(b);
	msg.head.msgh_id = 21;
	code("to b", send_sized(&msg, HEADER));
	seconds_settle();
	mach_printf("done: %d %d\n", one.done, two.done);
	if (how == 7)
		send_plain(words.name[words.count - 1], 12);
	else if (how != 2 && how != 3)
		send_plain(a, 12);
	seconds_settle();
	mach_printf("done: %d %d\n", one.done, two.done);
	if (one.done)
		tell_receiver(&one, "the first");
	if (two.done)
		tell_receiver(&two, "the second");
	tell_notes("a", a);
	tell_notes("b", b);
	second_end(&one);
	second_end(&two);
}
EACH("port_set/waiting-member-taken-out", members_go, 0, 0, 0)
EACH("port_set/waiting-member-moved", members_go, 1, 0, 0)
EACH("port_set/waiting-member-destroyed", members_go, 2, 0, 0)
EACH("port_set/waiting-member-sent", members_go, 3, 0, 0)
EACH("port_set/waiting-destroyed", members_go, 4, 0, 0)
EACH("port_set/waiting-given-up", members_go, 5, 0, 0)
EACH("port_set/waiting-renamed", members_go, 6, 0, 0)
EACH("port_set/waiting-member-renamed", members_go, 7, 0, 0)

/* Two wait at a port that goes into a set, empty or with others' messages. */
static void waiting_port(long option, long full, long set_waits)
{
	mach_port_name_t set, a, b;

	words_begin();
	set = set_called("set");
	a = port_called("a");
	b = port_called("b");
	into(b, set);
	if (full)
		send_plain(b, 21);
	start_receiver(&one, a, 0, (mach_msg_option_t)option);
	start_receiver(&two, a, HEADER, (mach_msg_option_t)option);
	if (set_waits)
		start_receiver(&three, set, 0, 0);
	code("move_member", mach_port_move_member(self, a, set));
	tell_receiver(&one, "the first");
	tell_receiver(&two, "the second");
	send_plain(a, 11);
	if (set_waits)
		tell_receiver(&three, "the third");
	tell_notes("the set", set);
	second_end(&one);
	second_end(&two);
	if (set_waits)
		second_end(&three);
}
EACH("port_set/waiting-at-a-port-that-goes-in", waiting_port, 0, 0, 0)
EACH("port_set/waiting-at-a-port-that-goes-in-large", waiting_port, MACH_RCV_LARGE, 1, 0)
EACH("port_set/waiting-at-both", waiting_port, 0, 0, 1)
