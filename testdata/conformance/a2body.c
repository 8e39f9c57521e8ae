/*
 * a2body: bodies that fail at one item, and what became of the items before it,
 * of the rights in the header, and of the sender's memory.
 */
#include "sweep.h"

/* Everything a message can carry that the case looks at afterwards. */
struct laden {
	struct swept rights[4];
	size_t right_count;
	vm_offset_t pages[4];
	size_t page_count;
};

static struct laden laden;

static struct swept *laden_right(enum name_kind kind)
{
	laden.rights[laden.right_count] = swept_make(kind, 1);
	return &laden.rights[laden.right_count++];
}

static vm_offset_t laden_page(void)
{
	vm_offset_t at = laden.pages[laden.page_count++] = island_in(self, 2);

	memset((void *)at, 0x55, 2 * PAGE);
	return at;
}

static void put_laden(void)
{
	struct region r;
	size_t i;

	for (i = 0; i < laden.right_count; i++) {
		put(i ? "+" : "/");
		put_swept(&laden.rights[i]);
	}
	for (i = 0; i < laden.page_count; i++)
		put(find_region(self, laden.pages[i], &r) == KERN_SUCCESS &&
		    r.start <= laden.pages[i] ? "/here" : "/gone");
}

static void end_laden(void)
{
	while (laden.right_count > 0)
		swept_end(laden.rights[--laden.right_count]);
	while (laden.page_count > 0)
		vm_deallocate(self, laden.pages[--laden.page_count], 2 * PAGE);
}

/* ---- Items that are right. */

static struct item port_item(mach_msg_type_name_t type, enum name_kind kind)
{
	struct item it = { .type = TYPE_PORT(type) };

	it.word = laden_right(kind)->name;
	return it;
}

static struct item memory_item(boolean_t deallocate)
{
	struct item it = { .type = TYPE_BYTES(100) };

	it.type.msgt_deallocate = deallocate & 1;
	it.address = laden_page() + 8;
	return it;
}

/* Two rights of one disposition in an array; name is the second's if not null. */
static struct item array_item(mach_msg_type_name_t type, enum name_kind kind, boolean_t deallocate,
			      mach_port_name_t name)
{
	struct item it = { .type = TYPE(.msgt_name = type, .msgt_size = 32, .msgt_number = 2) };
	mach_port_name_t *names = (mach_port_name_t *)laden_page();

	it.type.msgt_deallocate = deallocate & 1;
	it.address = (vm_offset_t)names;
	names[0] = laden_right(kind)->name;
	names[1] = name;
	return it;
}

static struct item right_item(long which)
{
	switch (which) {
	case 0: return (struct item){ .type = TYPE_INTEGER, .word = 5 };
	case 1: return port_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send);
	case 2: return port_item(MACH_MSG_TYPE_MOVE_SEND_ONCE, KIND_send_once);
	case 3: return port_item(MACH_MSG_TYPE_COPY_SEND, KIND_send);
	case 4: return port_item(MACH_MSG_TYPE_MAKE_SEND, KIND_receive);
	case 5: return port_item(MACH_MSG_TYPE_MAKE_SEND_ONCE, KIND_receive);
	case 6: return port_item(MACH_MSG_TYPE_MOVE_RECEIVE, KIND_send_receive);
	case 7: return memory_item(FALSE);
	case 8: return memory_item(TRUE);
	case 9: return array_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send, FALSE, MACH_PORT_DEAD);
	case 10: return array_item(MACH_MSG_TYPE_MOVE_SEND_ONCE, KIND_send_once, TRUE,
				   MACH_PORT_NULL);
	case 11: return array_item(MACH_MSG_TYPE_MOVE_RECEIVE, KIND_receive, TRUE, MACH_PORT_NULL);
	case 12: return port_item(MACH_MSG_TYPE_MOVE_SEND, KIND_died);
	default: return port_item(MACH_MSG_TYPE_COPY_SEND, KIND_null);
	}
}
enum { RIGHT_ITEMS = 14 };

/* ---- Items that are wrong; *cut bytes of the last are not sent. */

static vm_offset_t hole;	/* one page is there before it */

static struct item wrong_item(long which, mach_msg_size_t *cut)
{
	struct item it = { .type = TYPE_INTEGER, .word = NO_NAME };

	*cut = 0;
	switch (which) {
	case 0:		/* data past the end */
		it.type.msgt_number = 3;
		break;
	case 1:		/* a descriptor alone */
		*cut = 8;
		break;
	case 2:		/* an address that is not there */
		it = memory_item(TRUE);
		*cut = 8;
		break;
	case 3:
		it.type.msgt_unused = 1;
		break;
	case 4:
		it.type.msgt_unused = 16;
		break;
	case 5:
		it.type.msgt_deallocate = TRUE;
		break;
	case 6:		/* a right of 32 bits */
		it = port_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send);
		it.type.msgt_size = 32;
		break;
	case 7:		/* an array of 64 bits */
		it = array_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send, TRUE, MACH_PORT_NULL);
		it.type.msgt_size = 64;
		break;
	case 8:		/* a right and deallocate */
		it = port_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send);
		it.type.msgt_deallocate = TRUE;
		break;
	case 9:
		it = memory_item(TRUE);
		it.address = hole;
		break;
	case 10:	/* half of it is there */
		it = memory_item(TRUE);
		it.address = hole - 50;
		break;
	case 11:
		it = array_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send, TRUE, MACH_PORT_NULL);
		it.address = hole;
		break;
	case 12:	/* one name is there */
		it = array_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send, TRUE, MACH_PORT_NULL);
		it.address = hole - 4;
		*(mach_port_name_t *)it.address = laden.rights[laden.right_count - 1].name;
		break;
	case 13:	/* the second of two names denotes nothing */
		it = array_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send, FALSE, NO_NAME);
		break;
	case 14:
		it = array_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send, TRUE, NO_NAME);
		break;
	case 15:
		it = array_item(MACH_MSG_TYPE_MOVE_SEND_ONCE, KIND_send_once, TRUE, NO_NAME);
		break;
	case 16:
		it = array_item(MACH_MSG_TYPE_MOVE_RECEIVE, KIND_receive, FALSE, NO_NAME);
		break;
	case 17:
		it = array_item(MACH_MSG_TYPE_MAKE_SEND_ONCE, KIND_receive, FALSE, NO_NAME);
		break;
	case 18:	/* another kind of right */
		it = port_item(MACH_MSG_TYPE_MOVE_RECEIVE, KIND_send);
		break;
	case 19:
		it = port_item(MACH_MSG_TYPE_MOVE_SEND, KIND_send_once);
		break;
	case 20:
		it = port_item(MACH_MSG_TYPE_COPY_SEND, KIND_port_set);
		break;
	default:	/* far too much */
		it = memory_item(TRUE);
		it.type.msgt_number = 0xffffffff;
		it.type.msgt_size = 0xffff;
		break;
	}
	return it;
}
enum { WRONG_ITEMS = 22 };

static void setup(void)
{
	elsewhere = make_task(FALSE);
	hole = island(1) + PAGE;
}

/*
 * Sends a message of n items to a port that keeps one reference of two, with a
 * send-once right as reply: where that is destroyed, its port has a message.
 */
static void send_items(struct item *items, size_t n, mach_msg_size_t cut)
{
	struct swept to = swept_make(KIND_send, 2), reply = swept_make(KIND_receive, 0);
	struct message msg = message_to(to.name);

	msg.head.msgh_bits = MACH_MSGH_BITS_COMPLEX |
			     MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply.name;
	memcpy(msg.item, items, n * sizeof(*items));
	put(" ");
	put_code(send_sized(&msg, HEADER + (mach_msg_size_t)n * ITEM - cut));
	put_swept(&to);
	put("/");
	put_swept(&reply);
	put_laden();
	end_laden();
	swept_end(to);
	swept_end(reply);
}

/* Each right item, and behind it the wrong one. */
static void after_right(long wrong, long unused, long more_unused)
{
	long i;

	(void)unused;
	(void)more_unused;
	setup();
	for (i = -1; i < RIGHT_ITEMS; i++) {
		struct item items[2];
		mach_msg_size_t cut;
		size_t n = 0;

		if (i >= 0)
			items[n++] = right_item(i);
		items[n++] = wrong_item(wrong, &cut);
		send_items(items, n, cut);
		end_line();
	}
}
EACH("mach_msg/body-fails-data-past-the-end", after_right, 0, 0, 0)
EACH("mach_msg/body-fails-descriptor-alone", after_right, 1, 0, 0)
EACH("mach_msg/body-fails-no-address", after_right, 2, 0, 0)
EACH("mach_msg/body-fails-unused-bit-first", after_right, 3, 0, 0)
EACH("mach_msg/body-fails-unused-bit-last", after_right, 4, 0, 0)
EACH("mach_msg/body-fails-inline-deallocate", after_right, 5, 0, 0)
EACH("mach_msg/body-fails-right-of-32-bits", after_right, 6, 0, 0)
EACH("mach_msg/body-fails-array-of-64-bits", after_right, 7, 0, 0)
EACH("mach_msg/body-fails-right-with-deallocate", after_right, 8, 0, 0)
EACH("mach_msg/body-fails-memory-in-a-hole", after_right, 9, 0, 0)
EACH("mach_msg/body-fails-memory-half-in-a-hole", after_right, 10, 0, 0)
EACH("mach_msg/body-fails-array-in-a-hole", after_right, 11, 0, 0)
EACH("mach_msg/body-fails-array-half-in-a-hole", after_right, 12, 0, 0)
EACH("mach_msg/body-fails-second-send-of-array", after_right, 13, 0, 0)
EACH("mach_msg/body-fails-second-send-of-array-deallocate", after_right, 14, 0, 0)
EACH("mach_msg/body-fails-second-send-once-of-array", after_right, 15, 0, 0)
EACH("mach_msg/body-fails-second-receive-of-array", after_right, 16, 0, 0)
EACH("mach_msg/body-fails-second-made-once-of-array", after_right, 17, 0, 0)
EACH("mach_msg/body-fails-receive-right-not-held", after_right, 18, 0, 0)
EACH("mach_msg/body-fails-send-once-as-send", after_right, 19, 0, 0)
EACH("mach_msg/body-fails-port-set-copied", after_right, 20, 0, 0)
EACH("mach_msg/body-fails-far-too-much-memory", after_right, 21, 0, 0)

/* Two wrong items: the first is told, the second not looked at. */
CASE("mach_msg/body-fails-first-of-two-wrong-items")
{
	long i, j;

	setup();
	for (i = 3; i < WRONG_ITEMS; i++) {
		for (j = 3; j < WRONG_ITEMS; j++) {
			struct swept to = swept_make(KIND_send, 1);
			struct message msg = message_to(to.name);
			mach_msg_size_t cut;

			msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
			msg.item[0] = wrong_item(i, &cut);
			msg.item[1] = wrong_item(j, &cut);
			put_code(send_sized(&msg, HEADER + 2 * ITEM));
			end_laden();
			swept_end(to);
		}
		end_line();
	}
}

/* Two right items of all pairs, and a name that denotes nothing. */
static void after_two(long first, long unused, long more_unused)
{
	long i;

	(void)unused;
	(void)more_unused;
	setup();
	for (i = 0; i < RIGHT_ITEMS; i++) {
		struct item items[3];

		items[0] = right_item(first);
		items[1] = right_item(i);
		items[2].type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
		items[2].word = NO_NAME;
		send_items(items, 3, 0);
		end_line();
	}
}
EACH("mach_msg/body-fails-third-after-send", after_two, 1, 0, 0)
EACH("mach_msg/body-fails-third-after-send-once", after_two, 2, 0, 0)
EACH("mach_msg/body-fails-third-after-made-once", after_two, 5, 0, 0)
EACH("mach_msg/body-fails-third-after-receive", after_two, 6, 0, 0)
EACH("mach_msg/body-fails-third-after-memory", after_two, 7, 0, 0)
EACH("mach_msg/body-fails-third-after-memory-deallocate", after_two, 8, 0, 0)
EACH("mach_msg/body-fails-third-after-array", after_two, 10, 0, 0)
EACH("mach_msg/body-fails-third-after-receive-array", after_two, 11, 0, 0)

/*
 * One item, its descriptor in all combinations: what is told, and of a message
 * that is delivered whether it is still complex (c) or not (s). A line is one
 * type, size and number; each of its four groups a place and form; in a group:
 * whole or cut, with a word that means something or not, without or with
 * deallocate, without or with an unused bit.
 */
static void descriptors(long name, long size, long unused)
{
	static const unsigned int numbers[] = { 0, 1, 2, 8, 0x2000 };
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t page = island(3) + PAGE;
	size_t n, f, bits;

	(void)unused;
	setup();
	for (n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
		put_number(numbers[n], 10);
		put(":");
		for (f = 0; f < 4; f++) {
			put(" ");
			for (bits = 0; bits < 16; bits++) {
				struct message msg = message_with(port, TYPE(
					.msgt_name = (unsigned int)name & 0xff,
					.msgt_size = (unsigned int)size & 0xffff,
					.msgt_number = numbers[n]), 0), got;
				mach_msg_return_t mr;

				msg.item[0].type.msgt_inline = f & 1;
				msg.item[0].type.msgt_longform = f >> 1 & 1;
				msg.item[0].type.msgt_deallocate = bits >> 1 & 1;
				msg.item[0].type.msgt_unused = bits & 1;
				if (f & 1)
					msg.item[0].word = bits & 4 ? NO_NAME : body;
				else
					msg.item[0].word = bits & 4 ? hole : page;
				memset((void *)page, 0, PAGE);
				mr = send_sized(&msg, HEADER + (bits & 8 ? 8 : ITEM));
				put_code(mr);
				if (mr == MACH_MSG_SUCCESS) {
					must("receive", receive(port, &got));
					put(got.head.msgh_bits & MACH_MSGH_BITS_COMPLEX ? "c" : "s");
					if (!got.item[0].type.msgt_inline &&
					    got.head.msgh_bits & MACH_MSGH_BITS_COMPLEX)
						vm_deallocate(self, got.item[0].address,
							      (numbers[n] * (vm_size_t)size + 7) / 8);
				}
				vm_deallocate(self, page, PAGE);
				must("vm_allocate", vm_allocate(self, &page, PAGE, FALSE));
			}
		}
		end_line();
	}
	tell_name("the port", port);
}
EACH("mach_msg/descriptor-of-bits", descriptors, 0, 1, 0)
EACH("mach_msg/descriptor-of-7-bits", descriptors, 0, 7, 0)
EACH("mach_msg/descriptor-of-bytes", descriptors, 9, 8, 0)
EACH("mach_msg/descriptor-of-integers", descriptors, 2, 32, 0)
EACH("mach_msg/descriptor-of-no-bits", descriptors, 2, 0, 0)
EACH("mach_msg/descriptor-of-65535-bits", descriptors, 9, 65535, 0)
EACH("mach_msg/descriptor-of-port-names", descriptors, 15, 32, 0)
EACH("mach_msg/descriptor-of-type-22", descriptors, 22, 64, 0)
EACH("mach_msg/descriptor-of-type-23", descriptors, 23, 64, 0)
EACH("mach_msg/descriptor-of-moved-sends-64", descriptors, 17, 64, 0)
EACH("mach_msg/descriptor-of-moved-sends-32", descriptors, 17, 32, 0)
EACH("mach_msg/descriptor-of-copied-sends-64", descriptors, 19, 64, 0)
EACH("mach_msg/descriptor-of-copied-sends-32", descriptors, 19, 32, 0)
EACH("mach_msg/descriptor-of-copied-sends-8", descriptors, 19, 8, 0)
EACH("mach_msg/descriptor-of-moved-receives-64", descriptors, 16, 64, 0)
EACH("mach_msg/descriptor-of-made-onces-32", descriptors, 21, 32, 0)
