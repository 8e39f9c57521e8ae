/* children: two tasks that both run. */
#include "suite.h"

#include "child.h"

static unsigned char get(vm_offset_t at)
{
	return *(volatile unsigned char *)at;
}

static void set(vm_offset_t at, int byte)
{
	*(volatile unsigned char *)at = (unsigned char)byte;
}

/* ---- Memory. Steps 0, 2 are ours, 1, 3 the child's. */

static void child_writes(struct child *c)
{
	step_comes(0);
	c->shared->numbers[0] = get(c->at);
	c->shared->numbers[1] = get(c->at + PAGE);
	set(c->at, 20);
	set(c->at + PAGE, 21);
	step_done(1);
	step_comes(2);
	c->shared->numbers[2] = get(c->at);
	c->shared->numbers[3] = get(c->at + PAGE);
}

static void both_write(long inheritance, long touched, long unused)
{
	vm_offset_t at = child.at = island(2);

	(void)unused;
	if (touched)
		set(at, 1);
	must("vm_inherit", vm_inherit(self, at, 2 * PAGE, (vm_inherit_t)inheritance));
	child_make();
	child_start(child_writes);
	set(at, 10);
	step_done(0);
	fact("the child has written", step_comes(1));
	mach_printf("ours: %d %d\n", get(at), get(at + PAGE));
	set(at, 30);
	set(at + PAGE, 31);
	step_done(2);
	child_ends();
	mach_printf("the child saw: %ld %ld, then %ld %ld\n", child.shared->numbers[0],
		    child.shared->numbers[1], child.shared->numbers[2], child.shared->numbers[3]);
	mach_printf("ours: %d %d\n", get(at), get(at + PAGE));
}
EACH("task_create/both-write-shared", both_write, VM_INHERIT_SHARE, 1, 0)
EACH("task_create/both-write-shared-untouched", both_write, VM_INHERIT_SHARE, 0, 0)
EACH("task_create/both-write-copied", both_write, VM_INHERIT_COPY, 1, 0)
EACH("task_create/both-write-copied-untouched", both_write, VM_INHERIT_COPY, 0, 0)

/* What the child's code cannot touch ends the child. */
static void child_touches(struct child *c)
{
	c->shared->numbers[0] = 1;
	c->shared->numbers[1] = get(c->at);
	c->shared->numbers[0] = 2;
	set(c->at, 1);
	c->shared->numbers[0] = 3;
}

static void child_may(long inheritance, long protection, long unused)
{
	vm_offset_t at = child.at = island(1);

	(void)unused;
	set(at, 5);
	must("vm_inherit", vm_inherit(self, at, PAGE, (vm_inherit_t)inheritance));
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, (vm_prot_t)protection));
	child_make();
	child_start(child_touches);
	if (protection == RW && inheritance != VM_INHERIT_NONE)
		child_ends();
	else
		fact("the child is dead", dies(child.task));
	mach_printf("it came to %ld\n", child.shared->numbers[0]);
	tell_memory("ours", at, 1);
}
EACH("task_create/child-touches-what-it-has", child_may, VM_INHERIT_COPY, RW, 0)
EACH("task_create/child-touches-what-it-has-not", child_may, VM_INHERIT_NONE, RW, 0)
EACH("task_create/child-touches-read-only", child_may, VM_INHERIT_COPY, VM_PROT_READ, 0)
EACH("task_create/child-touches-shared-read-only", child_may, VM_INHERIT_SHARE, VM_PROT_READ, 0)
EACH("task_create/child-touches-no-access", child_may, VM_INHERIT_COPY, VM_PROT_NONE, 0)

/* Instructions and traps that no program may use end the task. */
static void child_int3(struct child *c) { (void)c; __asm__ volatile("int3"); }
static void child_hlt(struct child *c) { (void)c; __asm__ volatile("hlt"); }
static void child_ud2(struct child *c) { (void)c; __asm__ volatile("ud2"); }

static void child_divides(struct child *c)
{
	__asm__ volatile("divl %2" : : "a"(1), "d"(0), "r"((int)c->shared->numbers[3]));
}

static void child_not_canonical(struct child *c)
{
	(void)c;
	*(volatile char *)0x900000000000 = 1;
}

static void child_jumps_away(struct child *c)
{
	(void)c;
	__asm__ volatile("jmp *%0" : : "r"(0x10UL));
}

static void child_traps(long number)
{
	__asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
}

static void child_trap_positive(struct child *c) { (void)c; child_traps(1); }
static void child_trap_beyond(struct child *c) { (void)c; child_traps(-131); }
static void child_trap_far_beyond(struct child *c) { (void)c; child_traps(-0x7fffffff); }

/* mach_msg's seventh argument lies on the stack. */
static void child_trap_no_stack(struct child *c)
{
	__asm__ volatile("movq %0, %%rsp\n\tmovq $-25, %%rax\n\tsyscall"
			 : : "r"(c->at + PAGE) : "rax", "rcx", "r11", "memory");
}

static void child_no_stack(struct child *c)
{
	__asm__ volatile("movq %0, %%rsp\n\tpushq $0" : : "r"(c->at) : "memory");
}

static void ends_by(void (*body)(struct child *))
{
	child.at = island(1);
	child_make();
	child_start(body);
	fact("the child is dead", dies(child.task));
	tell_name("its thread", child.thread);
}
CASE("task_terminate/by-a-breakpoint") { ends_by(child_int3); }
CASE("task_terminate/by-a-privileged-instruction") { ends_by(child_hlt); }
CASE("task_terminate/by-an-undefined-instruction") { ends_by(child_ud2); }
CASE("task_terminate/by-a-division-by-zero") { ends_by(child_divides); }
CASE("task_terminate/by-an-address-not-canonical") { ends_by(child_not_canonical); }
CASE("task_terminate/by-a-jump-into-nothing") { ends_by(child_jumps_away); }
CASE("task_terminate/by-a-positive-trap") { ends_by(child_trap_positive); }
CASE("task_terminate/by-a-trap-beyond-the-table") { ends_by(child_trap_beyond); }
CASE("task_terminate/by-a-trap-far-beyond-the-table") { ends_by(child_trap_far_beyond); }
CASE("task_terminate/by-a-trap-without-its-stack") { ends_by(child_trap_no_stack); }
CASE("task_terminate/by-a-push-without-a-stack") { ends_by(child_no_stack); }

/* A thread that was given no registers begins at address 0. */
CASE("thread_resume/without-registers")
{
	mach_port_name_t task = make_task(FALSE), thread = MACH_PORT_NULL;

	must("thread_create", thread_create(task, &thread));
	keep_name(thread);
	code("thread_resume", thread_resume(thread));
	fact("the task is dead", dies(task));
	tell_name("its thread", thread);
}

/* One thread's exception ends the task with its other threads. */
static void child_counts(struct child *c)
{
	step_done(0);
	for (;;)
		c->shared->numbers[0]++;
}

CASE("task_terminate/by-another-threads-exception")
{
	mach_port_name_t thread = MACH_PORT_NULL;
	long before;

	child_make();
	child_start(child_counts);
	fact("it runs", step_comes(0));
	must("thread_create", thread_create(child.task, &thread));
	keep_name(thread);
	code("thread_resume", thread_resume(thread));
	fact("the task is dead", dies(child.task));
	tell_name("the thread that counts", child.thread);
	before = child.shared->numbers[0];
	settle();
	fact("it counts still", child.shared->numbers[0] != before);
}

/* The child's memory is changed under it, by calls of ours. */
static void child_watches(struct child *c)
{
	c->shared->numbers[0] = get(c->at);
	step_done(1);
	step_comes(0);
	c->shared->numbers[1] = get(c->at);
	set(c->at, 40);
	c->shared->numbers[2] = get(c->at);
}

static void watch(const char *what, kern_return_t (*change)(vm_offset_t at))
{
	vm_offset_t at = child.at = island(2);

	set(at, 1);
	child_make();
	child_start(child_watches);
	fact("the child has read", step_comes(1));
	code(what, change(at));
	step_done(0);
	if (!step_comes(7) && dies(child.task))
		mach_printf("the child is dead\n");
	mach_printf("the child saw: %ld, then %ld, then %ld; ours: %d\n",
		    child.shared->numbers[0], child.shared->numbers[1],
		    child.shared->numbers[2], get(at));
}

static kern_return_t change_write(vm_offset_t at)
{
	vm_offset_t data = island(1);

	set(data, 33);
	return vm_write(child.task, at, data, 4096);
}

static kern_return_t change_copy(vm_offset_t at)
{
	vm_offset_t data = island(1);

	set(data, 34);
	must("vm_write", vm_write(child.task, at + PAGE, data, 4096));
	return vm_copy(child.task, at + PAGE, PAGE, at);
}

static kern_return_t change_fresh(vm_offset_t at)
{
	must("vm_deallocate", vm_deallocate(child.task, at, PAGE));
	return vm_allocate(child.task, &at, PAGE, FALSE);
}

static kern_return_t change_twice(vm_offset_t at)
{
	must("to none", vm_protect(child.task, at, PAGE, FALSE, VM_PROT_NONE));
	return vm_protect(child.task, at, PAGE, FALSE, RW);
}

static kern_return_t change_read(vm_offset_t at)
{
	mach_msg_type_number_t got;
	vm_offset_t data;
	kern_return_t kr = read_memory(child.task, at, PAGE, &data, &got);

	mach_printf("read: %d\n", get(data));
	return kr;
}
CASE("vm_write/under-a-running-task") { watch("vm_write", change_write); }
CASE("vm_copy/under-a-running-task") { watch("vm_copy", change_copy); }
CASE("vm_allocate/under-a-running-task") { watch("vm_allocate", change_fresh); }
CASE("vm_protect/under-a-running-task") { watch("vm_protect", change_twice); }
CASE("vm_read/under-a-running-task") { watch("vm_read", change_read); }

/* Taken from it while it runs. */
static void taken(kern_return_t (*change)(vm_offset_t at))
{
	vm_offset_t at = child.at = island(2);

	set(at, 1);
	child_make();
	child_start(child_watches);
	fact("the child has read", step_comes(1));
	code("taken", change(at));
	step_done(0);
	fact("the child is dead", dies(child.task));
	mach_printf("the child saw: %ld, then %ld, then %ld; ours: %d\n",
		    child.shared->numbers[0], child.shared->numbers[1],
		    child.shared->numbers[2], get(at));
}

static kern_return_t take_all(vm_offset_t at)
{
	return vm_deallocate(child.task, at, PAGE);
}

static kern_return_t take_write(vm_offset_t at)
{
	return vm_protect(child.task, at, PAGE, FALSE, VM_PROT_READ);
}
CASE("vm_deallocate/under-a-running-task") { taken(take_all); }
CASE("vm_protect/read-only-under-a-running-task") { taken(take_write); }

/* ---- The child's own calls. */

static void child_calls(struct child *c)
{
	vm_offset_t data = 0, memory = 0;
	mach_msg_type_number_t got = 0;
	mach_port_name_t port = MACH_PORT_NULL;

	code("vm_allocate", vm_allocate(self, &memory, 2 * PAGE, TRUE));
	pattern_fill(memory, 2 * PAGE, 3);
	code("vm_read", vm_read(self, memory, 2 * PAGE, &data, &got));
	count("wrong bytes", pattern_wrong(data, 2 * PAGE, 3));
	code("vm_write", vm_write(self, c->at, data, 4096));
	count("wrong bytes", pattern_wrong(c->at, PAGE, 3));
	code("mach_port_allocate", mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &port));
	tell_name("it is", port);
	code("another's name for the host", mach_port_deallocate(self, host));
	fact("the task's trap gives its own name", mach_task_self_trap() == self);
}

CASE("task_create/child-calls-the-kernel")
{
	child.at = island(1);
	pattern_fill(child.at, PAGE, 1);
	child_make();
	child_start(child_calls);
	child_ends();
	count("wrong bytes of ours", pattern_wrong(child.at, PAGE, 1));
}

static void child_terminates_itself(struct child *c)
{
	(void)c;
	step_done(0);
	task_terminate(self);
	step_done(1);
}

CASE("task_terminate/itself")
{
	child_make();
	child_start(child_terminates_itself);
	fact("it runs", step_comes(0));
	fact("it is dead", dies(child.task));
	fact("it came back", child.shared->steps[1]);
	tell_name("its thread", child.thread);
}

static void child_terminates_its_thread(struct child *c)
{
	(void)c;
	step_done(0);
	thread_terminate(mach_thread_self());
	step_done(1);
}

CASE("thread_terminate/itself-the-task-lives")
{
	child_make();
	child_start(child_terminates_its_thread);
	fact("it runs", step_comes(0));
	fact("it is dead", dies(child.thread));
	fact("it came back", child.shared->steps[1]);
	tell_name("the task", child.task);
	code("another", thread_create(child.task, &child.thread));
	keep_name(child.thread);
}

static void child_idles(struct child *c)
{
	(void)c;
	step_done(0);
	for (;;)
		;
}

CASE("task_terminate/while-it-runs")
{
	child_make();
	child_start(child_idles);
	fact("it runs", step_comes(0));
	code("task_terminate", task_terminate(child.task));
	tell_name("the task", child.task);
	tell_name("the thread", child.thread);
}

/* ---- What the child holds goes with it. */

static void child_holds(long type, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct message msg;

	(void)unused;
	(void)more_unused;
	child_make();
	child_give(port, (mach_msg_type_name_t)type);
	tell_name_in(child.task, "there", port);
	must("task_terminate", task_terminate(child.task));
	tell_name("here", port);
	tell_received(port, &msg);
}
EACH("task_terminate/holds-send-once", child_holds, MACH_MSG_TYPE_MAKE_SEND_ONCE, 0, 0)
EACH("task_terminate/holds-send", child_holds, MACH_MSG_TYPE_MAKE_SEND, 0, 0)
EACH("task_terminate/holds-receive", child_holds, MACH_MSG_TYPE_MOVE_RECEIVE, 0, 0)

CASE("task_terminate/holds-a-queue-with-rights")
{
	mach_port_name_t port = make_port(), reply = make_receive(), body = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_MOVE_RECEIVE), body);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = reply;
	must("send", send_sized(&msg, HEADER + ITEM));
	child_make();
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	must("task_terminate", task_terminate(child.task));
	tell_name("the port", port);
	tell_name("carried", body);
	mach_printf("at the reply port: ");
	tell_received(reply, &msg);
}

static void child_waits(struct child *c)
{
	struct message msg;

	step_done(0);
	mach_msg_trap(&msg.head, MACH_RCV_MSG, 0, sizeof(msg), c->port, 0, MACH_PORT_NULL);
}

CASE("task_terminate/waits-for-a-message")
{
	mach_port_name_t port = child.port = make_port();

	child_make();
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(child_waits);
	fact("it runs", step_comes(0));
	settle();
	code("task_terminate", task_terminate(child.task));
	tell_name("the port", port);
}

static void child_sends(struct child *c)
{
	struct message msg = message_to(c->port);

	msg.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg.head.msgh_local_port = mig_get_reply_port();
	step_done(0);
	mach_msg_trap(&msg.head, MACH_SEND_MSG, HEADER, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

CASE("task_terminate/waits-for-room")
{
	mach_port_name_t port = child.port = make_port();

	fill_queue(port);
	child_make();
	child_give(port, MACH_MSG_TYPE_MAKE_SEND);
	child_start(child_sends);
	fact("it runs", step_comes(0));
	settle();
	code("task_terminate", task_terminate(child.task));
	count("messages", drain(port));
}

/* ---- Messages between tasks. */

static mach_msg_return_t call(struct message *msg, mach_msg_size_t size)
{
	mach_port_name_t reply = make_receive();

	msg->head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	msg->head.msgh_local_port = reply;
	return mach_msg_trap(&msg->head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT, size,
			     sizeof(*msg), reply, 10000, MACH_PORT_NULL);
}

/* The child's half of a call: takes a request, lets work see it, answers it. */
static void serve(struct child *c, mach_msg_size_t size, void (*work)(struct message *))
{
	struct message msg;

	code("the child receives", mach_msg_trap(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
						 sizeof(msg), c->port, 10000, MACH_PORT_NULL));
	tell_header(&msg, c->port);
	tell_item(&msg.item[0]);
	work(&msg);
	msg.head.msgh_bits = (msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) |
			     MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(msg.head.msgh_bits), 0);
	msg.head.msgh_local_port = MACH_PORT_NULL;
	code("the child answers", mach_msg_trap(&msg.head, MACH_SEND_MSG, size, 0,
						MACH_PORT_NULL, 0, MACH_PORT_NULL));
}

static void change_memory(struct message *msg)
{
	count("wrong bytes there", pattern_wrong(msg->item[0].address, 2 * PAGE, 1));
	pattern_fill(msg->item[0].address, PAGE, 2);
}

static void keep_memory_as_it_is(struct message *msg)
{
	count("wrong bytes there", pattern_wrong(msg->item[0].address, 2 * PAGE, 1));
	msg->item[0].type.msgt_deallocate = FALSE;
}

static void server_changes(struct child *c) { serve(c, HEADER + ITEM, change_memory); }
static void server_keeps(struct child *c) { serve(c, HEADER + ITEM, keep_memory_as_it_is); }

/* Our memory to the child and back, changed or not. */
static void memory_there_and_back(long changes, long deallocate, long unused)
{
	mach_port_name_t port = child.port = make_port();
	vm_offset_t data = island(2);
	struct message msg;
	mach_msg_return_t mr;

	(void)unused;
	pattern_fill(data, 2 * PAGE, 1);
	child_make();
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(changes ? server_changes : server_keeps);
	msg = message_with(port, TYPE_BYTES(2 * 4096), data);
	msg.item[0].type.msgt_deallocate = deallocate & 1;
	mr = call(&msg, HEADER + ITEM);
	child_ends();	/* it prints, too */
	code("mach_msg", mr);
	tell_memory("what was sent", data, 2);
	if (!deallocate)
		count("wrong bytes in it", pattern_wrong(data, 2 * PAGE, 1));
	tell_item(&msg.item[0]);
	keep_memory(msg.item[0].address, 2 * PAGE);
	count("wrong bytes in the first page", pattern_wrong(msg.item[0].address, PAGE,
							     changes ? 2 : 1));
	tell_memory("the answer's", msg.item[0].address, 2);
}
EACH("mach_msg/memory-to-another-task-changed", memory_there_and_back, 1, 0, 0)
EACH("mach_msg/memory-to-another-task-kept", memory_there_and_back, 0, 0, 0)
EACH("mach_msg/memory-to-another-task-moved", memory_there_and_back, 1, 1, 0)

static void look_at_right(struct message *msg)
{
	mach_port_name_t name = msg->item[0].port.name;
	struct message inner = message_to(name);

	tell_name("there", name);
	switch (msg->item[0].type.msgt_name) {
	case MACH_MSG_TYPE_PORT_SEND:
		code("it sends by it", send_sized(&inner, HEADER));
		break;
	case MACH_MSG_TYPE_PORT_SEND_ONCE:
		inner.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0);
		code("it sends by it", send_sized(&inner, HEADER));
		msg->item[0].port.name = MACH_PORT_NULL;
		break;
	}
}

static void server_of_rights(struct child *c) { serve(c, HEADER + ITEM, look_at_right); }

/* A right to the child, which sends it back. */
static void right_there_and_back(long disposition, long unused, long more_unused)
{
	mach_port_name_t port = child.port = make_port(), body = make_port();
	struct message msg;
	mach_msg_return_t mr;

	(void)unused;
	(void)more_unused;
	child_make();
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(server_of_rights);
	msg = message_with(port, TYPE_PORT((unsigned int)disposition), body);
	mr = call(&msg, HEADER + ITEM);
	child_ends();	/* it prints, too */
	code("mach_msg", mr);
	tell_item(&msg.item[0]);
	mach_printf("the port: %s\n", port_word(msg.item[0].port.name));
	fact("under the same name", msg.item[0].port.name == body);
	tell_name("it is", body);
	tell_received(body, &msg);
}
EACH("mach_msg/right-to-another-task-made", right_there_and_back, 20, 0, 0)
EACH("mach_msg/right-to-another-task-copied", right_there_and_back, 19, 0, 0)
EACH("mach_msg/right-to-another-task-moved", right_there_and_back, 17, 0, 0)
EACH("mach_msg/right-to-another-task-made-once", right_there_and_back, 21, 0, 0)
EACH("mach_msg/right-to-another-task-receive-moved", right_there_and_back, 16, 0, 0)

static void die(struct message *msg)
{
	(void)msg;
	task_terminate(self);
}

static void server_that_dies(struct child *c) { serve(c, HEADER, die); }

CASE("mach_msg/server-dies-with-the-request")
{
	mach_port_name_t port = child.port = make_port();
	struct message msg;

	child_make();
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(server_that_dies);
	msg = message_to(port);
	code("mach_msg", call(&msg, HEADER));
	tell_header(&msg, msg.head.msgh_local_port);
	tell_name("the port", port);
}

CASE("kernel/stub-server-dies-with-the-request")
{
	mach_port_name_t port = child.port = make_port();

	child_make();
	child_give(port, MACH_MSG_TYPE_MOVE_RECEIVE);
	child_start(server_that_dies);
	code("vm_deallocate", vm_deallocate(port, 0, 0));
	code("again", vm_deallocate(port, 0, 0));
}

/* A task asks about another by the right it was given. */
static void child_asks(struct child *c)
{
	mach_msg_type_number_t got = 0;
	vm_offset_t data = 0;

	code("vm_read of ours by the child", vm_read(c->port, c->at, PAGE, &data, &got));
	count("wrong bytes", pattern_wrong(data, PAGE, 1));
	pattern_fill(data, PAGE, 2);
	code("vm_write to ours by the child", vm_write(c->port, c->at + PAGE, data, 4096));
	code("vm_protect of ours by the child",
	     vm_protect(c->port, c->at, PAGE, FALSE, VM_PROT_READ));
}

CASE("vm_read/of-the-parent-by-the-child")
{
	vm_offset_t at = child.at = island(2);

	pattern_fill(at, PAGE, 1);
	child_make();
	child.port = fresh_name();
	must("our task", mach_port_insert_right(child.task, child.port, self,
						MACH_MSG_TYPE_COPY_SEND));
	child_start(child_asks);
	child_ends();
	count("wrong bytes of the first page", pattern_wrong(at, PAGE, 1));
	count("wrong bytes of the second", pattern_wrong(at + PAGE, PAGE, 2));
	tell_memory("ours", at, 2);
}
