/*
 * blocklots: threads that wait for messages and for room, at ports and sets that
 * come and go: some calls, drawn by lot, and who comes out of its wait at each.
 */
#include "suite.h"

#include "notes.h"
#include "second.h"
#include "worker.h"

enum { PORTS = 4, SETS = 2, THREADS = 5 };

static struct hand {
	mach_port_name_t thread, orders;
	volatile boolean_t busy;
	mach_port_name_t name;		/* where it sends or receives */
	mach_msg_option_t option;
	mach_msg_size_t size;
	mach_msg_return_t answer;
	struct message message;
} hand[THREADS];

static mach_port_name_t port[PORTS], set[SETS], carrier;
static unsigned limit[PORTS];
static mach_msg_id_t next_id;
static uint32_t lot;

static unsigned draw(unsigned n)
{
	lot = lot * 1664525 + 1013904223;
	return (lot >> 9) % n;
}

/* Waits for orders, does what is ordered, and waits again. */
static void hand_main(struct hand *h)
{
	struct message order;

	for (;;) {
		if (mach_msg_trap(&order.head, MACH_RCV_MSG, 0, sizeof(order), h->orders, 0,
				  MACH_PORT_NULL) != MACH_MSG_SUCCESS)
			continue;
		if (h->option & MACH_SEND_MSG)
			h->answer = mach_msg_trap(&h->message.head, MACH_SEND_MSG, h->size, 0,
						  MACH_PORT_NULL, 0, MACH_PORT_NULL);
		else
			h->answer = mach_msg_trap(&h->message.head, h->option, 0, h->size, h->name,
						  0, MACH_PORT_NULL);
		h->busy = FALSE;
	}
}

/* Until nobody runs: who is woken may wake one who was looked at before. */
static void quiet(void)
{
	int i, rounds = 0;

	while (rounds < 3) {
		rounds++;
		for (i = 0; i < THREADS; i++)
			if (run_state(hand[i].thread) != TH_STATE_WAITING) {
				until_waiting(hand[i].thread);
				rounds = 0;
			}
	}
}

static void order(unsigned i)
{
	struct message msg = message_to(hand[i].orders);

	hand[i].busy = TRUE;
	must("order", send_sized(&msg, HEADER));
}

/* Who has come out since the last look. */
static void tell_out(const boolean_t *was)
{
	unsigned i;

	for (i = 0; i < THREADS; i++) {
		struct hand *h = &hand[i];

		if (!was[i] || h->busy)
			continue;
		mach_printf("  %u: %s", i, mach_error_string(h->answer));
		if (!(h->option & MACH_SEND_MSG) && h->answer == MACH_MSG_SUCCESS)
			mach_printf(" %d, seqno %u, at %s", h->message.head.msgh_id,
				    h->message.head.msgh_seqno,
				    word_of(h->message.head.msgh_local_port));
		mach_printf("\n");
	}
}

static mach_port_name_t new_port(unsigned i)
{
	static const char *const port_words[PORTS] = { "A", "B", "C", "D" };

	limit[i] = 2;
	port[i] = called(port_words[i], make_port());
	must("set_qlimit", mach_port_set_qlimit(self, port[i], 2));
	return port[i];
}

static kern_return_t goes(unsigned i)
{
	struct message msg;
	mach_msg_return_t mr;

	switch (draw(4)) {
	case 0: return mach_port_destroy(self, port[i]);
	case 1: return mach_port_mod_refs(self, port[i], MACH_PORT_RIGHT_RECEIVE, -1);
	case 2:
		return mach_port_insert_right(make_task(FALSE), FREE_NAME, port[i],
					      MACH_MSG_TYPE_MOVE_RECEIVE);
	}
	/* Away, and back under its name. */
	msg = message_with(carrier, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), port[i]);
	mr = send_sized(&msg, HEADER + ITEM);
	quiet();
	if (mr == MACH_MSG_SUCCESS && receive(carrier, &msg) == MACH_MSG_SUCCESS)
		port[i] = keep_name(msg.item[0].port.name);
	return mr;
}

static void step(void)
{
	unsigned what = draw(32), i = draw(PORTS), k = draw(SETS), n = draw(THREADS);
	boolean_t was[THREADS], large = draw(4) == 0;
	struct message msg;
	mach_msg_size_t size = draw(3) == 0 ? HEADER + ITEM : HEADER;
	const char *it;
	kern_return_t kr = KERN_SUCCESS;
	unsigned j;

	for (j = 0; j < THREADS; j++)
		was[j] = hand[j].busy;
	if (port[i] == MACH_PORT_NULL)
		new_port(i);
	it = word_of(port[i]);
	if (what < 6 && !hand[n].busy) {
		hand[n].option = MACH_RCV_MSG | (large ? MACH_RCV_LARGE : 0);
		hand[n].size = large ? HEADER : sizeof(msg);
		hand[n].name = draw(2) && set[k] != MACH_PORT_NULL ? set[k] : port[i];
		mach_printf("%u receives from %s%s", n, word_of(hand[n].name), large ? ", small" : "");
		was[n] = TRUE;
		order(n);
	} else if (what < 13 && !hand[n].busy) {
		mach_printf("%u sends %d to %s", n, next_id, it);
		hand[n].option = MACH_SEND_MSG;
		hand[n].size = size;
		hand[n].message = message_to(port[i]);
		hand[n].message.item[0].type = TYPE_INTEGER;
		hand[n].message.head.msgh_id = next_id++;
		was[n] = TRUE;
		order(n);
	} else if (what < 17) {
		mach_printf("sent %d to %s", next_id, it);
		msg = message_to(port[i]);
		msg.item[0].type = TYPE_INTEGER;
		msg.head.msgh_id = next_id++;
		kr = send_sized(&msg, size);
	} else if (what < 21) {
		mach_port_name_t from = draw(2) && set[k] != MACH_PORT_NULL ? set[k] : port[i];

		mach_printf("received from %s", word_of(from));
		kr = receive(from, &msg);
		if (kr == KERN_SUCCESS)
			mach_printf(" %d, seqno %u", msg.head.msgh_id, msg.head.msgh_seqno);
	} else if (what < 24) {
		/* One more or fewer: which of several senders is first is the scheduler's. */
		limit[i] = limit[i] == 0 || (limit[i] < 4 && draw(2)) ? limit[i] + 1 : limit[i] - 1;
		mach_printf("limit of %s %u", it, limit[i]);
		kr = mach_port_set_qlimit(self, port[i], limit[i]);
	} else if (what < 27) {
		if (set[k] == MACH_PORT_NULL)
			set[k] = called(k ? "set 1" : "set 0", make_set());
		j = draw(3);
		mach_printf("%s into %s", it, j ? word_of(set[k]) : "none");
		kr = mach_port_move_member(self, port[i], j ? set[k] : MACH_PORT_NULL);
	} else if (what < 29) {
		mach_printf("%s goes", it);
		kr = goes(i);
	} else if (what < 30) {
		mach_printf("%s goes", word_of(set[k]));
		kr = set[k] == MACH_PORT_NULL ? KERN_SUCCESS : mach_port_destroy(self, set[k]);
		set[k] = MACH_PORT_NULL;
	} else {
		mach_printf("%u is aborted", n);
		if (hand[n].busy)
			kr = thread_abort(hand[n].thread);
	}
	mach_printf(": %s\n", mach_error_string(kr));
	quiet();
	tell_out(was);
}

/* Names that mean nothing any more, before something else gets them. */
static void forget_gone(void)
{
	mach_port_type_t type;
	unsigned i;

	for (i = 0; i < PORTS; i++)
		if (port[i] != MACH_PORT_NULL &&
		    (mach_port_type(self, port[i], &type) != KERN_SUCCESS ||
		     !(type & MACH_PORT_TYPE_RECEIVE)))
			port[i] = MACH_PORT_NULL;
}

static void lots(long seed, long steps, long unused)
{
	unsigned i;

	(void)unused;
	lot = (uint32_t)seed * 7919;
	next_id = 1;
	words_begin();
	carrier = make_port();
	for (i = 0; i < PORTS; i++)
		new_port(i);
	for (i = 0; i < SETS; i++)
		set[i] = MACH_PORT_NULL;
	for (i = 0; i < THREADS; i++) {
		vm_offset_t stack = island(SECOND_STACK);

		hand[i].orders = make_port();
		hand[i].busy = FALSE;
		hand[i].thread = make_thread(self, (vm_offset_t)hand_main, (vm_offset_t)&hand[i],
					     stack + SECOND_STACK * PAGE);
		must("thread_resume", thread_resume(hand[i].thread));
	}
	quiet();
	while (steps-- > 0) {
		step();
		forget_gone();
	}
	for (i = 0; i < THREADS; i++) {
		must("thread_terminate", thread_terminate(hand[i].thread));
		must("deallocate", mach_port_deallocate(self, hand[i].thread));
	}
}
#define LOTS(n) EACH("blocking/lots-" #n, lots, n, 60, 0)
LOTS(1) LOTS(2) LOTS(3) LOTS(4) LOTS(5) LOTS(6) LOTS(7) LOTS(8) LOTS(9) LOTS(10)
LOTS(11) LOTS(12) LOTS(13) LOTS(14) LOTS(15) LOTS(16) LOTS(17) LOTS(18) LOTS(19) LOTS(20)
