/* a3edges: messages at the edges: many rights, large memory, numbers that wrap. */
#include "sweep.h"

#include "child.h"

static union {
	struct message small;
	unsigned char bytes[64 * 1024];
} big;

/* ---- Many rights, one of which is none: what became of those before it. */

static void fails_at(long bad, long array, long type)
{
	enum { RIGHTS = 200 };
	mach_port_name_t port = make_port(), body = make_port(), reply = make_receive();
	mach_port_name_t *names = (mach_port_name_t *)island(1);
	mach_port_name_inlined_t *inlined = (mach_port_name_inlined_t *)&big.small.item[0].word;
	mach_msg_size_t size = HEADER + ITEM;
	long i;

	must("mod_refs", mach_port_mod_refs(self, body, MACH_PORT_RIGHT_SEND, RIGHTS));
	big.small = message_with(port, TYPE_PORT((unsigned int)type), 0);
	big.small.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	big.small.head.msgh_local_port = reply;
	big.small.item[0].type.msgt_number = RIGHTS;
	if (array) {
		big.small.item[0].type.msgt_inline = FALSE;
		big.small.item[0].type.msgt_size = 32;
		big.small.item[0].address = (vm_offset_t)names;
	} else {
		size = HEADER + 8 + 8 * RIGHTS;
	}
	for (i = 0; i < RIGHTS; i++) {
		names[i] = i == bad ? NO_NAME : body;
		if (!array)
			inlined[i] = (mach_port_name_inlined_t){ .name = names[i] };
	}
	code("send", send_sized(&big.small, size));
	tell_name("the right", body);
	count("told at its port", drain(body));
	count("told at the reply port", drain(reply));
	count("messages", drain(port));
}
#define FAILS_AT(n)								\
	EACH("mach_msg/rights-fail-at-" #n "-moved", fails_at, n, 0, 17)		\
	EACH("mach_msg/rights-fail-at-" #n "-made-once-array", fails_at, n, 1, 21)
FAILS_AT(0)
FAILS_AT(1)
FAILS_AT(63)
FAILS_AT(64)
FAILS_AT(65)
FAILS_AT(127)
FAILS_AT(128)
FAILS_AT(199)

/* Names for many rights: those given up before are among them. */
static void names_of_many(long array, long given_up, long unused)
{
	enum { RIGHTS = 150 };
	static struct name_list before, after;
	mach_port_name_t port = make_port(), body = make_receive(), ports[100], got[RIGHTS];
	mach_port_name_t *names = (mach_port_name_t *)island(1);
	mach_port_name_inlined_t *inlined = (mach_port_name_inlined_t *)&big.small.item[0].word;
	size_t i, known = 0, j;

	(void)unused;
	big.small = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE), 0);
	big.small.item[0].type.msgt_number = RIGHTS;
	if (array) {
		big.small.item[0].type.msgt_inline = FALSE;
		big.small.item[0].type.msgt_size = 32;
		big.small.item[0].address = (vm_offset_t)names;
	}
	for (i = 0; i < RIGHTS; i++) {
		names[i] = body;
		if (!array)
			inlined[i] = (mach_port_name_inlined_t){ .name = body };
	}
	code("send", send_sized(&big.small, array ? HEADER + ITEM : HEADER + 8 + 8 * RIGHTS));
	for (i = 0; i < (size_t)given_up; i++)
		ports[i] = swept_allocate(MACH_PORT_RIGHT_DEAD_NAME);
	for (i = 0; i < (size_t)given_up; i++)
		must("destroy", mach_port_destroy(self, ports[i]));
	list_names(&before);
	code("receive", mach_msg(&big.small.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(big),
				 port, 0, MACH_PORT_NULL));
	if (array)
		names = (mach_port_name_t *)keep_memory(big.small.item[0].address, RIGHTS * 4);
	for (i = 0; i < RIGHTS; i++)
		got[i] = array ? names[i] : inlined[i].name;
	for (i = 0; i < RIGHTS; i++)
		for (j = 0; j < (size_t)given_up; j++)
			known += got[i] == ports[j];
	count("names given up", known);
	list_names(&after);
	count("names more", after.count - before.count);
	destroy_new_names(&before, &after);
}
EACH("mach_msg/names-of-many", names_of_many, 0, 0, 0)
EACH("mach_msg/names-of-many-array", names_of_many, 1, 0, 0)
EACH("mach_msg/names-of-many-some-given-up", names_of_many, 0, 50, 0)
EACH("mach_msg/names-of-many-more-given-up", names_of_many, 1, 100, 0)

/* Many items, each of a right, memory or data. */
CASE("mach_msg/items-900")
{
	enum { ITEMS = 900 };
	mach_port_name_t port = make_port(), body = make_port();
	vm_offset_t data = island(1);
	size_t i, wrong = 0;

	big.small = message_to(port);
	big.small.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	for (i = 0; i < ITEMS; i++) {
		struct item *it = (struct item *)(big.bytes + HEADER + i * ITEM);

		*it = (struct item){ .type = TYPE_INTEGER, .word = i };
		if (i % 3 == 1) {
			it->type = TYPE_PORT(MACH_MSG_TYPE_COPY_SEND);
			it->word = body;
		} else if (i % 3 == 2) {
			it->type = TYPE_BYTES(i % 100 + 1);
			it->address = data + i;
		}
	}
	code("send", send_sized(&big.small, HEADER + ITEMS * ITEM));
	memset(&big, 0, sizeof(big));
	code("receive", mach_msg(&big.small.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(big),
				 port, 0, MACH_PORT_NULL));
	for (i = 0; i < ITEMS; i++) {
		struct item *it = (struct item *)(big.bytes + HEADER + i * ITEM);

		if (i % 3 == 0)
			wrong += it->word != i;
		else if (i % 3 == 1)
			wrong += it->word != body || it->type.msgt_name != 17;
		else {
			wrong += it->address % PAGE != (data + i) % PAGE ||
				 it->type.msgt_number != i % 100 + 1;
			vm_deallocate(self, it->address, it->type.msgt_number);
		}
	}
	count("wrong items", wrong);
	tell_name("the right", body);
}

/* ---- Memory that is large, or shared, or holds the message itself. */

static void large_memory(long size, long deallocate, long unused)
{
	mach_port_name_t port = make_port();
	vm_offset_t data = 0, got;
	struct message msg;
	kern_return_t kr = vm_allocate(self, &data, (vm_size_t)size, TRUE);

	(void)unused;
	code("vm_allocate", kr);
	if (kr != KERN_SUCCESS)
		return;
	*(volatile int *)data = 1;
	*(volatile int *)(data + (vm_size_t)size - 4) = 2;
	msg = message_with(port, TYPE(.msgt_name = 9, .msgt_size = 0x8000,
				      .msgt_number = (unsigned int)(size / 0x1000),
				      .msgt_deallocate = deallocate & 1), data);
	code("send", send_sized(&msg, HEADER + ITEM));
	if (!deallocate)
		*(volatile int *)data = 3;
	if (tell_received(port, &msg) == MACH_MSG_SUCCESS) {
		tell_item(&msg.item[0]);
		got = msg.item[0].address;
		mach_printf("%d, %d, %d\n", *(volatile int *)got,
			    *(volatile int *)(got + (vm_size_t)size / 2),
			    *(volatile int *)(got + (vm_size_t)size - 4));
		code("vm_deallocate", vm_deallocate(self, got, (vm_size_t)size));
	}
	if (!deallocate)
		code("vm_deallocate", vm_deallocate(self, data, (vm_size_t)size));
}
EACH("mach_msg/memory-64-mib", large_memory, 0x4000000, 0, 0)
EACH("mach_msg/memory-64-mib-deallocate", large_memory, 0x4000000, 1, 0)
EACH("mach_msg/memory-8-gib", large_memory, 0x200000000, 0, 0)
EACH("mach_msg/memory-8-gib-deallocate", large_memory, 0x200000000, 1, 0)

/* The page is shared with another task, which writes when the message is under way. */
static void writes_it(struct child *c)
{
	step_comes(0);
	*(volatile long *)c->at = 7;
}

static void shared_memory(long deallocate, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	vm_offset_t page = island(1);
	struct message msg;

	(void)unused;
	(void)more_unused;
	*(volatile long *)page = 5;
	must("vm_inherit", vm_inherit(self, page, PAGE, VM_INHERIT_SHARE));
	child_make();
	child.at = page;
	child_start(writes_it);
	msg = message_with(port, TYPE_BYTES(4096), page);
	msg.item[0].type.msgt_deallocate = deallocate & 1;
	code("send", send_sized(&msg, HEADER + ITEM));
	step_done(0);
	child_ends();
	must("receive", receive(port, &msg));
	keep_memory(msg.item[0].address, PAGE);
	mach_printf("in the message: %ld\n", *(volatile long *)msg.item[0].address);
	if (!deallocate)
		mach_printf("in the page: %ld\n", *(volatile long *)page);
	tell_memory("the sender's", page, 1);
	tell_memory_in(child.task, "the other's", page, 1);
}
EACH("mach_msg/memory-shared", shared_memory, 0, 0, 0)
EACH("mach_msg/memory-shared-deallocate", shared_memory, 1, 0, 0)

/* The message lies in memory that it takes away. */
static void takes_itself(long call, long full, long unused)
{
	mach_port_name_t port = make_port();
	vm_offset_t page = island(1);
	struct message *msg = (struct message *)page, got;
	mach_msg_return_t mr;

	(void)unused;
	if (full)
		must("limit", mach_port_set_qlimit(self, port, 0));
	*msg = message_with(port, TYPE_BYTES(4096), page);
	msg->item[0].type.msgt_deallocate = TRUE;
	mr = mach_msg_trap(&msg->head, MACH_SEND_MSG | MACH_SEND_TIMEOUT |
			   (call ? MACH_RCV_MSG | MACH_RCV_TIMEOUT : 0), HEADER + ITEM,
			   sizeof(*msg), port, 0, MACH_PORT_NULL);
	code("mach_msg", mr);
	if (!call && !full) {
		tell_memory("where it was", page, 1);
		tell_received(port, &got);
		tell_item(&got.item[0]);
		keep_memory(got.item[0].address, PAGE);
		msg = (struct message *)got.item[0].address;
		fact("it holds itself", msg->head.msgh_id == 1000 &&
		     msg->item[0].address == page);
	}
	count("messages left", drain(port));
}
EACH("mach_msg/message-takes-its-own-memory", takes_itself, 0, 0, 0)

/* ---- Numbers that wrap. */

CASE("mach_msg/seqno-wraps")
{
	mach_port_name_t port = make_port();
	struct message msg;
	int i;

	must("seqno", mach_port_set_seqno(self, port, 0xfffffffe));
	for (i = 0; i < 3; i++) {
		msg = message_to(port);
		must("send", send_sized(&msg, HEADER));
		tell_received(port, &msg);
	}
}

CASE("mach_msg/make-send-count-wraps")
{
	mach_port_name_t port = make_port(), notify = make_receive(), before = MACH_PORT_NULL;
	struct mach_port_status status;
	struct message msg;

	must("mscount", mach_port_set_mscount(self, port, 0xffffffff));
	msg = message_to(port);
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
	must("send", send_sized(&msg, HEADER));
	must("status", mach_port_get_receive_status(self, port, &status));
	mach_printf("count %u\n", status.mps_mscount);
	must("receive", receive(port, &msg));
	must("mscount", mach_port_set_mscount(self, port, 0xffffffff));
	must("request", mach_port_request_notification(self, port, 70 /* no senders */, 0xfffffffe,
						       notify, MACH_MSG_TYPE_MAKE_SEND_ONCE, &before));
	must("deallocate", mach_port_deallocate(self, port));
	if (tell_received(notify, &msg) == MACH_MSG_SUCCESS)
		mach_printf("count %u\n", (uint32_t)msg.item[0].word);
}

static void ids(long id, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	(void)unused;
	(void)more_unused;
	msg.head.msgh_id = (mach_msg_id_t)id;
	code("send", send_sized(&msg, HEADER));
	tell_received(port, &msg);
}
EACH("mach_msg/id-0", ids, 0, 0, 0)
EACH("mach_msg/id-minus-1", ids, -1, 0, 0)
EACH("mach_msg/id-smallest", ids, -0x80000000L, 0, 0)
EACH("mach_msg/id-of-a-notification", ids, 71, 0, 0)

/* ---- A message by a send-once right to a receiver that runs later. */

static struct second one;

static void once_later(long fate, long reply, long unused)
{
	mach_port_name_t port = make_receive(), once = send_once_to(port), carrier = make_port();
	mach_port_name_t task = make_task(FALSE), answer = make_receive();
	struct message msg = message_to(once), note;

	(void)unused;
	memset(&one.message, 0xff, sizeof(one.message));
	one.port = port;
	one.size = 0;
	one.option = 0;
	second_start(&one, second_receives);
	second_waits(&one);
	must("thread_suspend", thread_suspend(one.thread));
	msg.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE,
					    reply ? MACH_MSG_TYPE_MAKE_SEND_ONCE : 0);
	msg.head.msgh_local_port = reply ? answer : MACH_PORT_NULL;
	must("send", send_sized(&msg, HEADER));
	switch (fate) {
	case 1:
		must("mod_refs", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case 2:
		note = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port);
		must("send", send_sized(&note, HEADER + ITEM));
		break;
	case 3:
		must("insert", mach_port_insert_right(task, FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
		break;
	}
	must("thread_resume", thread_resume(one.thread));
	second_tell(&one, "the receiver");
	tell_header(&one.message, port);
	keep_name(one.message.head.msgh_remote_port);
	if (fate == 2) {
		must("receive", receive(carrier, &note));
		port = keep_name(note.item[0].port.name);
	}
	if (fate == 3) {
		port = fresh_name();
		must("extract", mach_port_extract_right(task, FREE_NAME, MACH_MSG_TYPE_MOVE_RECEIVE,
							&port, &(mach_msg_type_name_t){ 0 }));
		keep_name(port);
	}
	tell_received(port, &note);
	second_end(&one);
}
EACH("mach_msg/receiver-runs-later-once", once_later, 0, 0, 0)
EACH("mach_msg/receiver-runs-later-once-port-dead", once_later, 1, 0, 0)
EACH("mach_msg/receiver-runs-later-once-port-on-its-way", once_later, 2, 0, 0)
EACH("mach_msg/receiver-runs-later-once-port-elsewhere", once_later, 3, 0, 0)
EACH("mach_msg/receiver-runs-later-once-and-reply", once_later, 0, 1, 0)
EACH("mach_msg/receiver-runs-later-once-and-reply-port-elsewhere", once_later, 3, 1, 0)
