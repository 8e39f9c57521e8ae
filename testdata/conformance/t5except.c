/* t5except: what a thread does wrong, who is told of it, and what the answer does. */
#include "suite.h"

#include <mach/exception.h>

#include "message.h"
#include "worker.h"

/* ---- The message. */

struct exception_message {
	mach_msg_header_t head;
	mach_msg_type_t thread_type;
	mach_port_name_inlined_t thread;
	mach_msg_type_t task_type;
	mach_port_name_inlined_t task;
	mach_msg_type_t exception_type;
	int exception, pad1;
	mach_msg_type_t code_type;
	int code, pad2;
	mach_msg_type_t subcode_type;
	long subcode;
	unsigned char room[64];
};

struct reply_message {
	mach_msg_header_t head;
	mach_msg_type_t type;
	kern_return_t code;
	int pad;
	unsigned char room[32];
};

/* What is queued: a thread that waits for a reply has sent its message. */
static mach_msg_return_t receive_exception(mach_port_name_t port, struct exception_message *msg)
{
	mach_msg_return_t mr;

	memset(msg, 0, sizeof(*msg));
	mr = mach_msg(&msg->head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(*msg), port, 0,
		      MACH_PORT_NULL);
	if (mr == MACH_MSG_SUCCESS) {
		keep_name(msg->head.msgh_remote_port);
		keep_name(msg->thread.name);
		mach_port_deallocate(self, msg->task.name); /* there is another reference */
	}
	return mr;
}

static struct reply_message reply_to(const struct exception_message *msg, kern_return_t code)
{
	return (struct reply_message){
		.head = {
			.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MOVE_SEND_ONCE, 0),
			.msgh_remote_port = msg->head.msgh_remote_port,
			.msgh_id = 2500,
		},
		.type = TYPE_INTEGER,
		.code = code,
	};
}

static mach_msg_return_t send_reply(struct reply_message *reply, mach_msg_size_t size)
{
	return mach_msg(&reply->head, MACH_SEND_MSG, size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static void answer(const struct exception_message *msg, kern_return_t code)
{
	struct reply_message reply = reply_to(msg, code);

	must("reply", send_reply(&reply, 48));
}

/* ---- Threads that do something wrong. */

/* What a victim looks at; a page that cases protect or take away. */
static struct victim {
	volatile int done;	/* 1 when it got to its end */
	vm_offset_t at;		/* the address it touches */
	volatile long got;
	long regs[16];
} victim;

__attribute__((used)) static void victim_done(void)
{
	__atomic_store_n(&victim.done, 1, __ATOMIC_RELEASE);
	worker_stop();
}

/*
 * A victim: rdi points to struct victim, rax is the address it is to touch.
 * The label is where it goes wrong; after that it is done.
 */
#define VICTIM(name, before, instruction)					\
	__attribute__((naked)) static void name(void *unused)			\
	{									\
		(void)unused;							\
		__asm__ volatile("movq 8(%rdi), %rax\n\t" before		\
				 "\n.globl at_" #name "\nat_" #name ":\n\t"	\
				 instruction "\n\tjmp victim_done\n");		\
	}									\
	extern char at_##name[];

static void tell_subcode(long subcode, vm_offset_t at)
{
	long distance = (long)((vm_offset_t)subcode - at);

	if (subcode >= 0 && subcode < 0x10000)
		mach_printf("subcode 0x%lx\n", subcode);
	else if (at != 0 && distance >= -64 && distance <= 4096)
		mach_printf("subcode: the address%s%ld\n", distance < 0 ? " " : " + ", distance);
	else
		mach_printf("subcode: another address\n");
}

static void tell_exception(const struct exception_message *msg, mach_port_name_t thread,
			   vm_offset_t at)
{
	mach_printf("exception %d, code %d\n", msg->exception, msg->code);
	tell_subcode(msg->subcode, at);
	if (msg->thread.name != thread)
		mach_printf("the thread is another\n");
}

/* Waits for the exception of a thread that runs, and receives it. */
static boolean_t next_exception(mach_port_name_t port, mach_port_name_t thread,
				struct exception_message *msg)
{
	mach_msg_return_t mr;

	if (!until_waiting(thread))
		return FALSE;
	mr = receive_exception(port, msg);
	if (mr != MACH_MSG_SUCCESS)
		mach_printf("no exception\n");
	return mr == MACH_MSG_SUCCESS;
}

/* Not running yet: its stack must not come to lie where a case makes a hole. */
static mach_port_name_t make_victim(void (*entry)(void *), mach_port_name_t port)
{
	mach_port_name_t thread;

	memset(&victim, 0, sizeof(victim));
	thread = make_worker(entry, &victim);
	must("thread_set_special_port",
	     thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	return thread;
}

static void let_go(mach_port_name_t thread, vm_offset_t at)
{
	victim.at = at;
	must("thread_resume", thread_resume(thread));
}

static mach_port_name_t start_victim(void (*entry)(void *), vm_offset_t at, mach_port_name_t port)
{
	mach_port_name_t thread = make_victim(entry, port);

	let_go(thread, at);
	return thread;
}

static void end_victim(mach_port_name_t thread)
{
	code("thread_terminate", thread_terminate(thread));
}

static void go_to(mach_port_name_t thread, void (*where)(void))
{
	struct i386_thread_state state;

	get_state(thread, &state);
	state.rip = (vm_offset_t)where;
	set_state(thread, &state);
}

static unsigned char end_stack[1024] __attribute__((aligned(16)));

/* Goes wrong, is sent to its end by the handler, and gets there. */
static void goes_wrong(mach_port_name_t thread, mach_port_name_t port, char *label,
		       vm_offset_t at)
{
	struct exception_message msg;
	struct i386_thread_state state;

	let_go(thread, at);
	if (next_exception(port, thread, &msg)) {
		tell_exception(&msg, thread, at);
		get_state(thread, &state);
		if (state.rip - (vm_offset_t)label < 16)
			mach_printf("rip: the instruction + %ld\n",
				    (long)(state.rip - (vm_offset_t)label));
		else
			mach_printf("rip: %s\n", state.rip == at ? "the address" : "elsewhere");
		/* Its stack may be what was wrong. */
		state.ursp = (vm_offset_t)(end_stack + sizeof(end_stack) - 8);
		state.rip = (vm_offset_t)victim_done;
		set_state(thread, &state);
		answer(&msg, KERN_SUCCESS);
		fact("resumed where it was sent", until_set(&victim.done, 1));
	} else {
		mach_printf("it went on: %d\n", victim.done);
	}
	end_victim(thread);
}

static void goes_wrong_at(void (*entry)(void *), char *label, vm_offset_t at)
{
	mach_port_name_t port = make_port();

	goes_wrong(make_victim(entry, port), port, label, at);
}

#define WRONG(case_name, symbol, before, instruction)				\
	VICTIM(symbol, before, instruction)					\
	CASE("exception/" case_name) { goes_wrong_at(symbol, at_##symbol, 0); }

WRONG("ud2", v_ud2, "", "ud2")
WRONG("int3", v_int3, "", ".byte 0xcc")
WRONG("int-3", v_int_3, "", ".byte 0xcd, 3")
WRONG("int-4", v_int_4, "", ".byte 0xcd, 4")
WRONG("int-5", v_int_5, "", ".byte 0xcd, 5")
WRONG("int-0", v_int_0, "", ".byte 0xcd, 0")
WRONG("int-1", v_int_1, "", ".byte 0xcd, 1")
WRONG("int-2", v_int_2, "", ".byte 0xcd, 2")
WRONG("int-6", v_int_6, "", ".byte 0xcd, 6")
WRONG("int-13", v_int_13, "", ".byte 0xcd, 13")
WRONG("int-14", v_int_14, "", ".byte 0xcd, 14")
WRONG("int-32", v_int_32, "", ".byte 0xcd, 32")
WRONG("int-128", v_int_128, "", ".byte 0xcd, 0x80")
WRONG("int-255", v_int_255, "", ".byte 0xcd, 0xff")
WRONG("int1", v_int1, "", ".byte 0xf1")
WRONG("into", v_into, "", ".byte 0xce, 0x90, 0x90")
WRONG("bound", v_bound, "", ".byte 0x62, 0x00, 0x90, 0x90, 0x90, 0x90")
WRONG("far-call", v_lcall, "", ".byte 0x9a, 0, 0, 0, 0, 7, 0")
WRONG("push-es", v_push_es, "", ".byte 0x06")
WRONG("aaa", v_aaa, "", ".byte 0x37")
WRONG("divide-by-zero", v_div, "xorl %ecx, %ecx; xorl %edx, %edx; movl $1, %eax", "divl %ecx")
WRONG("divide-overflow", v_idiv, "movl $-1, %ecx; movl $0x80000000, %eax; cltd", "idivl %ecx")
WRONG("hlt", v_hlt, "", "hlt")
WRONG("cli", v_cli, "", "cli")
WRONG("sti", v_sti, "", "sti")
WRONG("in", v_in, "", "inb $0x60, %al")
WRONG("out", v_out, "", "outb %al, $0x80")
WRONG("rdmsr", v_rdmsr, "movl $0x10, %ecx", "rdmsr")
WRONG("wrmsr", v_wrmsr, "movl $0x10, %ecx", "wrmsr")
WRONG("read-cr0", v_cr0, "", "movq %cr0, %rax")
WRONG("write-cr3", v_cr3, "", "movq %rax, %cr3")
WRONG("read-dr7", v_dr7, "", "movq %dr7, %rax")
WRONG("invlpg", v_invlpg, "", "invlpg (%rax)")
WRONG("lgdt", v_lgdt, "", "lgdt (%rsp)")
WRONG("clts", v_clts, "", "clts")
WRONG("swapgs", v_swapgs, "", "swapgs")
WRONG("sysretq", v_sysret, "movq $victim_done, %rcx; movl $0x202, %r11d", "sysretq")
WRONG("ds-selector-beyond-table", v_ds, "movl $0xfff8, %ecx", "movl %ecx, %ds")
WRONG("ss-null-selector", v_ss, "xorl %ecx, %ecx", "movl %ecx, %ss")
WRONG("es-code-of-kernel", v_es, "movl $8, %ecx", "movl %ecx, %es")
WRONG("far-return-null-selector", v_lret, "pushq $0; pushq $victim_done", "lretq")
/* Processors read a stack pointer, too, before they look at the selector. */
WRONG("far-return-null-selector-deep-stack", v_lret_deep,
      "pushq $0; pushq $0; pushq $0; pushq $victim_done", "lretq")
WRONG("far-return-selector-beyond-table", v_lret_far,
      "pushq $0; pushq $0; pushq $0xfffb; pushq $victim_done", "lretq")
WRONG("iretq-null-selector", v_iret_null,
      "pushq $0; pushq $0; pushq $0x202; pushq $0; pushq $victim_done", "iretq")
WRONG("iretq-nested-task", v_iret,
      "pushfq; orl $0x4000, (%rsp); popfq; pushq $0; pushq $0; pushq $0x202; pushq $0; pushq $0",
      "iretq")
WRONG("not-canonical-read", v_noncanon, "movabsq $0x800000000000, %rcx", "movq (%rcx), %rcx")
WRONG("not-canonical-write", v_noncanonw, "movabsq $0x8000000000000000, %rcx", "movb %al, (%rcx)")
WRONG("not-canonical-stack", v_noncanons, "movabsq $0x800000000008, %rsp", "pushq %rax")
WRONG("not-canonical-frame", v_noncanonf, "movabsq $0x900000000000, %rbp", "movq (%rbp), %rcx")
WRONG("misaligned-sse", v_movaps, "", "movaps 1(%rsp), %xmm0")
WRONG("trap-number-1", v_trap1, "movl $1, %eax", "syscall")
WRONG("trap-number-largest", v_trapmax, "movl $0x7fffffff, %eax", "syscall")
WRONG("trap-number-minus-131", v_trap131, "movq $-131, %rax", "syscall")
WRONG("trap-number-minus-1000", v_trap1000, "movq $-1000, %rax", "syscall")
WRONG("x87-divide-by-zero", v_x87,
      "fninit; pushq $0x37b; fldcw (%rsp); fldz; fld1; fdivp %st, %st(1); nop", "fwait")
WRONG("x87-invalid", v_x87i,
      "fninit; pushq $0x37e; fldcw (%rsp); fldz; fldz; fdivp %st, %st(1); nop", "fwait")
WRONG("sse-divide-by-zero", v_sse,
      "pushq $0x1d80; ldmxcsr (%rsp); xorps %xmm1, %xmm1; movl $0x3f800000, %ecx; movd %ecx, %xmm0",
      "divss %xmm1, %xmm0")

/* ---- Memory. */

VICTIM(v_read, "", "movb (%rax), %cl")
VICTIM(v_read_8, "", "movq (%rax), %rcx")
VICTIM(v_write, "", "movb %cl, (%rax)")
VICTIM(v_write_8, "", "movq %rcx, (%rax)")
VICTIM(v_add, "", "lock incl (%rax)")
VICTIM(v_jump, "", "jmp *%rax")
VICTIM(v_push, "movq %rax, %rsp", "pushq %rcx")

/* Pages: writable, read-only, none, execute only, hole. */
static void touches(long entry, long label, long offset)
{
	mach_port_name_t port = make_port();
	mach_port_name_t thread = make_victim((void (*)(void *))entry, port);
	vm_offset_t at = island(5);

	must("vm_protect", vm_protect(self, at + PAGE, PAGE, FALSE, VM_PROT_READ));
	must("vm_protect", vm_protect(self, at + 2 * PAGE, PAGE, FALSE, VM_PROT_NONE));
	must("vm_protect", vm_protect(self, at + 3 * PAGE, PAGE, FALSE, VM_PROT_EXECUTE));
	must("vm_deallocate", vm_deallocate(self, at + 4 * PAGE, PAGE));
	goes_wrong(thread, port, (char *)label, at + (vm_offset_t)offset);
}
#define TOUCHES(name, victim_name, offset) \
	EACH("exception/" name, touches, victim_name, at_##victim_name, offset)
TOUCHES("read-hole", v_read, 0x4010)
TOUCHES("read-hole-last-byte", v_read, 0x4fff)
TOUCHES("read-none", v_read, 0x2008)
TOUCHES("read-execute-only", v_read, 0x3008)
TOUCHES("write-hole", v_write, 0x4010)
TOUCHES("write-read-only", v_write, 0x1234)
TOUCHES("write-none", v_write, 0x2000)
TOUCHES("write-execute-only", v_write, 0x3000)
TOUCHES("add-read-only", v_add, 0x1100)
TOUCHES("add-hole", v_add, 0x4100)
TOUCHES("read-into-none", v_read_8, 0x1ffc)
TOUCHES("write-into-read-only", v_write_8, 0x0ffc)
TOUCHES("read-into-hole", v_read_8, 0x3ffc)
TOUCHES("jump-to-hole", v_jump, 0x4020)
TOUCHES("jump-to-none", v_jump, 0x2020)
TOUCHES("push-to-hole", v_push, 0x5000 - 8)
TOUCHES("push-to-read-only", v_push, 0x2000)

static void touches_far(long entry, long label, long at)
{
	goes_wrong_at((void (*)(void *))entry, (char *)label, (vm_offset_t)at);
}
#define FAR(name, victim_name, at) \
	EACH("exception/" name, touches_far, victim_name, at_##victim_name, at)
FAR("read-page-zero", v_read, 0)
FAR("write-page-zero", v_write, 8)
FAR("jump-to-page-zero", v_jump, 0)
FAR("read-kernel-address", v_read, 0xffffffff81000000)
FAR("write-kernel-address", v_write, 0xffffffff81000000)
FAR("read-kernel-first", v_read, 0xffff800000000000)
FAR("jump-to-kernel-address", v_jump, 0xffffffff81000000)

VICTIM(v_call_page, "movq $victim_done, %rcx; pushq %rcx", "jmp *%rax")

/* Code in pages without execute permission, and in a page with nothing but that. */
static void executes(long protection, long unused, long more_unused)
{
	mach_port_name_t port = make_port(), thread;
	vm_offset_t at = island(1);
	struct exception_message msg;

	(void)unused;
	(void)more_unused;
	*(unsigned char *)at = 0xc3;
	must("vm_protect", vm_protect(self, at, PAGE, FALSE, (vm_prot_t)protection));
	thread = start_victim(v_call_page, at, port);
	until_waiting(thread);
	fact("it ran", victim.done == 1);
	if (!victim.done && next_exception(port, thread, &msg))
		tell_exception(&msg, thread, at);
	end_victim(thread);
}
EACH("exception/execute-read-write", executes, VM_PROT_READ | VM_PROT_WRITE, 0, 0)
EACH("exception/execute-read-only", executes, VM_PROT_READ, 0, 0)
EACH("exception/execute-execute-only", executes, VM_PROT_EXECUTE, 0, 0)
EACH("exception/execute-none", executes, VM_PROT_NONE, 0, 0)

/* ---- The message in full. */

CASE("exception_raise/message")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	mach_port_urefs_t before = 0, after = 0;
	struct exception_message msg;

	must("get_refs", mach_port_get_refs(self, thread, MACH_PORT_RIGHT_SEND, &before));
	if (next_exception(port, thread, &msg)) {
		tell_header((struct message *)&msg, port);
		tell_item((struct item *)&msg.thread_type);
		tell_item((struct item *)&msg.task_type);
		tell_item((struct item *)&msg.exception_type);
		tell_item((struct item *)&msg.code_type);
		tell_item((struct item *)&msg.subcode_type);
		fact("the thread's own port", msg.thread.name == thread);
		fact("the task's own port", msg.task.name == self);
		must("get_refs", mach_port_get_refs(self, thread, MACH_PORT_RIGHT_SEND, &after));
		count("references more", after - before);
		tell_name("reply right", msg.head.msgh_remote_port);
		go_to(thread, victim_done);
		answer(&msg, KERN_SUCCESS);
		fact("resumed", until_set(&victim.done, 1));
		tell_name("reply right after the reply", msg.head.msgh_remote_port);
	}
	end_victim(thread);
}

CASE("exception_raise/special-kernel-ports")
{
	mach_port_name_t port = make_port(), mine = make_port(), tasks = make_port();
	mach_port_name_t thread = make_worker(v_ud2, &victim);
	struct exception_message msg;

	memset(&victim, 0, sizeof(victim));
	code("thread's kernel port", thread_set_special_port(thread, THREAD_KERNEL_PORT, mine));
	code("task's kernel port", task_set_special_port(self, TASK_KERNEL_PORT, tasks));
	must("exception port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	must("thread_resume", thread_resume(thread));
	if (next_exception(port, thread, &msg)) {
		fact("thread is the one that was set", msg.thread.name == mine);
		fact("task is the one that was set", msg.task.name == tasks);
	}
	must("task's kernel port", task_set_special_port(self, TASK_KERNEL_PORT, self));
	end_victim(thread);
}

CASE("exception_raise/registers")
{
	mach_port_name_t port = make_port(), thread = make_worker(v_ud2, &victim);
	struct i386_thread_state state, seen;
	struct exception_message msg;
	int same;

	memset(&victim, 0, sizeof(victim));
	must("exception port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	get_state(thread, &state);
	state.r8 = 0x1111111111111111; state.r9 = 0x2222222222222222;
	state.r10 = 0x3333333333333333; state.r11 = 0x4444444444444444;
	state.r12 = 0x5555555555555555; state.r13 = 0x6666666666666666;
	state.r14 = 0x7777777777777777; state.r15 = 0x8888888888888888;
	state.rsi = 0x9999999999999999; state.rbp = 0xaaaaaaaaaaaaaaaa;
	state.rbx = 0xbbbbbbbbbbbbbbbb; state.rdx = 0xcccccccccccccccc;
	state.rcx = 0xdddddddddddddddd; state.rax = 0xeeeeeeeeeeeeeeee;
	state.rip = (vm_offset_t)at_v_ud2;
	set_state(thread, &state);
	must("thread_resume", thread_resume(thread));
	if (next_exception(port, thread, &msg)) {
		get_state(thread, &seen);
		same = seen.r8 == state.r8 && seen.r9 == state.r9 && seen.r10 == state.r10 &&
		       seen.r11 == state.r11 && seen.r12 == state.r12 && seen.r13 == state.r13 &&
		       seen.r14 == state.r14 && seen.r15 == state.r15;
		fact("r8 to r15", same);
		same = seen.rsi == state.rsi && seen.rbp == state.rbp && seen.rbx == state.rbx &&
		       seen.rdx == state.rdx && seen.rcx == state.rcx && seen.rax == state.rax &&
		       seen.rdi == state.rdi;
		fact("the others", same);
		fact("rip", seen.rip == state.rip);
		fact("stack pointer", seen.ursp == state.ursp);
		mach_printf("flags 0x%lx, cs 0x%x, ss 0x%x, rsp %ld\n", (long)(seen.rfl & 0xfeff),
			    seen.cs, seen.ss, (long)seen.rsp);
	}
	end_victim(thread);
}

/* ---- A changed state, and changed memory. */

VICTIM(v_load, "", "movq (%rax), %rcx; movq %rcx, 16(%rdi)")

CASE("exception_reply/changed-register")
{
	mach_port_name_t port = make_port(), thread = make_victim(v_load, port);
	vm_offset_t at = island(2);
	struct i386_thread_state state;
	struct exception_message msg;

	*(long *)at = 4711;
	must("vm_deallocate", vm_deallocate(self, at + PAGE, PAGE));
	let_go(thread, at + PAGE);
	if (next_exception(port, thread, &msg)) {
		tell_exception(&msg, thread, at + PAGE);
		get_state(thread, &state);
		state.rax = at;
		set_state(thread, &state);
		answer(&msg, KERN_SUCCESS);
		fact("done", until_set(&victim.done, 1));
		mach_printf("it read %ld\n", victim.got);
	}
	end_victim(thread);
}

CASE("exception_reply/memory-made")
{
	mach_port_name_t port = make_port(), thread = make_victim(v_load, port);
	vm_offset_t at = island(1), again;
	struct exception_message msg;

	must("vm_deallocate", vm_deallocate(self, at, PAGE));
	let_go(thread, at);
	if (next_exception(port, thread, &msg)) {
		tell_exception(&msg, thread, at);
		again = at;
		must("vm_allocate", vm_allocate(self, &again, PAGE, FALSE));
		*(long *)at = 42;
		answer(&msg, KERN_SUCCESS);
		fact("done", until_set(&victim.done, 1));
		mach_printf("it read %ld\n", victim.got);
	}
	end_victim(thread);
}

CASE("exception_reply/nothing-changed")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	struct exception_message msg;
	int i;

	for (i = 0; i < 3 && next_exception(port, thread, &msg); i++) {
		tell_exception(&msg, thread, 0);
		answer(&msg, KERN_SUCCESS);
	}
	end_victim(thread);
}

CASE("exception_reply/int3-goes-on-after-it")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_int3, 0, port);
	struct exception_message msg;

	if (next_exception(port, thread, &msg)) {
		answer(&msg, KERN_SUCCESS);
		fact("done", until_set(&victim.done, 1));
	}
	end_victim(thread);
}

/* ---- Which replies resume, and which pass the exception on to the task's port. */

static mach_port_name_t set_task_port(mach_port_name_t port)
{
	mach_port_name_t before = MACH_PORT_NULL;

	must("task_get_special_port",
	     task_get_special_port(self, TASK_EXCEPTION_PORT, &before));
	must("task_set_special_port", task_set_special_port(self, TASK_EXCEPTION_PORT, port));
	return before;
}

/* Receives at the task's port, tells, and lets the thread go on. */
static void passed_on(mach_port_name_t task_port, mach_port_name_t thread)
{
	struct exception_message msg;

	if (!next_exception(task_port, thread, &msg))
		return;
	mach_printf("passed on to the task's port\n");
	tell_exception(&msg, thread, 0);
	go_to(thread, victim_done);
	answer(&msg, KERN_SUCCESS);
	fact("resumed", until_set(&victim.done, 1));
}

enum reply_kind {
	REPLY_GOOD, REPLY_ID, REPLY_SHORT, REPLY_LONG, REPLY_COMPLEX, REPLY_TYPE, REPLY_NUMBER,
	REPLY_LOCAL, REPLY_DEALLOCATED, REPLY_HEADER, REPLY_NOTIFICATION,
};

static void replies(long kind, long return_code, long unused)
{
	mach_port_name_t port = make_port(), task_port = make_port(), thread;
	struct exception_message msg;
	struct reply_message reply;
	mach_msg_size_t size = 48;

	(void)unused;
	set_task_port(task_port);
	thread = start_victim(v_ud2, 0, port);
	if (!next_exception(port, thread, &msg))
		goto out;
	tell_exception(&msg, thread, 0);
	if (kind == REPLY_GOOD && return_code == KERN_SUCCESS)
		go_to(thread, victim_done);
	reply = reply_to(&msg, (kern_return_t)return_code);
	switch ((enum reply_kind)kind) {
	case REPLY_GOOD: break;
	case REPLY_ID: reply.head.msgh_id = 2501; break;
	case REPLY_SHORT: size = 40; break;
	case REPLY_LONG: size = 56; break;
	case REPLY_COMPLEX: reply.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX; break;
	case REPLY_TYPE: reply.type.msgt_name = MACH_MSG_TYPE_INTEGER_16; break;
	case REPLY_NUMBER: reply.type.msgt_size = 8; reply.type.msgt_number = 4; break;
	case REPLY_LOCAL:
		reply.head.msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND);
		reply.head.msgh_local_port = port;
		break;
	case REPLY_HEADER: size = 32; break;
	case REPLY_NOTIFICATION: reply.head.msgh_id = MACH_NOTIFY_SEND_ONCE; size = 32; break;
	case REPLY_DEALLOCATED: break;
	}
	if (kind == REPLY_DEALLOCATED)
		code("mach_port_deallocate",
		     mach_port_deallocate(self, msg.head.msgh_remote_port));
	else
		code("reply", send_reply(&reply, size));
	until_waiting(thread);
	if (kind == REPLY_GOOD && return_code == KERN_SUCCESS)
		fact("done", until_set(&victim.done, 1));
	else if (receive_exception(port, &msg) == MACH_MSG_SUCCESS)
		mach_printf("resumed, and wrong again\n");
	else
		passed_on(task_port, thread);
out:
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}
#define REPLIES(name, kind, value) EACH("exception_reply/" name, replies, kind, value, 0)
REPLIES("success", REPLY_GOOD, KERN_SUCCESS)
REPLIES("failure", REPLY_GOOD, KERN_FAILURE)
REPLIES("invalid-address", REPLY_GOOD, KERN_INVALID_ADDRESS)
REPLIES("minus-1", REPLY_GOOD, -1)
REPLIES("mig-no-reply", REPLY_GOOD, MIG_NO_REPLY)
REPLIES("mig-bad-id", REPLY_GOOD, MIG_BAD_ID)
REPLIES("receive-port-died-code", REPLY_GOOD, MACH_RCV_PORT_DIED)
REPLIES("other-id", REPLY_ID, 0)
REPLIES("too-short", REPLY_SHORT, 0)
REPLIES("too-long", REPLY_LONG, 0)
REPLIES("complex", REPLY_COMPLEX, 0)
REPLIES("other-type", REPLY_TYPE, 0)
REPLIES("other-size-of-elements", REPLY_NUMBER, 0)
REPLIES("with-a-reply-port", REPLY_LOCAL, 0)
REPLIES("only-a-header", REPLY_HEADER, 0)
REPLIES("a-notification", REPLY_NOTIFICATION, 0)
REPLIES("right-given-up", REPLY_DEALLOCATED, 0)

/* ---- Which port is asked. */

CASE("exception_port/task-only")
{
	mach_port_name_t task_port = make_port(), thread;

	set_task_port(task_port);
	thread = start_victim(v_ud2, 0, MACH_PORT_NULL);
	passed_on(task_port, thread);
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

CASE("exception_port/thread-before-task")
{
	mach_port_name_t port = make_port(), task_port = make_port(), thread;
	struct exception_message msg;

	set_task_port(task_port);
	thread = start_victim(v_ud2, 0, port);
	if (next_exception(port, thread, &msg)) {
		tell_exception(&msg, thread, 0);
		count("messages at the task's port", drain(task_port));
	}
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

static void thread_port_is(long kind, long unused, long more_unused)
{
	mach_port_name_t task_port = make_port(), port, thread;

	(void)unused;
	(void)more_unused;
	set_task_port(task_port);
	memset(&victim, 0, sizeof(victim));
	thread = make_worker(v_ud2, &victim);
	port = make_kind((enum name_kind)kind);
	code("thread_set_special_port",
	     thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	must("thread_resume", thread_resume(thread));
	passed_on(task_port, thread);
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}
EACH("exception_port/null", thread_port_is, KIND_null, 0, 0)
EACH("exception_port/dead", thread_port_is, KIND_dead_port, 0, 0)
EACH("exception_port/no-name", thread_port_is, KIND_no_name, 0, 0)
EACH("exception_port/died", thread_port_is, KIND_died, 0, 0)
EACH("exception_port/send-once", thread_port_is, KIND_send_once, 0, 0)
EACH("exception_port/receive-only", thread_port_is, KIND_receive, 0, 0)
EACH("exception_port/task", thread_port_is, KIND_task, 0, 0)
EACH("exception_port/host", thread_port_is, KIND_host, 0, 0)

CASE("exception_port/dies-after-it-was-set")
{
	mach_port_name_t port = make_port(), task_port = make_port(), thread;

	set_task_port(task_port);
	memset(&victim, 0, sizeof(victim));
	thread = make_worker(v_ud2, &victim);
	must("exception port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	must("mach_port_destroy", mach_port_destroy(self, port));
	must("thread_resume", thread_resume(thread));
	passed_on(task_port, thread);
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

CASE("exception_port/dies-with-the-message-queued")
{
	mach_port_name_t port = make_port(), task_port = make_port(), thread;

	set_task_port(task_port);
	thread = start_victim(v_ud2, 0, port);
	until_waiting(thread);
	must("mach_port_destroy", mach_port_destroy(self, port));
	passed_on(task_port, thread);
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

CASE("exception_port/dies-before-the-reply")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_int3, 0, port);
	struct exception_message msg;

	if (next_exception(port, thread, &msg)) {
		must("mach_port_destroy", mach_port_destroy(self, port));
		answer(&msg, KERN_SUCCESS);
		fact("resumed", until_set(&victim.done, 1));
	}
	end_victim(thread);
}

CASE("exception_port/changed-before-the-reply")
{
	mach_port_name_t port = make_port(), task_port = make_port(), later = make_port(), thread;
	struct exception_message msg;

	set_task_port(task_port);
	thread = start_victim(v_ud2, 0, port);
	if (next_exception(port, thread, &msg)) {
		set_task_port(later);
		answer(&msg, KERN_FAILURE);
		passed_on(later, thread);
		count("messages at the task's first port", drain(task_port));
	}
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

CASE("exception_port/full-queue")
{
	mach_port_name_t port = make_port(), thread;
	struct message filler = message_to(port), got;
	int i;

	for (i = 0; i < 5; i++)
		must("fill", send_sized(&filler, HEADER));
	code("one more", send_sized(&filler, HEADER));
	thread = start_victim(v_ud2, 0, port);
	until_waiting(thread);
	for (i = 0; i < 5; i++)
		must("receive", receive(port, &got));
	{
		struct exception_message msg;

		if (next_exception(port, thread, &msg))
			tell_exception(&msg, thread, 0);
	}
	end_victim(thread);
}

CASE("exception_port/in-a-port-set")
{
	mach_port_name_t port = make_port(), set = make_set(), thread;
	struct exception_message msg;

	must("mach_port_move_member", mach_port_move_member(self, port, set));
	thread = start_victim(v_ud2, 0, port);
	if (next_exception(set, thread, &msg)) {
		tell_exception(&msg, thread, 0);
		fact("local port is the port", msg.head.msgh_local_port == port);
	}
	end_victim(thread);
}

CASE("exception_port/receiver-too-small")
{
	mach_port_name_t port = make_port(), task_port = make_port(), thread;
	struct message small;

	set_task_port(task_port);
	thread = start_victim(v_ud2, 0, port);
	until_waiting(thread);
	code("receive large", receive_sized(port, &small, 64, MACH_RCV_LARGE));
	code("receive", receive_sized(port, &small, 64, 0));
	passed_on(task_port, thread);
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

CASE("exception_port/two-threads-one-port")
{
	mach_port_name_t port = make_port(), one, two;
	struct exception_message first, second;
	volatile int *done = &victim.done;

	one = start_victim(v_int3, 0, port);
	until_waiting(one);
	two = start_victim(v_ud2, 0, port);
	until_waiting(two);
	if (next_exception(port, one, &first) && next_exception(port, two, &second)) {
		tell_exception(&first, one, 0);
		tell_exception(&second, two, 0);
		mach_printf("sequence %u, %u\n", first.head.msgh_seqno, second.head.msgh_seqno);
		go_to(two, victim_done);
		answer(&second, KERN_SUCCESS);
		fact("the second goes on", until_set(done, 1));
		victim.done = 0;
		fact("the first waits", run_state(one) == TH_STATE_WAITING);
		answer(&first, KERN_SUCCESS);
		fact("the first goes on", until_set(done, 1));
	}
	end_victim(one);
	end_victim(two);
}

CASE("exception_port/of-a-new-thread-and-a-new-task")
{
	mach_port_name_t task_port = make_port(), child, thread, got = MACH_PORT_NULL;

	set_task_port(task_port);
	child = make_task(FALSE);
	must("thread_create", thread_create(child, &thread));
	keep_name(thread);
	code("thread's", thread_get_special_port(thread, THREAD_EXCEPTION_PORT, &got));
	fact("null", got == MACH_PORT_NULL);
	code("task's", task_get_special_port(child, TASK_EXCEPTION_PORT, &got));
	fact("the parent's", got == task_port);
	set_task_port(MACH_PORT_NULL);
	code("task's", task_get_special_port(child, TASK_EXCEPTION_PORT, &got));
	fact("still the same", got == task_port);
}

/* ---- While the thread waits for the reply. */

CASE("exception_wait/thread_abort")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	struct exception_message msg, again;

	if (next_exception(port, thread, &msg)) {
		code("thread_abort", thread_abort(thread));
		tell_name("reply right", msg.head.msgh_remote_port);
		if (next_exception(port, thread, &again)) {
			mach_printf("once more\n");
			tell_exception(&again, thread, 0);
			fact("another reply right",
			     again.head.msgh_remote_port != msg.head.msgh_remote_port);
		}
	}
	end_victim(thread);
}

CASE("exception_wait/thread_abort-suspended-and-moved")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	struct exception_message msg;

	if (next_exception(port, thread, &msg)) {
		code("thread_suspend", thread_suspend(thread));
		code("thread_abort", thread_abort(thread));
		tell_name("reply right", msg.head.msgh_remote_port);
		go_to(thread, victim_done);
		code("thread_resume", thread_resume(thread));
		fact("done", until_set(&victim.done, 1));
		count("messages left", drain(port));
	}
	end_victim(thread);
}

CASE("exception_wait/thread_suspend")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_int3, 0, port);
	struct exception_message msg;

	if (next_exception(port, thread, &msg)) {
		code("thread_suspend", thread_suspend(thread));
		answer(&msg, KERN_SUCCESS);
		yield();
		fact("done while suspended", victim.done == 1);
		code("thread_resume", thread_resume(thread));
		fact("done", until_set(&victim.done, 1));
	}
	end_victim(thread);
}

CASE("exception_wait/thread_terminate")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	struct exception_message msg;

	if (next_exception(port, thread, &msg)) {
		end_victim(thread);
		tell_name("reply right", msg.head.msgh_remote_port);
		tell_name("the thread", thread);
		count("messages left", drain(port));
	}
}

CASE("exception_wait/thread_terminate-message-queued")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	struct exception_message msg;

	until_waiting(thread);
	end_victim(thread);
	code("receive", receive_exception(port, &msg));
	tell_header((struct message *)&msg, port);
	fact("thread is dead", msg.thread.name == MACH_PORT_DEAD);
	tell_name("thread", msg.thread.name);
}

CASE("exception_wait/run-state")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_ud2, 0, port);
	struct thread_basic_info info;
	mach_msg_type_number_t n = THREAD_BASIC_INFO_COUNT;

	until_waiting(thread);
	must("thread_info", thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info, &n));
	mach_printf("run state %d, suspend count %d\n", info.run_state, info.suspend_count);
	end_victim(thread);
}

/* ---- The end of a task. */

/* A task with this one's memory, whose thread goes wrong. */
static mach_port_name_t child_victim(void (*entry)(void *), mach_port_name_t *child)
{
	vm_offset_t stack = keep_memory(must_allocate(self, WORKER_STACK), WORKER_STACK);

	memset(&victim, 0, sizeof(victim));
	*child = make_task(TRUE);
	return make_worker_in(*child, stack, entry, &victim);
}

CASE("task_end/no-port")
{
	mach_port_name_t child, thread = child_victim(v_ud2, &child);
	mach_port_name_t task_died = watch_death(child), thread_died = watch_death(thread);

	must("thread_resume", thread_resume(thread));
	fact("the task died", died(task_died));
	fact("the thread died", died(thread_died));
	tell_name("task", child);
}

CASE("task_end/no-port-another-thread-waits")
{
	mach_port_name_t child, thread = child_victim(v_ud2, &child), other;
	mach_port_name_t task_died = watch_death(child), other_died;

	must("thread_create", thread_create(child, &other));
	keep_name(other);
	other_died = watch_death(other);
	must("thread_resume", thread_resume(thread));
	fact("the task died", died(task_died));
	fact("the other thread died", died(other_died));
}

static void ends(long thread_has_port, long task_has_port, long unused)
{
	mach_port_name_t port = make_port(), child, thread, notify;
	struct exception_message msg;

	(void)unused;
	thread = child_victim(v_ud2, &child);
	notify = watch_death(child);
	if (thread_has_port)
		must("thread's port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	if (task_has_port)
		must("task's port", task_set_special_port(child, TASK_EXCEPTION_PORT, port));
	must("thread_resume", thread_resume(thread));
	while (until_waiting(thread) && receive_exception(port, &msg) == MACH_MSG_SUCCESS) {
		tell_exception(&msg, thread, 0);
		fact("the task is the child", msg.task.name == child);
		answer(&msg, KERN_FAILURE);
		if (!(thread_has_port && task_has_port))
			break;
		thread_has_port = 0;
	}
	fact("the task died", died(notify));
}
EACH("task_end/thread-port-refuses", ends, 1, 0, 0)
EACH("task_end/task-port-refuses", ends, 0, 1, 0)
EACH("task_end/both-refuse", ends, 1, 1, 0)

CASE("task_end/terminated-while-it-waits")
{
	mach_port_name_t port = make_port(), child, thread = child_victim(v_ud2, &child);
	struct exception_message msg;

	must("thread's port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	must("thread_resume", thread_resume(thread));
	if (next_exception(port, thread, &msg)) {
		code("task_terminate", task_terminate(child));
		tell_name("reply right", msg.head.msgh_remote_port);
		tell_name("thread", thread);
	}
}

/* ---- Steps. */

VICTIM(v_nops, "", "nop; nop; nop; nop")
VICTIM(v_popf, "pushfq; orl $0x100, (%rsp)", "popfq; nop; nop")

static void tell_step(const struct exception_message *msg, mach_port_name_t thread, char *label,
		      struct i386_thread_state *state)
{
	struct i386_debug_state debug;
	mach_msg_type_number_t n = i386_DEBUG_STATE_COUNT;

	tell_exception(msg, thread, 0);
	get_state(thread, state);
	mach_printf("rip: + %ld, trap flag %d", (long)(state->rip - (vm_offset_t)label),
		    (state->rfl & 0x100) != 0);
	if (thread_get_state(thread, i386_DEBUG_STATE, (thread_state_t)&debug, &n) == KERN_SUCCESS)
		mach_printf(", dr6 0x%x", debug.dr[6]);
	mach_printf("\n");
}

CASE("single_step/three-steps")
{
	mach_port_name_t port = make_port(), thread = make_worker(v_nops, &victim);
	struct i386_thread_state state;
	struct exception_message msg;
	int i;

	memset(&victim, 0, sizeof(victim));
	must("exception port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	get_state(thread, &state);
	state.rip = (vm_offset_t)at_v_nops;
	state.rfl |= 0x100;
	set_state(thread, &state);
	must("thread_resume", thread_resume(thread));
	for (i = 0; i < 3 && next_exception(port, thread, &msg); i++) {
		tell_step(&msg, thread, at_v_nops, &state);
		if (i == 2) {
			state.rfl &= ~0x100UL;
			set_state(thread, &state);
		}
		answer(&msg, KERN_SUCCESS);
	}
	fact("done", until_set(&victim.done, 1));
	end_victim(thread);
}

CASE("single_step/popf")
{
	mach_port_name_t port = make_port(), thread = start_victim(v_popf, 0, port);
	struct i386_thread_state state;
	struct exception_message msg;

	if (next_exception(port, thread, &msg)) {
		tell_step(&msg, thread, at_v_popf, &state);
		state.rfl &= ~0x100UL;
		set_state(thread, &state);
		answer(&msg, KERN_SUCCESS);
		fact("done", until_set(&victim.done, 1));
	}
	end_victim(thread);
}

CASE("single_step/refused-goes-to-the-task")
{
	mach_port_name_t port = make_port(), task_port = make_port(), thread;
	struct i386_thread_state state;
	struct exception_message msg;

	set_task_port(task_port);
	thread = start_victim(v_popf, 0, port);
	if (next_exception(port, thread, &msg)) {
		answer(&msg, KERN_FAILURE);
		if (next_exception(task_port, thread, &msg)) {
			tell_step(&msg, thread, at_v_popf, &state);
			state.rfl &= ~0x100UL;
			set_state(thread, &state);
			answer(&msg, KERN_SUCCESS);
			fact("done", until_set(&victim.done, 1));
		}
	}
	end_victim(thread);
	set_task_port(MACH_PORT_NULL);
}

static void breakpoint(long address, long control, long entry)
{
	mach_port_name_t port = make_port(), thread;
	struct i386_debug_state debug;
	struct i386_thread_state state;
	struct exception_message msg;

	memset(&victim, 0, sizeof(victim));
	victim.at = (vm_offset_t)&victim.got;
	thread = make_worker((void (*)(void *))entry, &victim);
	must("exception port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	memset(&debug, 0, sizeof(debug));
	debug.dr[0] = (unsigned int)address;
	debug.dr[7] = (unsigned int)control;
	code("thread_set_state",
	     thread_set_state(thread, i386_DEBUG_STATE, (thread_state_t)&debug,
			      i386_DEBUG_STATE_COUNT));
	must("thread_resume", thread_resume(thread));
	if (next_exception(port, thread, &msg) && !victim.done) {
		tell_step(&msg, thread, entry == (long)v_nops ? at_v_nops : at_v_write_8, &state);
		go_to(thread, victim_done);
		answer(&msg, KERN_SUCCESS);
		fact("done", until_set(&victim.done, 1));
	}
	end_victim(thread);
}
EACH("debug_register/execute", breakpoint, at_v_nops, 0x1, v_nops)
EACH("debug_register/write", breakpoint, &victim.got, 0xd0001, v_write_8)
