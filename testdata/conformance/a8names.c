/*
 * a8names: which numbers names get. A new task has no names, so those the kernel
 * chooses there can be told.
 */
#include "suite.h"

#include "notes.h"

static mach_port_name_t task;

static mach_port_name_t choose(void)
{
	mach_port_name_t name = 0;
	kern_return_t kr = mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &name);

	return kr == KERN_SUCCESS ? name : 0;
}

static void take(mach_port_name_t name)
{
	must("allocate_name", mach_port_allocate_name(task, MACH_PORT_RIGHT_DEAD_NAME, name));
}

static void give_up(mach_port_name_t name)
{
	must("destroy", mach_port_destroy(task, name));
}

static void tell_next(const char *what, int n)
{
	mach_printf("%s:", what);
	while (n-- > 0)
		mach_printf(" %u", choose());
	mach_printf("\n");
}

CASE("mach_port_allocate/first-names")
{
	task = make_task(FALSE);
	tell_next("chosen", 8);
	tell_next("more", 8);
}

CASE("mach_port_allocate/last-freed-first")
{
	task = make_task(FALSE);
	tell_next("chosen", 8);
	give_up(3);
	give_up(7);
	give_up(1);
	give_up(5);
	tell_next("chosen", 6);
}

/* Each way in which a name becomes free. */
CASE("mach_port_allocate/freed-in-each-way")
{
	mach_port_name_t port = make_port(), right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 0;

	task = make_task(FALSE);
	tell_next("chosen", 4);
	must("insert", mach_port_insert_right(task, 5, port, MACH_MSG_TYPE_COPY_SEND));
	must("insert", mach_port_insert_right(task, 6, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	take(7);
	must("insert", mach_port_insert_right(task, 8, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	tell_next("next", 1);
	must("mod_refs", mach_port_mod_refs(task, 1, MACH_PORT_RIGHT_RECEIVE, -1));
	must("deallocate", mach_port_deallocate(task, 5));
	must("send-once", mach_port_mod_refs(task, 6, MACH_PORT_RIGHT_SEND_ONCE, -1));
	must("dead name", mach_port_deallocate(task, 7));
	must("extract", mach_port_extract_right(task, 2, MACH_MSG_TYPE_MOVE_RECEIVE, &right, &type));
	keep_name(right);
	must("extract", mach_port_extract_right(task, 8, MACH_MSG_TYPE_MOVE_SEND_ONCE, &right, &type));
	keep_name(right);
	must("rename", mach_port_rename(task, 3, 100));
	tell_next("chosen", 9);
}

/* Calls that take a name and give it back. */
CASE("mach_port_allocate/after-calls-that-failed")
{
	mach_port_name_t port = make_port(), died = make_died();

	task = make_task(FALSE);
	tell_next("chosen", 3);
	code("rename nothing", mach_port_rename(task, 50, 20));
	tell_next("next", 2);
	code("allocate_name in use", mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, 2));
	code("allocate_name, no right", mach_port_allocate_name(task, 9, 30));
	tell_next("next", 2);
	must("insert", mach_port_insert_right(task, 40, port, MACH_MSG_TYPE_COPY_SEND));
	code("a second name", mach_port_insert_right(task, 41, port, MACH_MSG_TYPE_COPY_SEND));
	tell_next("next", 2);
	code("a dead right", mach_port_insert_right(task, 60, died, MACH_MSG_TYPE_COPY_SEND));
	tell_next("next", 2);
	code("a name in use", mach_port_insert_right(task, 2, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("another's name", mach_port_insert_right(task, 2, port, MACH_MSG_TYPE_COPY_SEND));
	tell_next("next", 2);
}

/* Chosen by the client, and then by the kernel. */
CASE("mach_port_allocate_name/in-the-way")
{
	task = make_task(FALSE);
	take(2);
	take(3);
	take(5);
	tell_next("chosen", 4);
	take(64);
	take(63);
	take(4096);
	tell_next("chosen", 3);
}

CASE("mach_port_allocate_name/highest")
{
	task = make_task(FALSE);
	take(0xfffffffe);
	take(0x80000000);
	take(0x7fffffff);
	take(0xffff);
	tell_next("chosen", 3);
	code("the last", mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, 0xffffffff));
	code("the first", mach_port_allocate_name(task, MACH_PORT_RIGHT_RECEIVE, 0));
	give_up(0x80000000);
	give_up(0xfffffffe);
	tell_next("chosen", 4);
	tell_name_in(task, "0x7fffffff", 0x7fffffff);
}

/* A name that was freed, taken by its number: out of the row of free ones. */
CASE("mach_port_allocate_name/of-freed-ones")
{
	task = make_task(FALSE);
	tell_next("chosen", 6);
	give_up(2);
	give_up(3);
	give_up(4);
	give_up(5);
	take(3);
	take(5);
	tell_next("chosen", 3);
}

/* Runs of numbers, up or down. */
static void tell_runs(const char *what, int n)
{
	mach_port_name_t first = 0, last = 0, name;
	int step = 0, i;

	mach_printf("%s:", what);
	for (i = 0; i < n; i++) {
		name = choose();
		if (i > 0 && (step == 0 || step == (int)(name - last)) &&
		    (name == last + 1 || name + 1 == last)) {
			step = (int)(name - last);
		} else {
			if (i > 0)
				mach_printf(" %u-%u", first, last);
			first = name;
			step = 0;
		}
		last = name;
	}
	mach_printf(" %u-%u\n", first, last);
}

/* More freed than a space remembers. */
static void many_freed(long n, long freed, long down)
{
	long i;

	task = make_task(FALSE);
	tell_runs("chosen", (int)n);
	for (i = 0; i < freed; i++)
		give_up((mach_port_name_t)(down ? n - i : 1 + i));
	tell_runs("again", (int)freed + 3);
}
EACH("mach_port_allocate/63-freed", many_freed, 100, 63, 0)
EACH("mach_port_allocate/64-freed", many_freed, 100, 64, 0)
EACH("mach_port_allocate/65-freed", many_freed, 100, 65, 0)
EACH("mach_port_allocate/100-freed", many_freed, 100, 100, 0)
EACH("mach_port_allocate/100-freed-downward", many_freed, 100, 100, 1)
EACH("mach_port_allocate/1000-freed", many_freed, 1000, 1000, 0)
EACH("mach_port_allocate/1000-freed-downward", many_freed, 1000, 1000, 1)
EACH("mach_port_allocate/5000-names", many_freed, 5000, 0, 0)

/* Any calls in any order: the sum of the names chosen, every so often. */
static void any_order(long seed, long span, long unused)
{
	uint32_t x = (uint32_t)seed, sum = 0;
	mach_port_name_t name;
	int i;

	(void)unused;
	task = make_task(FALSE);
	for (i = 1; i <= 1500; i++) {
		x = x * 1664525 + 1013904223;
		name = 1 + (x >> 8) % (uint32_t)span;
		switch ((x >> 4) % 8) {
		case 0: case 1: case 2:
			sum = sum * 31 + choose();
			break;
		case 3: case 4: case 5:
			sum = sum * 31 + (uint32_t)mach_port_destroy(task, name);
			break;
		case 6:
			sum = sum * 31 + (uint32_t)mach_port_allocate_name(task,
				MACH_PORT_RIGHT_PORT_SET, name);
			break;
		case 7:
			sum = sum * 31 + (uint32_t)mach_port_rename(task, name,
				1 + (name * 17) % (uint32_t)span);
			break;
		}
		if (i % 100 == 0)
			mach_printf("%d: %x, next %u\n", i, sum, choose());
	}
}
EACH("mach_port_allocate/any-order-30", any_order, 1, 30, 0)
EACH("mach_port_allocate/any-order-200", any_order, 2, 200, 0)
EACH("mach_port_allocate/any-order-1000", any_order, 3, 1000, 0)
EACH("mach_port_allocate/any-order-100000", any_order, 4, 100000, 0)

/* ---- Names of what is received. */

CASE("mach_msg/received-rights-get-freed-names")
{
	mach_port_name_t port = make_port(), a, b, c;
	struct message msg;

	words_begin();
	a = called("a", make_receive());
	b = called("b", make_receive());
	c = called("c", make_receive());
	msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND_ONCE), port);
	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = port;
	msg.item[1] = msg.item[0];
	must("send", send_sized(&msg, HEADER + 2 * ITEM));
	must("destroy", mach_port_destroy(self, a));
	must("destroy", mach_port_destroy(self, b));
	must("destroy", mach_port_destroy(self, c));
	code("receive", receive(port, &msg));
	mach_printf("reply %s, first %s, second %s\n", word_of(msg.head.msgh_remote_port),
		    word_of(msg.item[0].port.name), word_of(msg.item[1].port.name));
	keep_name(msg.head.msgh_remote_port);
	keep_name(msg.item[0].port.name);
	keep_name(msg.item[1].port.name);
}

/* A right sent away and received again: the name that it had, if it is the last freed. */
static void there_and_back(long disposition, long between, long unused)
{
	mach_port_name_t port = make_port(), right = disposition == 18 ?
		send_once_to(make_receive()) : disposition == 17 ? make_send() : make_receive();
	struct message msg = message_with(port, TYPE_PORT((unsigned)disposition), right);
	mach_port_name_t other = MACH_PORT_NULL;

	(void)unused;
	words_begin();
	called("the old name", right);
	must("send", send_sized(&msg, HEADER + ITEM));
	if (between)
		fact("another gets its name", (other = make_receive()) == right);
	code("receive", receive(port, &msg));
	mach_printf("it has %s\n", word_of(msg.item[0].port.name));
	tell_name("it is", keep_name(msg.item[0].port.name));
}
EACH("mach_msg/receive-right-there-and-back", there_and_back, 16, 0, 0)
EACH("mach_msg/receive-right-there-and-back-name-taken", there_and_back, 16, 1, 0)
EACH("mach_msg/send-right-there-and-back", there_and_back, 17, 0, 0)
EACH("mach_msg/send-right-there-and-back-name-taken", there_and_back, 17, 1, 0)
EACH("mach_msg/send-once-right-there-and-back", there_and_back, 18, 0, 0)
EACH("mach_msg/send-once-right-there-and-back-name-taken", there_and_back, 18, 1, 0)

/* A right that is dead when it is received takes a name and gives it back. */
CASE("mach_msg/dead-right-received-frees-a-name")
{
	mach_port_name_t port = make_port(), dying = make_port(), low, high;
	struct message msg;

	words_begin();
	send_right(port, dying, MACH_MSG_TYPE_COPY_SEND, 1);
	must("destroy", mach_port_destroy(self, dying));
	low = called("freed first", make_receive());
	high = called("freed last", make_receive());
	must("destroy", mach_port_destroy(self, low));
	must("destroy", mach_port_destroy(self, high));
	code("receive", receive(port, &msg));
	mach_printf("right %s\n", word_of(msg.item[0].port.name));
	mach_printf("next %s\n", word_of(make_receive()));
	mach_printf("next %s\n", word_of(make_receive()));
}

/* ---- mach_port_names: what it lists, in which order. */

static void tell_list(const char *what, mach_port_name_t of)
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t n = 99, m = 99, i, beyond = 0;

	code(what, mach_port_names(of, &names, &n, &types, &m));
	for (i = 0; i < n; i++)
		mach_printf("  %u 0x%x\n", names[i], types[i]);
	for (i = n; n != 0 && i < 1024; i++)
		beyond += names[i] != 0 || types[i] != 0;
	mach_printf("  as many types: %d, beyond the last: %u\n", n == m, beyond);
	keep_memory((vm_offset_t)names, n * sizeof(*names));
	keep_memory((vm_offset_t)types, m * sizeof(*types));
}

CASE("mach_port_names/of-each-kind-in-order")
{
	mach_port_name_t port = make_port(), notify = make_receive(), dying = make_port();
	mach_port_name_t once = send_once_to(dying);

	task = make_task(FALSE);
	tell_list("none", task);
	take(900);
	must("insert", mach_port_insert_right(task, 0xfffffffe, port, MACH_MSG_TYPE_COPY_SEND));
	must("insert", mach_port_insert_right(task, 70, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	must("insert", mach_port_insert_right(task, 71, dying, MACH_MSG_TYPE_MOVE_SEND));
	must("insert", mach_port_insert_right(task, 4097, once, MACH_MSG_TYPE_MOVE_SEND_ONCE));
	must("set", mach_port_allocate_name(task, MACH_PORT_RIGHT_PORT_SET, 100000));
	tell_next("chosen", 3);
	must("request", arm_by(task, 2, MACH_NOTIFY_DEAD_NAME, 0, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	must("request", arm_by(task, 71, MACH_NOTIFY_DEAD_NAME, 0, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	must("request", arm_by(task, 0xfffffffe, MACH_NOTIFY_DEAD_NAME, 0, notify,
			       MACH_MSG_TYPE_MAKE_SEND_ONCE));
	must("destroy", mach_port_destroy(task, 1));
	tell_list("all", task);
	must("destroy", mach_port_destroy(self, dying));
	tell_list("with two that died", task);
	tell_name_in(task, "71", 71);
	tell_name_in(task, "4097", 4097);
	must("rename", mach_port_rename(task, 0xfffffffe, 3000));
	tell_list("one renamed", task);
}

static void listed(long n, long unused, long more_unused)
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t got = 99, m = 99, i, wrong = 0;

	(void)unused;
	(void)more_unused;
	task = make_task(FALSE);
	for (i = 0; i < n; i++)
		choose();
	code("mach_port_names", mach_port_names(task, &names, &got, &types, &m));
	for (i = 0; i < got; i++)
		wrong += names[i] != i + 1 || types[i] != MACH_PORT_TYPE_RECEIVE;
	mach_printf("%u names, %u types, %u wrong\n", got, m, wrong);
	keep_memory((vm_offset_t)names, got * sizeof(*names));
	keep_memory((vm_offset_t)types, m * sizeof(*types));
}
EACH("mach_port_names/1023", listed, 1023, 0, 0)
EACH("mach_port_names/1024", listed, 1024, 0, 0)
EACH("mach_port_names/1025", listed, 1025, 0, 0)
EACH("mach_port_names/3000", listed, 3000, 0, 0)
