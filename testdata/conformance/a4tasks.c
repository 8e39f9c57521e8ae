/*
 * a4tasks: rights from one task to another and back: what each has them as. The
 * other task is a server that tells what it got, keeps it, and sends it back.
 */
#include "sweep.h"

#include "child.h"

enum { TELL = 1, SEND_BACK, FORGET };

/* What the server tells: of the right it got, and of one it kept. */
struct told {
	mach_msg_header_t head;
	struct item right;	/* complex: what is sent back */
	struct item words[3];	/* type, references, whether under the kept one's name */
};

static uint64_t references(mach_port_name_t name, mach_port_type_t type)
{
	mach_port_urefs_t refs = 0;
	mach_port_right_t right;

	for (right = 0; right < 5; right++)
		if (type & MACH_PORT_TYPE(right) && right != MACH_PORT_RIGHT_RECEIVE)
			mach_port_get_refs(self, name, right, &refs);
	return refs;
}

/* The child's: serves child.port for ever. */
static void serve(struct child *c)
{
	mach_port_name_t kept = MACH_PORT_NULL, got;
	mach_port_type_t type;
	struct message request;
	struct told told;

	for (;;) {
		if (mach_msg_trap(&request.head, MACH_RCV_MSG, 0, sizeof(request), c->port, 0,
				  MACH_PORT_NULL) != MACH_MSG_SUCCESS)
			continue;
		got = request.head.msgh_bits & MACH_MSGH_BITS_COMPLEX ?
			(mach_port_name_t)request.item[0].word : MACH_PORT_NULL;
		memset(&told, 0, sizeof(told));
		told.head.msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(request.head.msgh_bits), 0);
		told.head.msgh_remote_port = request.head.msgh_remote_port;
		told.head.msgh_id = request.head.msgh_id + 100;
		told.right.type = TYPE_INTEGER;
		told.words[0].type = told.words[1].type = told.words[2].type = TYPE_INTEGER;
		if (request.head.msgh_id == SEND_BACK) {
			told.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
			told.right.type = TYPE_PORT((unsigned int)request.item[1].word);
			told.right.word = kept;
		} else if (request.head.msgh_id == FORGET) {
			if (MACH_PORT_VALID(kept))
				mach_port_destroy(self, kept);
			kept = MACH_PORT_NULL;
		} else {
			type = 0;
			if (MACH_PORT_VALID(got))
				mach_port_type(self, got, &type);
			told.words[0].word = MACH_PORT_VALID(got) ? type :
				got == MACH_PORT_NULL ? 1 : 2;
			told.words[1].word = references(got, type);
			told.words[2].word = got == kept;
			if (MACH_PORT_VALID(kept) && got != kept)
				mach_port_destroy(self, kept);
			kept = got;
		}
		/* Where it cannot be sent back, the client is told by its reply right's death. */
		mach_msg_trap(&told.head, MACH_SEND_MSG, sizeof(told), 0, MACH_PORT_NULL, 0,
			      MACH_PORT_NULL);
	}
}

static mach_port_name_t server, answers;

static void start_server(void)
{
	elsewhere = make_task(FALSE);
	server = make_port();
	answers = make_receive();
	child_make();
	child_give(server, MACH_MSG_TYPE_MOVE_RECEIVE);
	child.port = server;
	child_start(serve);
}

/* One request; type 0 carries nothing. What was told is in *told. */
static mach_msg_return_t ask(mach_msg_id_t id, mach_msg_type_name_t type, mach_port_name_t name,
			     unsigned int back, struct told *told)
{
	struct message msg = message_to(server), note;
	mach_msg_return_t mr;

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = answers;
	msg.head.msgh_id = id;
	msg.item[0].type = TYPE_INTEGER;
	if (type != 0) {
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
		msg.item[0].type = TYPE_PORT(type);
		msg.item[0].word = name;
	}
	msg.item[1].type = TYPE_INTEGER;
	msg.item[1].word = back;
	memcpy(told, &msg, HEADER + 2 * ITEM);
	mr = mach_msg_trap(&told->head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
			   HEADER + 2 * ITEM, sizeof(*told), answers, 10000, MACH_PORT_NULL);
	/* A body that fails destroys the reply right, which is told. */
	if (mr == MACH_SEND_INVALID_RIGHT)
		receive(answers, &note);
	return mr;
}

static void put_told(const struct told *told)
{
	uint32_t type = (uint32_t)told->words[0].word, refs = (uint32_t)told->words[1].word;
	mach_port_right_t right;

	put(">");
	if (type < 3)
		put(type == 0 ? "-" : type == 1 ? "n" : "x");
	else
		for (right = 0; right < 5; right++)
			if (type & MACH_PORT_TYPE(right)) {
				put((const char *const[]){ "s", "r", "o", "p", "d" }[right]);
				if (right != MACH_PORT_RIGHT_RECEIVE && refs != 1)
					put_number(refs, 10);
			}
	put((uint32_t)told->words[2].word && type >= 3 ? "=" : "");
}

/* Each kind by one disposition, again and again: how the server has it. */
static void told_only(long type, long twice, long unused)
{
	struct told told;
	size_t i;

	(void)unused;
	start_server();
	for (i = 0; i < SWEPT_KINDS; i++) {
		struct swept s = swept_make(swept_kinds[i].kind, swept_kinds[i].references);
		mach_msg_return_t mr;
		long times;

		put(swept_kinds[i].name);
		put(":");
		for (times = 0; times <= twice; times++) {
			mr = ask(TELL, (mach_msg_type_name_t)type, s.name, 0, &told);
			put(" ");
			put_code(mr);
			put_swept(&s);
			if (mr == MACH_MSG_SUCCESS)
				put_told(&told);
		}
		swept_end(s);
		/* What the other has, when the sender's names are gone. */
		ask(FORGET, 0, 0, 0, &told);
		end_line();
	}
}
EACH("mach_msg/tasks-move-receive", told_only, 16, 0, 0)
EACH("mach_msg/tasks-move-send", told_only, 17, 1, 0)
EACH("mach_msg/tasks-move-send-once", told_only, 18, 1, 0)
EACH("mach_msg/tasks-copy-send", told_only, 19, 2, 0)
EACH("mach_msg/tasks-make-send", told_only, 20, 2, 0)
EACH("mach_msg/tasks-make-send-once", told_only, 21, 2, 0)

/* A right goes and comes back, by ways that both can: how it is held after each. */
static void round_trip(long there, long back, long kind)
{
	struct swept s;
	struct told told;
	mach_port_name_t name;

	start_server();
	s = swept_make((enum name_kind)kind, 2);
	code("there", ask(TELL, (mach_msg_type_name_t)there, s.name, 0, &told));
	put_swept(&s);
	put_told(&told);
	end_line();
	code("back", ask(SEND_BACK, 0, 0, (unsigned int)back, &told));
	mach_printf("id %d\n", told.head.msgh_id);
	name = (mach_port_name_t)told.right.word;
	fact("under its name", name == s.name);
	tell_name("it is", name);
	tell_item(&told.right);
	if (name != s.name)
		keep_name(name);
	put_swept(&s);
	end_line();
	code("forgotten", ask(FORGET, 0, 0, 0, &told));
	put_swept(&s);
	end_line();
	swept_end(s);
}
#define ROUND(name, there, back, kind) \
	EACH("mach_msg/tasks-round-trip-" name, round_trip, there, back, kind)
ROUND("receive", 16, 16, KIND_send_receive)
ROUND("receive-alone", 16, 16, KIND_receive)
ROUND("receive-and-made-send", 16, 20, KIND_send_receive)
ROUND("receive-and-made-send-alone", 16, 20, KIND_receive)
ROUND("receive-and-made-once", 16, 21, KIND_send_receive)
ROUND("send", 17, 17, KIND_send)
ROUND("send-copied", 19, 19, KIND_send)
ROUND("send-copied-and-moved", 19, 17, KIND_send_receive)
ROUND("send-made-and-moved", 20, 17, KIND_receive)
ROUND("once", 18, 18, KIND_send_once)
ROUND("once-made", 21, 18, KIND_receive)
ROUND("dead", 17, 17, KIND_dead_name)
ROUND("died", 19, 17, KIND_died)

/* A receive right that comes to a task that has send rights to it, and one that has none. */
CASE("mach_msg/tasks-receive-right-joins-the-send-right")
{
	mach_port_name_t port;
	struct message msg;
	struct told told;

	start_server();
	port = make_port();
	code("a send right", ask(TELL, MACH_MSG_TYPE_COPY_SEND, port, 0, &told));
	put_told(&told);
	end_line();
	code("another", ask(TELL, MACH_MSG_TYPE_MAKE_SEND, port, 0, &told));
	put_told(&told);
	end_line();
	msg = message_to(port);
	must("send", send_sized(&msg, HEADER));
	code("the receive right", ask(TELL, MACH_MSG_TYPE_MOVE_RECEIVE, port, 0, &told));
	put_told(&told);
	end_line();
	tell_name("here", port);
	code("it comes back", ask(SEND_BACK, 0, 0, MACH_MSG_TYPE_MOVE_RECEIVE, &told));
	fact("under its name", (mach_port_name_t)told.right.word == port);
	tell_name("here", port);
	tell_received(port, &msg);
}

/* The server's task dies with what it has: what its clients have then. */
static void server_dies(long type, long unused, long more_unused)
{
	mach_port_name_t port, reply = MACH_PORT_NULL;
	struct message msg;
	struct told told;

	(void)unused;
	(void)more_unused;
	start_server();
	port = make_port();
	code("given", ask(TELL, (mach_msg_type_name_t)type, port, 0, &told));
	tell_name("the port", port);
	must("request", mach_port_request_notification(self, server, 72 /* dead name */, 0, answers,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &reply));
	must("task_terminate", task_terminate(child.task));
	fact("the task dies", dies(child.task));
	tell_name("the port", port);
	tell_received(port, &msg);
	tell_name("the server", server);
	tell_received(answers, &msg);
}
EACH("mach_msg/tasks-server-dies-with-a-send-right", server_dies, 20, 0, 0)
EACH("mach_msg/tasks-server-dies-with-a-send-once-right", server_dies, 21, 0, 0)
EACH("mach_msg/tasks-server-dies-with-a-receive-right", server_dies, 16, 0, 0)
