/* described: requests to the kernel, each argument described in wrong ways. */
#include "suite.h"

#include "message.h"

enum { WORDS = 42, MOST = 4 };

struct argument {
	mach_msg_type_t type;
	uint64_t word;
};

#define ADDRESS { TYPE(.msgt_name = 11, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1), 0 }
#define NUMBER(n) { TYPE(.msgt_name = 2, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1), n }
#define TRUTH(n) { TYPE(.msgt_name = 0, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1), n }
#define NAME { TYPE(.msgt_name = 15, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1), NO_NAME }
#define BYTES { TYPE(.msgt_name = 9, .msgt_size = 8, .msgt_number = 0), 0 }
#define STATE { TYPE(.msgt_name = 2, .msgt_size = 32, .msgt_number = WORDS, .msgt_inline = 1), 0 }
#define RIGHT { TYPE(.msgt_name = 20, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1), 0 }

/* Requests that are right as messages, and harmless. */
static const struct described {
	mach_msg_id_t id;
	boolean_t thread, complex;
	struct argument arguments[MOST];	/* word 0: none more, by msgt_size */
} requests[] = {
	{ 2007, 0, 0, { TRUTH(0) } },
	{ 2018, 1, 0, { NUMBER(1), STATE } },
	{ 2021, 0, 0, { ADDRESS, ADDRESS, TRUTH(1) } },
	{ 2023, 0, 0, { ADDRESS, ADDRESS } },
	{ 2024, 0, 0, { ADDRESS, ADDRESS, TRUTH(0), NUMBER(1) } },
	{ 2025, 0, 0, { ADDRESS, ADDRESS, NUMBER(1) } },
	{ 2026, 0, 0, { ADDRESS, ADDRESS } },
	{ 2027, 0, 1, { ADDRESS, BYTES } },
	{ 2028, 0, 0, { ADDRESS, ADDRESS, ADDRESS } },
	{ 2029, 0, 0, { ADDRESS } },
	{ 3201, 0, 0, { NAME } },
	{ 3204, 0, 0, { NUMBER(1) } },
	{ 3205, 0, 0, { NAME } },
	{ 3206, 0, 0, { NAME } },
	{ 3207, 0, 0, { NAME, NUMBER(0) } },
	{ 3208, 0, 0, { NAME, NUMBER(0), NUMBER(1) } },
	{ 3215, 0, 1, { NAME, RIGHT } },
};

union buffer {
	mach_msg_header_t head;
	mig_reply_header_t reply;
	unsigned char bytes[1024];
};

static size_t data_size(mach_msg_type_t type)
{
	size_t bits = (size_t)type.msgt_size * type.msgt_number;

	return type.msgt_inline ? (bits + 63) / 64 * 8 : 8;
}

/* The message; data keeps its room whatever one descriptor says. */
static mach_msg_size_t build(const struct described *d, union buffer *b, int wrong,
			     mach_msg_type_t type, mach_port_name_t right)
{
	size_t at = HEADER;
	int i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < MOST && d->arguments[i].type.msgt_size != 0; i++) {
		const struct argument *a = &d->arguments[i];
		uint64_t word = a->type.msgt_name == 20 ? right : a->word;

		memcpy(b->bytes + at, i == wrong ? &type : &a->type, sizeof(type));
		memcpy(b->bytes + at + sizeof(type), &word, sizeof(word));
		at += sizeof(type) + data_size(a->type);
	}
	return (mach_msg_size_t)at;
}

/* Sends it and tells the answer. */
static void ask(const char *what, const struct described *d, int wrong, mach_msg_type_t type,
		boolean_t complex, int more)
{
	static union buffer b;
	mach_port_name_t task = make_task(FALSE), to = task, reply = make_receive();
	mach_port_name_t right = make_receive();
	mach_msg_size_t size = build(d, &b, wrong, type, right);
	mach_msg_return_t mr;

	if (d->thread) {
		must("thread_create", thread_create(task, &to));
		keep_name(to);
	}
	b.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE) |
			   (complex ? MACH_MSGH_BITS_COMPLEX : 0);
	b.head.msgh_remote_port = to;
	b.head.msgh_local_port = reply;
	b.head.msgh_id = d->id;
	mr = mach_msg(&b.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
		      (mach_msg_size_t)((int)size + more), sizeof(b), reply, 1000, MACH_PORT_NULL);
	code(what, mr != MACH_MSG_SUCCESS ? mr : b.reply.RetCode);
	release_fixtures();
}

static void described(long id, long argument, long unused)
{
	static struct name_list before, after;
	const struct described *d = requests;
	mach_msg_type_t right, wrong;

	(void)unused;
	while (d->id != (mach_msg_id_t)id)
		d++;
	right = d->arguments[argument].type;
	list_names(&before);
	ask("as it should be", d, -1, right, d->complex, 0);
#define WRONG(what, field, value)						\
	wrong = right;								\
	wrong.field = (value);							\
	ask(what, d, (int)argument, wrong, d->complex, 0);
	WRONG("type one more", msgt_name, right.msgt_name + 1u)
	WRONG("type byte", msgt_name, 9)
	WRONG("type port name", msgt_name, 15)
	WRONG("type copy-send", msgt_name, 19)
	WRONG("size one more", msgt_size, right.msgt_size + 1u)
	WRONG("size halved", msgt_size, right.msgt_size / 2)
	WRONG("number one more", msgt_number, right.msgt_number + 1)
	WRONG("number one less", msgt_number, right.msgt_number - 1)
	WRONG("number none", msgt_number, 0)
	WRONG("the other place", msgt_inline, !right.msgt_inline)
	WRONG("long form", msgt_longform, 1)
	WRONG("deallocate", msgt_deallocate, 1)
	WRONG("unused bit", msgt_unused, 1)
	if (argument == 0) {
		ask("complex or not", d, -1, right, !d->complex, 0);
		ask("a word more", d, -1, right, d->complex, 8);
		ask("a word less", d, -1, right, d->complex, -8);
		ask("complex, and a word more", d, -1, right, TRUE, 8);
	}
	list_names(&after);
	destroy_new_names(&before, &after);
}
#define ARGUMENT(routine, id, n, which) \
	EACH(routine "/argument-" which "-described", described, id, n, 0)
ARGUMENT("task_create", 2007, 0, "first")
ARGUMENT("thread_set_state", 2018, 0, "first")
ARGUMENT("thread_set_state", 2018, 1, "second")
ARGUMENT("vm_allocate", 2021, 0, "first")
ARGUMENT("vm_allocate", 2021, 1, "second")
ARGUMENT("vm_allocate", 2021, 2, "third")
ARGUMENT("vm_deallocate", 2023, 0, "first")
ARGUMENT("vm_deallocate", 2023, 1, "second")
ARGUMENT("vm_protect", 2024, 0, "first")
ARGUMENT("vm_protect", 2024, 2, "third")
ARGUMENT("vm_protect", 2024, 3, "fourth")
ARGUMENT("vm_inherit", 2025, 0, "first")
ARGUMENT("vm_inherit", 2025, 2, "third")
ARGUMENT("vm_read", 2026, 0, "first")
ARGUMENT("vm_read", 2026, 1, "second")
ARGUMENT("vm_write", 2027, 0, "first")
ARGUMENT("vm_write", 2027, 1, "second")
ARGUMENT("vm_copy", 2028, 0, "first")
ARGUMENT("vm_copy", 2028, 2, "third")
ARGUMENT("vm_region", 2029, 0, "first")
ARGUMENT("mach_port_type", 3201, 0, "first")
ARGUMENT("mach_port_allocate", 3204, 0, "first")
ARGUMENT("mach_port_destroy", 3205, 0, "first")
ARGUMENT("mach_port_deallocate", 3206, 0, "first")
ARGUMENT("mach_port_get_refs", 3207, 0, "first")
ARGUMENT("mach_port_get_refs", 3207, 1, "second")
ARGUMENT("mach_port_mod_refs", 3208, 0, "first")
ARGUMENT("mach_port_mod_refs", 3208, 2, "third")
ARGUMENT("mach_port_insert_right", 3215, 0, "first")
ARGUMENT("mach_port_insert_right", 3215, 1, "second")
