/* Messages as cases make them: a header and at most two items. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <libmach/libmach.h>

struct item {
	mach_msg_type_t type;
	union {
		uint64_t word;
		vm_offset_t address;
		mach_port_name_inlined_t port;
	};
};

struct message {
	mach_msg_header_t head;
	struct item item[3];
};

enum { HEADER = 32, ITEM = 16 };

#define TYPE(...) ((mach_msg_type_t){ __VA_ARGS__ })
#define TYPE_PORT(disposition) \
	TYPE(.msgt_name = (disposition), .msgt_size = 64, .msgt_number = 1, .msgt_inline = TRUE)
#define TYPE_INTEGER \
	TYPE(.msgt_name = MACH_MSG_TYPE_INTEGER_32, .msgt_size = 32, .msgt_number = 1, \
	     .msgt_inline = TRUE)
#define TYPE_BYTES(count) \
	TYPE(.msgt_name = MACH_MSG_TYPE_BYTE, .msgt_size = 8, .msgt_number = (count))

static inline struct message message_to(mach_port_name_t to)
{
	return (struct message){
		.head = {
			.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
			.msgh_remote_port = to,
			.msgh_id = 1000,
		},
	};
}

static inline struct message message_with(mach_port_name_t to, mach_msg_type_t type,
					  uint64_t word)
{
	struct message msg = message_to(to);

	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.item[0].type = type;
	msg.item[0].word = word;
	return msg;
}

/* Sends without waiting for room. */
static inline mach_msg_return_t send_sized(struct message *msg, mach_msg_size_t size)
{
	return mach_msg(&msg->head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0,
			MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

/* Receives without waiting for a message. */
static inline mach_msg_return_t receive_sized(mach_port_name_t from, struct message *msg,
					      mach_msg_size_t size, mach_msg_option_t option)
{
	memset(msg, 0xff, sizeof(*msg));
	return mach_msg(&msg->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT | option, 0, size,
			from, 0, MACH_PORT_NULL);
}

static inline mach_msg_return_t receive(mach_port_name_t from, struct message *msg)
{
	return receive_sized(from, msg, sizeof(*msg), 0);
}

/* Empties the port; how many messages there were. */
static inline size_t drain(mach_port_name_t port)
{
	struct message msg;
	size_t n = 0;

	while (receive(port, &msg) == MACH_MSG_SUCCESS) {
		keep_name(msg.head.msgh_remote_port);
		n++;
	}
	return n;
}

static inline const char *port_word(mach_port_name_t name)
{
	return name == MACH_PORT_NULL ? "null" : name == MACH_PORT_DEAD ? "dead" : "a name";
}

static inline void tell_header(const struct message *msg, mach_port_name_t received_from)
{
	mach_printf("header: bits 0x%x, size %u, seqno %u, id %d, remote %s, local %s\n",
		    msg->head.msgh_bits, msg->head.msgh_size, msg->head.msgh_seqno,
		    msg->head.msgh_id, port_word(msg->head.msgh_remote_port),
		    msg->head.msgh_local_port == received_from ? "the port" :
		    port_word(msg->head.msgh_local_port));
}

static inline void tell_item(const struct item *item)
{
	mach_printf("item: type %u, %u bits, number %u%s%s%s\n", item->type.msgt_name,
		    item->type.msgt_size, item->type.msgt_number,
		    item->type.msgt_inline ? ", inline" : "",
		    item->type.msgt_longform ? ", long form" : "",
		    item->type.msgt_deallocate ? ", deallocate" : "");
}

/* Receives what is there and tells its header, and how its remote right is held. */
static inline mach_msg_return_t tell_received(mach_port_name_t from, struct message *msg)
{
	mach_msg_return_t mr = receive(from, msg);

	code("received", mr);
	if (mr != MACH_MSG_SUCCESS)
		return mr;
	tell_header(msg, from);
	if (MACH_PORT_VALID(msg->head.msgh_remote_port))
		tell_name("the remote name", keep_name(msg->head.msgh_remote_port));
	return mr;
}

#endif
