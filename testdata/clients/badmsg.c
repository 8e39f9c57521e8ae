/*
 * badmsg: what mach_msg answers to messages that are wrong, and what becomes
 * of the rights they carried.
 */
#include <libmach/libmach.h>

#include "report.h"

#define PAGE vm_page_size
#define NO_NAME ((mach_port_name_t)1000000)

/* An address no task can have. */
#define NOWHERE ((vm_offset_t)0x800000000000)

static mach_port_name_t self;

struct message {
	mach_msg_header_t head;
	mach_msg_type_t type;
	union {
		uint64_t word;
		vm_offset_t address;
		mach_port_name_inlined_t port;
	};
};

static mach_port_name_t make_port(void)
{
	mach_event_t port = MACH_PORT_NULL;

	must("port", mach_event_create(&port));
	return port;
}

static struct message simple(mach_port_name_t to)
{
	return (struct message){
		.head = {
			.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
			.msgh_remote_port = to,
			.msgh_id = 1000,
		},
	};
}

/* A message of one item whose type is as wrong as the caller makes it. */
static struct message with_item(mach_port_name_t to, mach_msg_type_t type, uint64_t word)
{
	struct message msg = simple(to);

	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.type = type;
	msg.word = word;
	return msg;
}

/* Sends without waiting for room. */
static mach_msg_return_t send_sized(struct message *msg, mach_msg_size_t size)
{
	return mach_msg(&msg->head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0,
			MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static mach_msg_return_t send(struct message msg)
{
	return send_sized(&msg, sizeof(msg));
}

static mach_msg_return_t send_header(struct message msg)
{
	return send_sized(&msg, sizeof(msg.head));
}

/* Receives without waiting for a message. */
static mach_msg_return_t receive_sized(mach_port_name_t from, struct message *msg,
				       mach_msg_size_t size, mach_msg_option_t option)
{
	memset(msg, 0xff, sizeof(*msg));
	return mach_msg(&msg->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT | option, 0, size,
			from, 0, MACH_PORT_NULL);
}

/* Empties the port; how many messages there were. */
static size_t drain(mach_port_name_t port)
{
	struct message msg;
	size_t n = 0;

	while (receive_sized(port, &msg, sizeof(msg), 0) == MACH_MSG_SUCCESS)
		n++;
	return n;
}

static void sizes_and_addresses(void)
{
	mach_port_name_t port = make_port();
	struct message msg = simple(port);
	vm_offset_t hole = must_allocate(self, 2 * PAGE);

	chapter("sizes and addresses");
	vm_deallocate(self, hole + PAGE, PAGE);
	code("neither send nor receive",
	     mach_msg(&msg.head, 0, 0, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL));
	code("send, no bytes", send_sized(&msg, 0));
	code("send, less than a header", send_sized(&msg, 24));
	code("send, a header and four bytes", send_sized(&msg, 36));
	code("send, a header and one byte", send_sized(&msg, 33));
	code("send, a header", send_sized(&msg, 32));
	code("send from an address no task can have",
	     send_sized((struct message *)NOWHERE, 32));
	code("send from a hole", send_sized((struct message *)(hole + PAGE), 32));
	code("send from the edge of a hole", send_sized((struct message *)(hole + PAGE - 16), 32));
	count("messages that arrived", drain(port));

	must("send", send_sized(&msg, 32));
	code("receive at an address no task can have",
	     mach_msg((mach_msg_header_t *)NOWHERE, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 64,
		      port, 0, MACH_PORT_NULL));
	count("messages left", drain(port));
	must("send", send_sized(&msg, 32));
	code("receive at the edge of a hole",
	     mach_msg((mach_msg_header_t *)(hole + PAGE - 16),
		      MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 64, port, 0, MACH_PORT_NULL));
	count("messages left", drain(port));
	mach_port_destroy(self, port);
	vm_deallocate(self, hole, PAGE);
}

static void headers(void)
{
	mach_port_name_t port = make_port();
	mach_port_name_t receive_only = MACH_PORT_NULL, set = MACH_PORT_NULL;
	mach_port_name_t dead = MACH_PORT_NULL;
	struct message msg;
	unsigned int remote;

	must("allocate", mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &receive_only));
	must("allocate", mach_port_allocate(self, MACH_PORT_RIGHT_PORT_SET, &set));
	must("allocate", mach_port_allocate(self, MACH_PORT_RIGHT_DEAD_NAME, &dead));

	chapter("destinations");
	code("null", send_header(simple(MACH_PORT_NULL)));
	code("the dead port", send_header(simple(MACH_PORT_DEAD)));
	code("a name of nothing", send_header(simple(NO_NAME)));
	code("a dead name", send_header(simple(dead)));
	code("a receive right", send_header(simple(receive_only)));
	code("a port set", send_header(simple(set)));
	for (remote = 0; remote <= 24; remote++) {
		if (remote == 1)
			remote = 15;
		msg = simple(port);
		msg.head.msgh_bits = MACH_MSGH_BITS(remote, 0);
		mach_printf("disposition %u: %s\n", remote,
			    mach_error_string(send_sized(&msg, 32)));
		if (remote == MACH_MSG_TYPE_MOVE_SEND)
			must("send right", mach_port_insert_right(self, port, port,
								  MACH_MSG_TYPE_MAKE_SEND));
	}
	msg = simple(port);
	msg.head.msgh_bits |= 0x00f00000;
	code("bits without a meaning", send_sized(&msg, 32));
	count("messages that arrived", drain(port));

	chapter("reply ports");
	msg = simple(port);
	msg.head.msgh_local_port = NO_NAME;
	code("a name of nothing without a disposition", send_sized(&msg, 32));
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_COPY_SEND);
	code("a name of nothing", send_sized(&msg, 32));
	msg.head.msgh_local_port = receive_only;
	code("a receive right, copied", send_sized(&msg, 32));
	msg.head.msgh_local_port = MACH_PORT_NULL;
	code("null", send_sized(&msg, 32));
	msg.head.msgh_local_port = MACH_PORT_DEAD;
	code("the dead port", send_sized(&msg, 32));
	msg.head.msgh_local_port = dead;
	code("a dead name", send_sized(&msg, 32));
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MOVE_RECEIVE);
	msg.head.msgh_local_port = receive_only;
	code("a receive right, moved", send_sized(&msg, 32));
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND);
	code("a receive right, send right made", send_sized(&msg, 32));
	msg.head.msgh_local_port = set;
	code("a port set, send right made", send_sized(&msg, 32));
	count("messages that arrived", drain(port));
	mach_port_destroy(self, port);
	mach_port_destroy(self, receive_only);
	mach_port_destroy(self, set);
	mach_port_destroy(self, dead);
}

#define ITEM(...) ((mach_msg_type_t){ __VA_ARGS__ })
#define INLINE_PORT(disposition) ITEM(.msgt_name = (disposition), .msgt_size = 64, \
				      .msgt_number = 1, .msgt_inline = TRUE)
#define BYTES(count) ITEM(.msgt_name = MACH_MSG_TYPE_BYTE, .msgt_size = 8, \
			  .msgt_number = (count))

static void bodies(void)
{
	mach_port_name_t port = make_port();
	mach_port_name_t carried = make_port();
	vm_offset_t hole = must_allocate(self, PAGE);
	struct message msg;

	chapter("bodies");
	code("an integer", send(with_item(port, ITEM(.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32, .msgt_number = 1, .msgt_inline = TRUE), 5)));
	must("receive", receive_sized(port, &msg, sizeof(msg), 0));
	fact("complex on arrival", (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0);
	code("an unused bit", send(with_item(port, ITEM(.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32, .msgt_number = 1, .msgt_inline = TRUE, .msgt_unused = 1), 5)));
	code("inline data to be deallocated",
	     send(with_item(port, ITEM(.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32, .msgt_number = 1, .msgt_inline = TRUE,
		.msgt_deallocate = TRUE), 5)));
	code("inline data past the end",
	     send(with_item(port, ITEM(.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32, .msgt_number = 3, .msgt_inline = TRUE), 5)));
	code("a great deal of inline data past the end",
	     send(with_item(port, ITEM(.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 0xffff, .msgt_number = 0xffffffff, .msgt_inline = TRUE), 5)));
	msg = with_item(port, BYTES(1), 0);
	code("a descriptor at the very end", send_sized(&msg, 40));
	count("messages that arrived", drain(port));

	code("a send right copied", send(with_item(port,
		INLINE_PORT(MACH_MSG_TYPE_COPY_SEND), carried)));
	must("receive", receive_sized(port, &msg, sizeof(msg), 0));
	mach_printf("it arrives as type %u, %u bits, number %u, inline %u\n",
		    msg.type.msgt_name, msg.type.msgt_size, msg.type.msgt_number,
		    msg.type.msgt_inline);
	fact("under the name we have for it", msg.port.name == carried);
	mach_port_deallocate(self, carried);
	code("a send right of 32 bits", send(with_item(port,
		ITEM(.msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 32,
		     .msgt_number = 1, .msgt_inline = TRUE), carried)));
	code("a send right that is not there", send(with_item(port,
		INLINE_PORT(MACH_MSG_TYPE_COPY_SEND), NO_NAME)));
	code("a receive right that is not there", send(with_item(port,
		INLINE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), self)));
	code("a null port", send(with_item(port,
		INLINE_PORT(MACH_MSG_TYPE_MOVE_SEND), MACH_PORT_NULL)));
	code("a dead port", send(with_item(port,
		INLINE_PORT(MACH_MSG_TYPE_MOVE_SEND), MACH_PORT_DEAD)));
	count("messages that arrived", drain(port));
	msg = with_item(port, ITEM(.msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 64,
				   .msgt_number = 0, .msgt_inline = TRUE), 0);
	code("no ports at all", send_sized(&msg, 40));
	must("receive", receive_sized(port, &msg, sizeof(msg), 0));
	fact("complex on arrival", (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0);

	must("vm_deallocate", vm_deallocate(self, hole, PAGE));
	code("memory from a hole", send(with_item(port, BYTES(100), hole)));
	code("memory no task can have", send(with_item(port, BYTES(100), NOWHERE)));
	code("memory around the end of 64 bits",
	     send(with_item(port, BYTES(PAGE), (vm_offset_t)0 - 8)));
	code("ports from nowhere", send(with_item(port,
		ITEM(.msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 32,
		     .msgt_number = 2), NOWHERE)));
	count("messages that arrived", drain(port));
	mach_port_destroy(self, port);
	mach_port_destroy(self, carried);
}

static void queues(void)
{
	mach_port_name_t port = make_port();
	mach_msg_return_t mr = MACH_MSG_SUCCESS;
	struct message msg;
	size_t sent = 0;

	chapter("a full queue");
	while (sent < 100 && (mr = send_header(simple(port))) == MACH_MSG_SUCCESS)
		sent++;
	count("messages that fit", sent);
	code("one more", mr);
	msg = simple(port);
	code("one more, looked at", send_sized(&msg, 32));
	mach_printf("disposition in the buffer afterwards: %u\n",
		    MACH_MSGH_BITS_REMOTE(msg.head.msgh_bits));
	fact("and the destination's name is the same", msg.head.msgh_remote_port == port);
	count("messages that arrived", drain(port));
	mach_port_destroy(self, port);
}

static void receives(void)
{
	mach_port_name_t port = make_port();
	mach_port_name_t set = MACH_PORT_NULL;
	struct message msg;

	must("allocate", mach_port_allocate(self, MACH_PORT_RIGHT_PORT_SET, &set));
	chapter("receiving");
	code("from null", receive_sized(MACH_PORT_NULL, &msg, sizeof(msg), 0));
	code("from the dead port", receive_sized(MACH_PORT_DEAD, &msg, sizeof(msg), 0));
	code("from a name of nothing", receive_sized(NO_NAME, &msg, sizeof(msg), 0));
	code("from a send right", receive_sized(self, &msg, sizeof(msg), 0));
	code("from an empty port", receive_sized(port, &msg, sizeof(msg), 0));
	code("from an empty set", receive_sized(set, &msg, sizeof(msg), 0));
	code("from an empty port, two milliseconds",
	     mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg), port, 2,
		      MACH_PORT_NULL));

	must("send", send(simple(port)));
	code("too large for the buffer, left in the queue",
	     receive_sized(port, &msg, 32, MACH_RCV_LARGE));
	count("size wanted", msg.head.msgh_size);
	code("and then with room for it", receive_sized(port, &msg, 48, 0));
	count("size", msg.head.msgh_size);
	count("sequence number", msg.head.msgh_seqno);
	must("send", send(simple(port)));
	code("too large for the buffer", receive_sized(port, &msg, 40, 0));
	count("size told", msg.head.msgh_size);
	count("id", (size_t)msg.head.msgh_id);
	fact("the port it was sent to is told", msg.head.msgh_local_port == port);
	code("it is gone", receive_sized(port, &msg, sizeof(msg), 0));
	must("send", send(simple(port)));
	code("no room even for a header", receive_sized(port, &msg, 16, 0));
	code("it is gone", receive_sized(port, &msg, sizeof(msg), 0));
	must("send", send_header(simple(port)));
	code("a header", receive_sized(port, &msg, 32, 0));
	count("sequence number", msg.head.msgh_seqno);
	mach_printf("remote disposition %u, local disposition %u\n",
		    MACH_MSGH_BITS_REMOTE(msg.head.msgh_bits),
		    MACH_MSGH_BITS_LOCAL(msg.head.msgh_bits));
	mach_port_destroy(self, port);
	mach_port_destroy(self, set);
}

/* A request to the kernel as no stub would make it; the return code it gets. */
static kern_return_t kernel_rpc(struct message *msg, mach_msg_size_t size, mach_msg_id_t id)
{
	union {
		struct message request;
		mig_reply_header_t reply;
		unsigned char room[512];
	} buffer;
	mach_msg_return_t mr;

	buffer.request = *msg;
	buffer.request.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE) |
					(msg->head.msgh_bits & MACH_MSGH_BITS_COMPLEX);
	buffer.request.head.msgh_local_port = mig_get_reply_port();
	buffer.request.head.msgh_id = id;
	mr = mach_msg(&buffer.request.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
		      size, sizeof(buffer), mig_get_reply_port(), 1000, MACH_PORT_NULL);
	if (mr != MACH_MSG_SUCCESS)
		return mr;
	if (buffer.reply.Head.msgh_id != id + 100 ||
	    buffer.reply.Head.msgh_size != sizeof(mig_reply_header_t))
		mach_printf("(reply %d of %u bytes) ", buffer.reply.Head.msgh_id,
			    buffer.reply.Head.msgh_size);
	return buffer.reply.RetCode;
}

static void kernel_requests(void)
{
	struct message msg = simple(self);

	chapter("requests to the kernel");
	code("an id of no routine", kernel_rpc(&msg, 32, 9999));
	code("a hole in the table", kernel_rpc(&msg, 32, 2022));
	code("id 0", kernel_rpc(&msg, 32, 0));
	code("vm_read without arguments", kernel_rpc(&msg, 32, 2026));
	msg.type = ITEM(.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64,
			.msgt_number = 1, .msgt_inline = TRUE);
	code("vm_read without its size", kernel_rpc(&msg, 48, 2026));
	code("vm_statistics with an argument", kernel_rpc(&msg, 48, 2030));
	code("mach_port_deallocate, name of 64 bits", kernel_rpc(&msg, 48, 3206));
	msg.type.msgt_name = MACH_MSG_TYPE_INTEGER_32;
	msg.type.msgt_size = 32;
	code("mach_port_deallocate, name as integer", kernel_rpc(&msg, 48, 3206));
	msg.type.msgt_name = MACH_MSG_TYPE_PORT_NAME;
	code("mach_port_deallocate, as it should be", kernel_rpc(&msg, 48, 3206));
	msg = with_item(self, BYTES(0), 0);
	code("mach_port_deallocate, out of line", kernel_rpc(&msg, 48, 3206));
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	self = mach_task_self();
	mach_printf("badmsg: wrong messages\n");
	sizes_and_addresses();
	headers();
	bodies();
	queues();
	receives();
	kernel_requests();
	mach_printf("\nbadmsg: done\n");
	return 0;
}
