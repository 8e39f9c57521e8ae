/*
 * ool: out-of-line memory in messages. What a message carries is the memory as
 * it was when the message was sent, whatever another thread writes since.
 */
#include <libmach/libmach.h>

#include "pattern.h"
#include "report.h"

#define PAGE vm_page_size

enum { PAGES = 16, ROUNDS = 8 };

struct message {
	mach_msg_header_t head;
	mach_msg_type_t type;
	vm_offset_t data;
};

static mach_port_name_t self;

static mach_msg_return_t send(mach_port_name_t to, vm_offset_t data, size_t size,
			      boolean_t deallocate)
{
	struct message msg = {
		.head = {
			.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) |
				     MACH_MSGH_BITS_COMPLEX,
			.msgh_size = sizeof(msg),
			.msgh_remote_port = to,
			.msgh_id = 1000,
		},
		.type = {
			.msgt_name = MACH_MSG_TYPE_BYTE,
			.msgt_size = 8,
			.msgt_number = (mach_msg_type_number_t)size,
			.msgt_deallocate = deallocate,
		},
		.data = data,
	};

	return mach_msg(&msg.head, MACH_SEND_MSG, sizeof(msg), 0, MACH_PORT_NULL,
			MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

static mach_msg_return_t receive(mach_port_name_t from, struct message *msg)
{
	memset(msg, 0xff, sizeof(*msg));
	return mach_msg(&msg->head, MACH_RCV_MSG, 0, sizeof(*msg), from,
			MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

/* One thread sends, another receives and reports. */
struct mailbox {
	mach_event_t port;
	mach_event_t emptied;
};

static void report_message(const struct message *msg)
{
	count("message size", msg->head.msgh_size);
	fact("complex", (msg->head.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0);
	mach_printf("item: type %u, %u bits each, %u of them, inline %u, deallocate %u\n",
		    msg->type.msgt_name, msg->type.msgt_size, msg->type.msgt_number,
		    msg->type.msgt_inline, msg->type.msgt_deallocate);
}

static void receiver(void *argument)
{
	const struct mailbox *box = argument;
	struct message msg;

	for (;;) {
		code("receive", receive(box->port, &msg));
		report_message(&msg);
		count("offset in the page", msg.data % PAGE);
		fact("address is zero", msg.data == 0);
		if (msg.type.msgt_number > 0) {
			count("wrong bytes", pattern_wrong(msg.data,
							   msg.type.msgt_number, 1));
			pattern_fill(msg.data, msg.type.msgt_number, 2);
			code("vm_deallocate by the receiver",
			     vm_deallocate(self, msg.data, msg.type.msgt_number));
		}
		mach_event_signal(box->emptied);
	}
}

/* Sends to the receiver and lets it finish its report before the own. */
static void send_and_wait(const struct mailbox *box, vm_offset_t data, size_t size,
			  boolean_t deallocate)
{
	mach_msg_return_t mr = send(box->port, data, size, deallocate);

	if (mr == MACH_MSG_SUCCESS)
		mach_event_wait(box->emptied);
	code("send", mr);
}

static void between_threads(void)
{
	vm_offset_t memory = must_allocate(self, 4 * PAGE);
	static struct mailbox box; /* the receiver goes on when this is over */
	mach_port_name_t thread;
	vm_offset_t data;
	mach_msg_type_number_t got;

	must("port", mach_event_create(&box.port));
	must("event", mach_event_create(&box.emptied));
	must("thread", mach_thread_spawn(receiver, &box, &thread));

	chapter("whole pages, copied");
	pattern_fill(memory, 4 * PAGE, 1);
	send_and_wait(&box, memory, 4 * PAGE, FALSE);
	count("wrong bytes in the sender's", pattern_wrong(memory, 4 * PAGE, 1));

	chapter("bytes inside a page, copied");
	pattern_fill(memory + 1000, 50, 1);
	send_and_wait(&box, memory + 1000, 50, FALSE);
	count("wrong bytes in the sender's", pattern_wrong(memory + 1000, 50, 1));

	chapter("no bytes");
	send_and_wait(&box, 0x123, 0, TRUE);

	chapter("two pages, moved");
	pattern_fill(memory, 2 * PAGE, 1);
	send_and_wait(&box, memory, 2 * PAGE, TRUE);
	code("vm_read of what was moved away", vm_read(self, memory, 2 * PAGE, &data, &got));

	chapter("memory that is not there");
	send_and_wait(&box, memory, 4 * PAGE, FALSE);
	vm_deallocate(self, memory + 2 * PAGE, 2 * PAGE);
}

/*
 * The writer stamps page after page with a number that only grows. A copy
 * taken when the number was n may hold nothing above n, now or later.
 */
static volatile uint64_t stamp;
static volatile boolean_t writer_stops;
static mach_event_t writer_stopped;
static vm_offset_t written;

static volatile uint64_t *word(vm_offset_t memory, size_t page)
{
	return (volatile uint64_t *)(memory + page * PAGE + page * 8);
}

static void writer(void *argument)
{
	size_t page = 0;

	(void)argument;
	while (!writer_stops) {
		stamp++;
		*word(written, page) = stamp;
		page = (page + 1) % PAGES;
	}
	mach_event_signal(writer_stopped);
}

static void wait_for_stamps(uint64_t more)
{
	uint64_t until = stamp + more;

	while (stamp < until)
		__asm__ volatile("pause");
}

/* What one copy showed, added up over all rounds. */
struct look {
	size_t newer;		/* words above the limit */
	size_t changed;		/* words that differ from the first look */
};

static void look_twice(vm_offset_t copy, uint64_t limit, struct look *look)
{
	uint64_t first[PAGES];
	size_t page;

	for (page = 0; page < PAGES; page++)
		first[page] = *word(copy, page);
	wait_for_stamps(20 * PAGES);
	for (page = 0; page < PAGES; page++) {
		look->newer += first[page] > limit || *word(copy, page) > limit;
		look->changed += *word(copy, page) != first[page];
	}
}

static void against_a_writer(void)
{
	struct look read = { 0, 0 }, queued = { 0, 0 };
	mach_port_name_t thread;
	mach_event_t port;
	int round;

	chapter("a thread that writes all the time");
	written = must_allocate(self, PAGES * PAGE);
	must("port", mach_event_create(&port));
	must("event", mach_event_create(&writer_stopped));
	must("thread", mach_thread_spawn(writer, NULL, &thread));
	wait_for_stamps(PAGES);

	for (round = 0; round < ROUNDS; round++) {
		vm_offset_t data = 0;
		mach_msg_type_number_t got = 0;
		struct message msg;
		uint64_t limit;

		must("vm_read", vm_read(self, written, PAGES * PAGE, &data, &got));
		look_twice(data, stamp, &read);
		must("vm_deallocate", vm_deallocate(self, data, got));

		must("send", send(port, written, PAGES * PAGE, FALSE));
		limit = stamp;
		wait_for_stamps(20 * PAGES);
		must("receive", receive(port, &msg));
		look_twice(msg.data, limit, &queued);
		must("vm_deallocate", vm_deallocate(self, msg.data, PAGES * PAGE));
	}
	writer_stops = TRUE;
	mach_event_wait(writer_stopped);

	count("words of vm_read's copies that are newer than the copy", read.newer);
	count("words of vm_read's copies that changed", read.changed);
	count("words of messages that are newer than the message", queued.newer);
	count("words of messages that changed", queued.changed);
	count("last stamp missing from the memory itself",
	      *word(written, (stamp - 1) % PAGES) != stamp);
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	self = mach_task_self();
	mach_printf("ool: out-of-line memory\n");
	between_threads();
	against_a_writer();
	mach_printf("\nool: done\n");
	return 0;
}
