/* waits: threads that wait in mach_msg for a message, and calls. */
#include "suite.h"

#include "second.h"

static struct second one, two, three;

static void send_id(mach_port_name_t port, mach_msg_id_t id, mach_msg_size_t size)
{
	struct message msg = message_to(port);

	msg.head.msgh_id = id;
	msg.item[0].type = TYPE_INTEGER;
	must("send", send_sized(&msg, size));
}

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
	mach_printf("%s: id %d, size %u, seqno %u\n", what, s->message.head.msgh_id,
		    s->message.head.msgh_size, s->message.head.msgh_seqno);
}

CASE("mach_msg/receivers-wait-in-order")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0, 0);
	start_receiver(&two, port, 0, 0);
	start_receiver(&three, port, 0, 0);
	send_id(port, 1, HEADER);
	send_id(port, 2, HEADER);
	send_id(port, 3, HEADER);
	tell_receiver(&one, "the first");
	tell_receiver(&two, "the second");
	tell_receiver(&three, "the third");
	second_end(&one);
	second_end(&two);
	second_end(&three);
}

static void waits_too_small(long option, long size, long unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	start_receiver(&one, port, (mach_msg_size_t)size, (mach_msg_option_t)option);
	send_id(port, 7, HEADER + ITEM);
	tell_receiver(&one, "the receiver");
	count("messages left", drain(port));
	second_end(&one);
}
EACH("mach_msg/receive-waits-too-small", waits_too_small, 0, HEADER, 0)
EACH("mach_msg/receive-waits-too-small-for-a-header", waits_too_small, 0, 16, 0)
EACH("mach_msg/receive-waits-just-enough", waits_too_small, 0, HEADER + ITEM, 0)
EACH("mach_msg/receive-waits-large-too-small", waits_too_small, MACH_RCV_LARGE, HEADER, 0)
EACH("mach_msg/receive-waits-large-just-enough", waits_too_small, MACH_RCV_LARGE, HEADER + ITEM, 0)

CASE("mach_msg/receive-waits-large-then-another-with-room")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, HEADER, MACH_RCV_LARGE);
	start_receiver(&two, port, HEADER, MACH_RCV_LARGE);
	start_receiver(&three, port, 0, 0);
	send_id(port, 7, HEADER + ITEM);
	tell_receiver(&three, "the third");
	seconds_settle();
	fact("the first waits", !one.done);
	fact("the second waits", !two.done);
	send_id(port, 8, HEADER + ITEM);
	tell_receiver(&one, "the first");
	tell_receiver(&two, "the second");
	count("messages left", drain(port));
	second_end(&one);
	second_end(&two);
	second_end(&three);
}

/* What takes the receive right, or the set, away from two who wait. */
enum loss { BY_MOD_REFS, BY_DESTROY, BY_MESSAGE, BY_INSERT };

static void waits_and_loses(long loss, long set, long unused)
{
	mach_port_name_t port = set ? make_set() : make_port(), carrier = make_port();
	struct message msg;

	(void)unused;
	start_receiver(&one, port, 0, 0);
	start_receiver(&two, port, 0, MACH_RCV_LARGE);
	switch ((enum loss)loss) {
	case BY_MOD_REFS:
		code("mach_port_mod_refs", mach_port_mod_refs(self, port,
			set ? MACH_PORT_RIGHT_PORT_SET : MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case BY_DESTROY:
		code("mach_port_destroy", mach_port_destroy(self, port));
		break;
	case BY_MESSAGE:
		msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
		code("send", send_sized(&msg, HEADER + ITEM));
		break;
	case BY_INSERT:
		code("mach_port_insert_right",
		     mach_port_insert_right(make_task(FALSE), FREE_NAME, port,
					    MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	}
	second_tell(&one, "the first");
	second_tell(&two, "the second");
	tell_name("the name", port);
	second_end(&one);
	second_end(&two);
}
EACH("mach_msg/receive-waits-right-goes-by-mod-refs", waits_and_loses, BY_MOD_REFS, 0, 0)
EACH("mach_msg/receive-waits-right-goes-by-destroy", waits_and_loses, BY_DESTROY, 0, 0)
EACH("mach_msg/receive-waits-right-goes-in-a-message", waits_and_loses, BY_MESSAGE, 0, 0)
EACH("mach_msg/receive-waits-right-goes-to-another-task", waits_and_loses, BY_INSERT, 0, 0)
EACH("mach_msg/receive-waits-set-goes-by-mod-refs", waits_and_loses, BY_MOD_REFS, 1, 0)
EACH("mach_msg/receive-waits-set-goes-by-destroy", waits_and_loses, BY_DESTROY, 1, 0)

CASE("mach_msg/receive-waits-send-right-goes")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0, 0);
	must("mach_port_deallocate", mach_port_deallocate(self, port));
	seconds_settle();
	fact("still waits", !one.done);
	must("mach_port_insert_right",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	send_id(port, 3, HEADER);
	tell_receiver(&one, "the receiver");
	second_end(&one);
}

CASE("mach_msg/receiver-terminated-takes-nothing")
{
	mach_port_name_t port = make_port();

	start_receiver(&one, port, 0, 0);
	start_receiver(&two, port, 0, 0);
	code("thread_terminate", thread_terminate(one.thread));
	tell_name("its name", one.thread);
	send_id(port, 5, HEADER);
	tell_receiver(&two, "the second");
	code("thread_terminate", thread_terminate(two.thread));
	send_id(port, 6, HEADER);
	count("messages left", drain(port));
	second_end(&one);
	second_end(&two);
}

/* The buffer goes while the thread waits. */
static void into_lost_memory(struct second *s)
{
	s->answer = mach_msg_trap((mach_msg_header_t *)s->message.item[0].address, MACH_RCV_MSG,
				  0, PAGE, s->port, 0, MACH_PORT_NULL);
}

static void buffer_goes(long protect, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t buffer = island(1);
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), body);

	(void)unused;
	(void)more_unused;
	one.port = port;
	one.message.item[0].address = buffer;
	second_start(&one, into_lost_memory);
	if (protect)
		must("vm_protect", vm_protect(self, buffer, PAGE, FALSE, VM_PROT_READ));
	else
		must("vm_deallocate", vm_deallocate(self, buffer, PAGE));
	must("send", send_sized(&msg, HEADER + ITEM));
	second_tell(&one, "receive");
	tell_name("the carried right", body);
	count("messages left", drain(port));
	second_end(&one);
}
EACH("mach_msg/receive-waits-buffer-deallocated", buffer_goes, 0, 0, 0)
EACH("mach_msg/receive-waits-buffer-protected", buffer_goes, 1, 0, 0)

/* Memory and rights in a message that goes right to a waiting receiver. */
CASE("mach_msg/waiting-receiver-gets-memory")
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(2);
	struct message msg = message_with(port, TYPE_BYTES(2 * 4096), data);

	pattern_fill(data, 2 * PAGE, 1);
	start_receiver(&one, port, 0, 0);
	must("send", send_sized(&msg, HEADER + ITEM));
	pattern_fill(data, 2 * PAGE, 2);
	second_tell(&one, "receive");
	tell_item(&one.message.item[0]);
	count("wrong bytes", pattern_wrong(keep_memory(one.message.item[0].address, 2 * PAGE),
					   2 * PAGE, 1));
	second_end(&one);
}

/* ---- Send and receive in one trap, without a timeout: a call. */

static struct message answer;
static mach_msg_size_t answer_size;

/* Receives a request and answers it, or lets it die with option != 0. */
static void second_serves(struct second *s)
{
	struct message request;

	if (s->option != 0) {
		s->answer = mach_msg_trap(&request.head, MACH_RCV_MSG, 0, 0, s->port, 0,
					  MACH_PORT_NULL);
		return;
	}
	s->answer = mach_msg_trap(&request.head, MACH_RCV_MSG, 0, sizeof(request), s->port, 0,
				  MACH_PORT_NULL);
	s->message = request;
	answer.head.msgh_bits |= MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(request.head.msgh_bits), 0);
	answer.head.msgh_remote_port = request.head.msgh_remote_port;
	s->answer = mach_msg_trap(&answer.head, MACH_SEND_MSG, answer_size, 0, MACH_PORT_NULL, 0,
				  MACH_PORT_NULL);
}

/* Calls the second thread; size is that of the caller's buffer. */
static void calls(mach_msg_size_t size, mach_msg_option_t option, mach_msg_type_name_t disposition)
{
	mach_port_name_t port = make_port(), reply = make_port();
	struct message msg = message_to(port);

	answer.head.msgh_id = 1100;
	one.port = port;
	one.option = 0;
	second_start(&one, second_serves);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, disposition);
	msg.head.msgh_local_port = reply;
	code("mach_msg", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG | option, HEADER,
				       size, reply, 0, MACH_PORT_NULL));
	tell_header(&msg, reply);
	second_tell(&one, "the server");
	tell_header(&one.message, port);
	tell_name("the reply port", reply);
	count("messages left", drain(reply));
	second_end(&one);
}

static void call_sizes(long size, long option, long disposition)
{
	answer = message_to(MACH_PORT_NULL);
	answer.head.msgh_bits = 0;
	answer.item[0].type = TYPE_INTEGER;
	answer_size = HEADER + ITEM;
	calls((mach_msg_size_t)size, (mach_msg_option_t)option, (mach_msg_type_name_t)disposition);
}
EACH("mach_msg/call", call_sizes, HEADER + ITEM, 0, 21)
EACH("mach_msg/call-reply-by-send-right", call_sizes, HEADER + ITEM, 0, 20)
EACH("mach_msg/call-reply-by-moved-right", call_sizes, HEADER + ITEM, 0, 17)
EACH("mach_msg/call-reply-too-large", call_sizes, HEADER, 0, 21)
EACH("mach_msg/call-reply-too-large-for-a-header", call_sizes, 8, 0, 21)
EACH("mach_msg/call-reply-too-large-kept", call_sizes, HEADER, MACH_RCV_LARGE, 21)

CASE("mach_msg/call-reply-with-memory")
{
	vm_offset_t data = island(1);

	pattern_fill(data, PAGE, 1);
	answer = message_with(MACH_PORT_NULL, TYPE_BYTES(4096), data);
	answer.head.msgh_bits = MACH_MSGH_BITS_COMPLEX;
	answer_size = HEADER + ITEM;
	calls(sizeof(struct message), 0, 21);
}

CASE("mach_msg/call-reply-with-right")
{
	mach_port_name_t port = make_port();

	answer = message_with(MACH_PORT_NULL, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);
	answer.head.msgh_bits = MACH_MSGH_BITS_COMPLEX;
	answer_size = HEADER + ITEM;
	calls(sizeof(struct message), 0, 21);
	tell_name("the right", port);
}

/* Send and receive in one, where the destination is one's own port. */
static void call_oneself(long size, long full, long unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	(void)unused;
	msg.item[0].type = TYPE_INTEGER;
	if (full) {
		must("send", send_sized(&msg, HEADER));
		msg = message_to(port);
		msg.head.msgh_id = 2000;
	}
	code("mach_msg", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG, HEADER + ITEM,
				       (mach_msg_size_t)size, port, 0, MACH_PORT_NULL));
	tell_header(&msg, port);
	count("messages left", drain(port));
}
EACH("mach_msg/call-oneself", call_oneself, HEADER + ITEM, 0, 0)
EACH("mach_msg/call-oneself-too-large", call_oneself, HEADER, 0, 0)
EACH("mach_msg/call-oneself-behind-another", call_oneself, HEADER + ITEM, 1, 0)

static void call_bad_receive(long kind, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), name = make_kind((enum name_kind)kind);
	struct message msg = message_to(port);

	(void)unused;
	(void)more_unused;
	code("mach_msg", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG, HEADER, HEADER,
				       name, 0, MACH_PORT_NULL));
	count("messages", drain(port));
}
EACH("mach_msg/call-receive-from-null", call_bad_receive, KIND_null, 0, 0)
EACH("mach_msg/call-receive-from-no-name", call_bad_receive, KIND_no_name, 0, 0)
EACH("mach_msg/call-receive-from-send-right", call_bad_receive, KIND_send, 0, 0)
EACH("mach_msg/call-receive-from-dead-name", call_bad_receive, KIND_dead_name, 0, 0)

CASE("mach_msg/call-bad-destination")
{
	mach_port_name_t reply = make_receive();
	struct message msg = message_to(NO_NAME);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	code("mach_msg", mach_msg_trap(&msg.head, MACH_SEND_MSG | MACH_RCV_MSG, HEADER,
				       sizeof(msg), reply, 0, MACH_PORT_NULL));
	tell_name("the reply port", reply);
}

/* The buffer can be read and not written. */
static void call_from_read_only(long timed, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	vm_offset_t buffer = island(1);

	(void)unused;
	(void)more_unused;
	*(struct message *)buffer = message_to(port);
	must("vm_protect", vm_protect(self, buffer, PAGE, FALSE, VM_PROT_READ));
	code("mach_msg", mach_msg_trap((mach_msg_header_t *)buffer, MACH_SEND_MSG | MACH_RCV_MSG |
				       (timed ? MACH_RCV_TIMEOUT : 0), HEADER, PAGE, port, 0,
				       MACH_PORT_NULL));
	count("messages left", drain(port));
}
EACH("mach_msg/call-from-read-only", call_from_read_only, 0, 0, 0)
EACH("mach_msg/call-from-read-only-timed", call_from_read_only, 1, 0, 0)

/* ---- What stubs make of answers. */

static void stub_call(boolean_t dies)
{
	mach_port_name_t port = make_port();

	one.port = port;
	one.option = dies;
	second_start(&one, second_serves);
	code("vm_deallocate", vm_deallocate(port, 0, 0));
	second_tell(&one, "the server");
	second_end(&one);
}

CASE("kernel/stub-request-destroyed-unanswered") { stub_call(TRUE); }

static void stub_answer(long id, long size, long retcode)
{
	answer = message_to(MACH_PORT_NULL);
	answer.head.msgh_bits = 0;
	answer.head.msgh_id = (mach_msg_id_t)id;
	answer.item[0].type = TYPE_INTEGER;
	answer.item[0].word = (uint32_t)retcode;
	answer.item[1].type = TYPE_INTEGER;
	answer_size = (mach_msg_size_t)size;
	stub_call(FALSE);
}
EACH("kernel/stub-answered", stub_answer, 2123, 48, 0)
EACH("kernel/stub-answered-with-a-code", stub_answer, 2123, 48, 5)
EACH("kernel/stub-answered-with-another-id", stub_answer, 2124, 48, 0)
EACH("kernel/stub-answered-too-short", stub_answer, 2123, 32, 0)
EACH("kernel/stub-answered-too-long", stub_answer, 2123, 64, 0)
EACH("kernel/stub-answered-too-long-with-a-code", stub_answer, 2123, 64, 5)
