/* wire1: messages word by word: headers, descriptors, items, what the kernel makes. */
#include "sweep.h"

#include <mach/notify.h>

static union {
	struct message msg;
	uint32_t words[64];
	unsigned char bytes[70000];
} wire;

/*
 * The words of a message; a name is written as what it is called here. Names
 * stand in the header's two places, and in the first item's data.
 */
static void tell_words(const uint32_t *words, size_t n, const mach_port_name_t *names,
		       const char *const *called, size_t known)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < known && (words[i] != names[j] || names[j] == 0); j++)
			continue;
		if (i != 2 && i != 4 && i != 10)
			j = known;
		if (j < known)
			put(called[j]);
		else
			put_number(words[i], 16);
		put(i + 1 == n ? "" : " ");
	}
	end_line();
}

/* ---- The header. */

CASE("mach_msg/wire-header")
{
	mach_port_name_t port = make_port(), reply = make_port();
	mach_port_name_t names[2] = { port, reply };
	static const char *const called[] = { "PORT", "REPLY" };
	static const uint32_t sent[8] = {
		0, 0x77777777, 0, 0x11111111, 0, 0x22222222, 0x33333333, 0x44444444,
	};

	memcpy(wire.words, sent, sizeof(sent));
	wire.words[0] = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND);
	wire.words[2] = port;
	wire.words[4] = reply;
	code("send", send_sized(&wire.msg, HEADER));
	tell_words(wire.words, 8, names, called, 2);
	must("receive", receive(port, &wire.msg));
	tell_words(wire.words, 8, names, called, 2);
	fact("the next word is not written", wire.words[8] == 0xffffffff);
	mach_printf("offsets: %zu %zu %zu %zu %zu %zu, size %zu\n",
		    offsetof(mach_msg_header_t, msgh_bits), offsetof(mach_msg_header_t, msgh_size),
		    offsetof(mach_msg_header_t, msgh_remote_port),
		    offsetof(mach_msg_header_t, msgh_local_port),
		    offsetof(mach_msg_header_t, msgh_seqno), offsetof(mach_msg_header_t, msgh_id),
		    sizeof(mach_msg_header_t));
}

/* Each bit above the dispositions, with and without the others' company. */
static void header_bits(long complex, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	unsigned int bit;

	(void)unused;
	(void)more_unused;
	for (bit = 16; bit < 32; bit++) {
		struct message msg = message_to(port);

		msg.head.msgh_bits |= 1u << bit | (complex ? MACH_MSGH_BITS_COMPLEX : 0);
		msg.item[0].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
		put_code(send_sized(&msg, HEADER + ITEM));
		if (receive(port, &msg) == MACH_MSG_SUCCESS) {
			put_number(msg.head.msgh_bits, 16);
			put(" ");
			put_number(msg.item[0].type.msgt_name, 10);
		}
		put(bit % 4 == 3 ? "" : ", ");
		if (bit % 4 == 3)
			end_line();
	}
}
EACH("mach_msg/wire-header-bits", header_bits, 0, 0, 0)
EACH("mach_msg/wire-header-bits-complex", header_bits, 1, 0, 0)

/* The message's own address need not be aligned. */
static void unaligned(long offset, long complex, long unused)
{
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t page = island(2);
	struct message *msg = (struct message *)(page + (vm_offset_t)offset);
	struct message copy = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), body);

	(void)unused;
	if (!complex)
		copy.head.msgh_bits &= ~MACH_MSGH_BITS_COMPLEX;
	memcpy(msg, &copy, sizeof(copy));
	code("send", send_sized(msg, HEADER + ITEM));
	memset((void *)page, 0xee, 2 * PAGE);
	code("receive", mach_msg(&msg->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, HEADER + ITEM,
				 port, 0, MACH_PORT_NULL));
	memcpy(&copy, msg, sizeof(copy));
	tell_header(&copy, port);
	tell_item(&copy.item[0]);
	fact("what it carries", copy.item[0].port.name == body);
	fact("the byte before and the byte behind",
	     (offset == 0 || ((unsigned char *)msg)[-1] == 0xee) &&
	     ((unsigned char *)msg)[HEADER + ITEM] == 0xee);
}
EACH("mach_msg/wire-at-offset-1", unaligned, 1, 0, 0)
EACH("mach_msg/wire-at-offset-4", unaligned, 4, 1, 0)
EACH("mach_msg/wire-at-offset-7", unaligned, 7, 1, 0)
EACH("mach_msg/wire-at-the-page-s-end", unaligned, 4096 - 48 - 1, 1, 0)

/* ---- Descriptors. */

/* All type names: what is told of each, and as what it arrives. */
static void type_names(long size, long in_place, long longform)
{
	mach_port_name_t port = make_port();
	vm_offset_t data = island(1);
	unsigned int name;

	for (name = 0; name < 256; name++) {
		struct message msg = message_with(port,
			TYPE(.msgt_name = name, .msgt_size = (unsigned int)size & 0xffff,
			     .msgt_number = 1, .msgt_inline = in_place & 1,
			     .msgt_longform = longform & 1), in_place ? 0 : data);
		mach_msg_return_t mr = send_sized(&msg, HEADER + ITEM);

		put_code(mr);
		if (mr == MACH_MSG_SUCCESS) {
			must("receive", receive(port, &msg));
			if (msg.item[0].type.msgt_name != name) {
				put("as ");
				put_number(msg.item[0].type.msgt_name, 10);
			}
			put(msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX ? "c" : "s");
			put(msg.item[0].type.msgt_longform ? "l" : "");
			put(msg.item[0].type.msgt_deallocate ? "d" : "");
			if (!in_place)
				vm_deallocate(self, msg.item[0].address, 8);
		}
		put(name % 32 == 31 ? "" : " ");
		if (name % 32 == 31)
			end_line();
	}
}
EACH("mach_msg/wire-type-names-inline", type_names, 64, 1, 0)
EACH("mach_msg/wire-type-names-inline-32", type_names, 32, 1, 0)
EACH("mach_msg/wire-type-names-inline-long", type_names, 64, 1, 1)
EACH("mach_msg/wire-type-names-out-of-line", type_names, 32, 0, 0)
EACH("mach_msg/wire-type-names-out-of-line-long", type_names, 32, 0, 1)

/* All values of the bits that are to be zero. */
CASE("mach_msg/wire-unused-bits")
{
	mach_port_name_t port = make_port();
	unsigned int unused;

	for (unused = 0; unused < 32; unused++) {
		struct message msg = message_with(port, TYPE_INTEGER, 1);

		msg.item[0].type.msgt_unused = unused;
		put_code(send_sized(&msg, HEADER + ITEM));
	}
	end_line();
	count("messages", drain(port));
}

/* A descriptor as it is sent, and as it arrives: bits and number. */
static void arrives(mach_msg_type_t type, uint64_t word)
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(port, type, word);
	uint32_t words[2];

	memcpy(words, &msg.item[0].type, 8);
	mach_printf("0x%08x %u: ", words[0], words[1]);
	must("send", send_sized(&msg, HEADER + ITEM));
	must("receive", receive(port, &msg));
	memcpy(words, &msg.item[0].type, 8);
	mach_printf("0x%08x %u, bits 0x%x\n", words[0], words[1], msg.head.msgh_bits);
	if (!msg.item[0].type.msgt_inline)
		keep_memory(msg.item[0].address, 8);
	else if (msg.item[0].type.msgt_name >= 16 && msg.item[0].type.msgt_name <= 18)
		keep_name(msg.item[0].port.name);
}

CASE("mach_msg/wire-descriptors-as-they-arrive")
{
	vm_offset_t data = island(2);
	mach_port_name_t *names = (mach_port_name_t *)(data + PAGE);
	unsigned int l;

	for (l = 0; l < 2; l++) {
		arrives(TYPE(.msgt_name = 2, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1,
			     .msgt_longform = l), 5);
		arrives(TYPE(.msgt_name = 20, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1,
			     .msgt_longform = l), make_receive());
		arrives(TYPE(.msgt_name = 21, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1,
			     .msgt_longform = l), make_receive());
		arrives(TYPE(.msgt_name = 16, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1,
			     .msgt_longform = l), make_receive());
		arrives(TYPE(.msgt_name = 9, .msgt_size = 8, .msgt_number = 8, .msgt_longform = l),
			data);
		names[0] = make_receive();
		arrives(TYPE(.msgt_name = 20, .msgt_size = 32, .msgt_number = 1,
			     .msgt_longform = l), (vm_offset_t)names);
		arrives(TYPE(.msgt_name = 9, .msgt_size = 8, .msgt_longform = l,
			     .msgt_deallocate = 1), data);
		arrives(TYPE(.msgt_name = 20, .msgt_size = 32, .msgt_longform = l), 5);
	}
	arrives(TYPE(.msgt_name = 9, .msgt_size = 8, .msgt_number = 8, .msgt_deallocate = 1), data);
	tell_memory("the sender's", data, 2);
}

/* ---- Lengths: the bytes an item takes, and where the next one starts. */

static const unsigned int sizes[] = {
	1, 7, 8, 12, 24, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 1000, 4095, 4096, 65535,
};
static const unsigned int numbers[] = { 0, 1, 2, 3, 5, 7, 8, 9, 64 };
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

/*
 * Inline, with a right behind it: told are the bytes, and the codes of the
 * message whole, without its last word, and as another message whose right
 * stands a word too early.
 */
static void inline_lengths(long type, long longform, long unused)
{
	mach_port_name_t port = make_port();
	size_t s, n;

	(void)unused;
	for (s = 0; s < SIZES; s++) {
		put_number(sizes[s], 10);
		put(":");
		for (n = 0; n < NUMBERS; n++) {
			size_t bytes = ((size_t)sizes[s] * numbers[n] + 7) / 8;
			size_t room = (bytes + 7) & ~(size_t)7, end = HEADER + 8 + room + ITEM;
			struct item *right = (struct item *)(wire.bytes + HEADER + 8 + room);
			mach_msg_return_t mr;

			if (end > sizeof(wire))
				continue;
			memset(wire.bytes, 0, end);
			wire.msg.head = message_to(port).head;
			wire.msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
			wire.msg.item[0].type = TYPE(.msgt_name = (unsigned int)type & 0xff,
						     .msgt_size = sizes[s],
						     .msgt_number = numbers[n], .msgt_inline = 1,
						     .msgt_longform = longform & 1);
			*right = (struct item){ .type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND) };
			right->word = port;
			put(" ");
			put_number(bytes, 10);
			put_code(send_sized(&wire.msg, (mach_msg_size_t)end - 8));
			mr = send_sized(&wire.msg, (mach_msg_size_t)end);
			put_code(mr);
			if (mr == MACH_MSG_SUCCESS) {
				memset(wire.bytes, 0xff, end);
				must("receive", mach_msg(&wire.msg.head,
							 MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
							 sizeof(wire), port, 0, MACH_PORT_NULL));
				put(right->type.msgt_name == 17 && right->port.name == port ? "" : "!");
			}
		}
		end_line();
	}
	tell_name("the port", port);
}
EACH("mach_msg/wire-lengths-inline", inline_lengths, 9, 0, 0)
EACH("mach_msg/wire-lengths-inline-long", inline_lengths, 0, 1, 0)

/* Out of line, ending where memory ends: whole, and with a byte too many. */
static void outside_lengths(long deallocate, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	vm_offset_t end = island(130) + 130 * PAGE, page;
	size_t s, n;
	int late;

	(void)unused;
	(void)more_unused;
	for (s = 0; s < SIZES; s++) {
		put_number(sizes[s], 10);
		put(":");
		for (n = 0; n < NUMBERS; n++) {
			size_t bytes = ((size_t)sizes[s] * numbers[n] + 7) / 8;

			put(" ");
			for (late = 0; late < 2; late++) {
				struct message msg = message_with(port,
					TYPE(.msgt_name = 0, .msgt_size = sizes[s],
					     .msgt_number = numbers[n],
					     .msgt_deallocate = deallocate & 1),
					end - bytes + (vm_offset_t)late);
				mach_msg_return_t mr = send_sized(&msg, HEADER + ITEM);
				struct region r;

				put_code(mr);
				if (mr != MACH_MSG_SUCCESS)
					continue;
				must("receive", receive(port, &msg));
				put(msg.item[0].address == 0 ? "0" :
				    msg.item[0].address % PAGE == (end - bytes) % PAGE ? "" : "!");
				vm_deallocate(self, msg.item[0].address, bytes);
				/* The pages that went are made anew. */
				for (page = end - 130 * PAGE; deallocate && page < end; page += PAGE)
					if (find_region(self, page, &r) != KERN_SUCCESS ||
					    r.start > page) {
						vm_offset_t at = page;

						must("vm_allocate", vm_allocate(self, &at, PAGE, FALSE));
						put("g");
					}
			}
		}
		end_line();
	}
}
EACH("mach_msg/wire-lengths-out-of-line", outside_lengths, 0, 0, 0)
EACH("mach_msg/wire-lengths-out-of-line-deallocate", outside_lengths, 1, 0, 0)

/* ---- What the kernel makes: notifications and replies, all their words. */

static mach_port_name_t asked(mach_port_name_t port, mach_msg_id_t id, mach_port_name_t notify)
{
	mach_port_name_t before = MACH_PORT_NULL;

	must("request", mach_port_request_notification(self, port, id, 0, notify,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
	return port;
}

static void tell_note(mach_port_name_t notify, mach_port_name_t port)
{
	static const char *const called[] = { "NOTIFY", "PORT", "CARRIED" };
	mach_port_name_t names[3] = { notify, port, MACH_PORT_NULL };

	memset(&wire, 0xff, 256);
	must("receive", mach_msg(&wire.msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 256, notify,
				 0, MACH_PORT_NULL));
	if (wire.msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
		names[2] = keep_name(wire.msg.item[0].port.name);
	tell_words(wire.words, wire.msg.head.msgh_size / 4, names, called, 3);
	fact("no word more is written", wire.words[wire.msg.head.msgh_size / 4] == 0xffffffff);
}

CASE("mach_msg/wire-notification-dead-name")
{
	mach_port_name_t notify = make_receive();
	mach_port_name_t port = asked(make_port(), MACH_NOTIFY_DEAD_NAME, notify);

	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_note(notify, port);
}

CASE("mach_msg/wire-notification-port-deleted")
{
	mach_port_name_t notify = make_receive();
	mach_port_name_t port = asked(make_send(), MACH_NOTIFY_DEAD_NAME, notify);

	must("deallocate", mach_port_deallocate(self, port));
	tell_note(notify, port);
}

CASE("mach_msg/wire-notification-no-senders")
{
	mach_port_name_t notify = make_receive();
	mach_port_name_t port = asked(make_port(), MACH_NOTIFY_NO_SENDERS, notify);

	must("mscount", mach_port_set_mscount(self, port, 0x12345678));
	must("deallocate", mach_port_deallocate(self, port));
	tell_note(notify, port);
}

CASE("mach_msg/wire-notification-port-destroyed")
{
	mach_port_name_t notify = make_receive();
	mach_port_name_t port = asked(make_receive(), MACH_NOTIFY_PORT_DESTROYED, notify);

	must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	tell_note(notify, port);
}

CASE("mach_msg/wire-notification-send-once")
{
	mach_port_name_t notify = make_receive();
	mach_port_name_t once = send_once_to(notify);

	must("deallocate", mach_port_deallocate(self, once));
	tell_note(notify, once);
}

/* A request and all words of its reply. */
static void tell_reply(mach_msg_id_t id, mach_msg_size_t size, mach_msg_type_name_t disposition)
{
	static const char *const called[] = { "REPLY" };
	mach_port_name_t reply = make_port();
	size_t i;

	wire.msg.head = message_to(self).head;
	wire.msg.head.msgh_bits |= MACH_MSGH_BITS(0, disposition);
	wire.msg.head.msgh_local_port = reply;
	wire.msg.head.msgh_id = id;
	wire.msg.head.msgh_seqno = 5;
	must("send", send_sized(&wire.msg, size));
	memset(&wire, 0xff, 1024);
	must("receive", mach_msg(&wire.msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, 1024, reply, 0,
				 MACH_PORT_NULL));
	if (wire.msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) {
		i = (HEADER + ITEM + 8) / 8;	/* the address is the kernel's own affair */
		keep_memory(((vm_offset_t *)wire.bytes)[i], wire.words[13]);
		((vm_offset_t *)wire.bytes)[i] %= PAGE;
	}
	/* What stands behind 32 bits of an item is nobody's. */
	for (i = HEADER / 4; i + 3 < wire.msg.head.msgh_size / 4; i += 4)
		if ((wire.words[i] >> 8 & 0xffff) == 32 && wire.words[i + 1] == 1)
			wire.words[i + 3] = 0;
	tell_words(wire.words, wire.msg.head.msgh_size / 4, &reply, called, 1);
	fact("no word more is written", wire.words[wire.msg.head.msgh_size / 4] == 0xffffffff);
}

CASE("kernel/wire-reply-unknown-id") { tell_reply(9999, HEADER, MACH_MSG_TYPE_MAKE_SEND_ONCE); }
CASE("kernel/wire-reply-by-send-right") { tell_reply(9999, HEADER, MACH_MSG_TYPE_MAKE_SEND); }
CASE("kernel/wire-reply-bad-arguments") { tell_reply(2026, HEADER, MACH_MSG_TYPE_COPY_SEND); }

CASE("kernel/wire-reply-get-refs")
{
	wire.msg.item[0].type = TYPE(.msgt_name = 15, .msgt_size = 32, .msgt_number = 1,
				     .msgt_inline = 1);
	wire.msg.item[0].word = make_receive();
	wire.msg.item[1].type = TYPE_INTEGER;
	wire.msg.item[1].word = MACH_PORT_RIGHT_RECEIVE;
	tell_reply(3207, HEADER + 2 * ITEM, MACH_MSG_TYPE_MAKE_SEND_ONCE);
}

CASE("kernel/wire-reply-vm-read")
{
	mach_msg_type_t type = TYPE(.msgt_name = 11, .msgt_size = 64, .msgt_number = 1,
				    .msgt_inline = 1);

	wire.msg.item[0].type = type;
	wire.msg.item[0].word = island(2);
	wire.msg.item[1].type = type;
	wire.msg.item[1].word = 8192;
	tell_reply(2026, HEADER + 2 * ITEM, MACH_MSG_TYPE_MAKE_SEND_ONCE);
}
