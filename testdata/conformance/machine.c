/* machine: threads as machine code: their registers, their states, the traps. */
#include "suite.h"

#include <mach/thread_info.h>

#include "second.h"

/*
 * code_store_registers writes the registers it is started with to registers,
 * and then waits for ever. code_trap_keeps loads registers, traps, and tells
 * which have changed.
 */
enum { REGISTERS = 17 };	/* r8 … r15 rdi rsi rbp rbx rdx rcx rax rsp, flags */
volatile uint64_t registers[REGISTERS];
volatile boolean_t registers_stored;
mach_port_name_t code_park;
struct message code_park_message;

void code_store_registers(void);
void code_wait(void);

__asm__(
	".pushsection .text\n"
	".globl code_store_registers, code_wait\n"
	"code_store_registers:\n"
	"	movq %r8, registers\n"
	"	movq %r9, registers+8\n"
	"	movq %r10, registers+16\n"
	"	movq %r11, registers+24\n"
	"	movq %r12, registers+32\n"
	"	movq %r13, registers+40\n"
	"	movq %r14, registers+48\n"
	"	movq %r15, registers+56\n"
	"	movq %rdi, registers+64\n"
	"	movq %rsi, registers+72\n"
	"	movq %rbp, registers+80\n"
	"	movq %rbx, registers+88\n"
	"	movq %rdx, registers+96\n"
	"	movq %rcx, registers+104\n"
	"	movq %rax, registers+112\n"
	"	movq %rsp, registers+120\n"
	"	pushfq\n"
	"	popq registers+128\n"
	"	cld\n"
	"	movl $1, registers_stored\n"
	"code_wait:\n"
	"	pushq $0\n"
	"	pushq $0\n"
	"1:	movq $code_park_message, %rdi\n"
	"	movq $2, %rsi\n"		/* MACH_RCV_MSG */
	"	xorl %edx, %edx\n"
	"	movq $80, %r10\n"
	"	movl code_park, %r8d\n"
	"	xorl %r9d, %r9d\n"
	"	movq $-25, %rax\n"
	"	syscall\n"
	"	jmp 1b\n"
	".popsection\n");

/* What a thread that was just made is given, one word of it after another. */
static struct i386_thread_state numbered_state(vm_offset_t stack_end)
{
	return (struct i386_thread_state){
		.r8 = 0x0800000000000008, .r9 = 0x0900000000000009,
		.r10 = 0x1000000000000010, .r11 = 0x1100000000000011,
		.r12 = 0x1200000000000012, .r13 = 0x1300000000000013,
		.r14 = 0x1400000000000014, .r15 = 0x8500000000000015,
		.rdi = 0x2100000000000021, .rsi = 0x2200000000000022,
		.rbp = 0x2300000000000023, .rbx = 0x2400000000000024,
		.rdx = 0x2500000000000025, .rcx = 0x2600000000000026,
		.rax = 0x2700000000000027, .rsp = 0x2800000000000028,
		.rip = (vm_offset_t)code_store_registers,
		.ursp = stack_end,
	};
}

static kern_return_t set_state(mach_port_name_t thread, int flavor,
			       struct i386_thread_state *state)
{
	return thread_set_state(thread, flavor, (thread_state_t)state, i386_THREAD_STATE_COUNT);
}

static mach_port_name_t new_thread(void)
{
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(self, &thread));
	return keep_name(thread);
}

/* Runs a thread until it has stored its registers. */
static void run_registers(mach_port_name_t thread)
{
	code_park = make_receive();
	registers_stored = FALSE;
	must("thread_resume", thread_resume(thread));
	fact("it ran", comes_true(&registers_stored));
	must("thread_terminate", thread_terminate(thread));
}

static void registers_arrive(long flavor, long unused, long more_unused)
{
	static const char *const names[] = {
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp",
		"rbx", "rdx", "rcx", "rax",
	};
	mach_port_name_t thread = new_thread();
	vm_offset_t stack_end = island(2) + 2 * PAGE;
	struct i386_thread_state state = numbered_state(stack_end);
	const uint64_t given[] = {
		state.r8, state.r9, state.r10, state.r11, state.r12, state.r13, state.r14,
		state.r15, state.rdi, state.rsi, state.rbp, state.rbx, state.rdx, state.rcx,
		state.rax,
	};
	size_t i;

	(void)unused;
	(void)more_unused;
	state.cs = 0x1b;	/* some user's code and data selectors */
	state.ss = 0x23;
	code("thread_set_state", set_state(thread, (int)flavor, &state));
	run_registers(thread);
	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (registers[i] != given[i])
			mach_printf("%s: 0x%lx\n", names[i], registers[i]);
	fact("the stack pointer is ursp", registers[15] == stack_end);
}
EACH("thread_set_state/registers-arrive", registers_arrive, i386_THREAD_STATE, 0, 0)

/* Flags a program may set, and flags it may not. */
static void flags_arrive(long flags, long unused, long more_unused)
{
	mach_port_name_t thread = new_thread();
	struct i386_thread_state state = numbered_state(island(2) + 2 * PAGE);

	(void)unused;
	(void)more_unused;
	state.rfl = (uint64_t)flags;
	code("thread_set_state", set_state(thread, i386_THREAD_STATE, &state));
	run_registers(thread);
	mach_printf("flags: 0x%lx\n", registers[16]);
}
EACH("thread_set_state/flags-none", flags_arrive, 0, 0, 0)
EACH("thread_set_state/flags-arithmetic", flags_arrive, 0x8d5, 0, 0)
EACH("thread_set_state/flags-direction", flags_arrive, 0x400, 0, 0)
EACH("thread_set_state/flags-io-privilege", flags_arrive, 0x3000, 0, 0)
EACH("thread_set_state/flags-nested-task", flags_arrive, 0x4000, 0, 0)
EACH("thread_set_state/flags-resume", flags_arrive, 0x10000, 0, 0)
EACH("thread_set_state/flags-alignment-check", flags_arrive, 0x40000, 0, 0)

CASE("thread_set_state/twice-before-it-runs")
{
	mach_port_name_t thread = new_thread();
	struct i386_thread_state state = numbered_state(island(2) + 2 * PAGE);

	state.rdi = 1;
	code("once", set_state(thread, i386_THREAD_STATE, &state));
	state.rdi = 2;
	state.rsi = 3;
	code("twice", set_state(thread, i386_THREAD_STATE, &state));
	run_registers(thread);
	mach_printf("rdi %lu, rsi %lu\n", registers[8], registers[9]);
}

/* Each flavor there is or is not, with as many words as a stub takes. */
static void set_flavor(long flavor, long words, long unused)
{
	static natural_t state[1024];
	mach_port_name_t thread = new_thread();

	(void)unused;
	memset(state, 0, sizeof(state));
	code("thread_set_state", thread_set_state(thread, (int)flavor, state,
						  (mach_msg_type_number_t)words));
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_set_state/flavor-0", set_flavor, 0, 1024, 0)
EACH("thread_set_state/flavor-minus-1", set_flavor, -1, 1024, 0)
EACH("thread_set_state/flavor-9", set_flavor, 9, 1024, 0)
EACH("thread_set_state/flavor-1000", set_flavor, 1000, 1024, 0)
EACH("thread_set_state/flavor-v86-assist", set_flavor, i386_V86_ASSIST_STATE, 1024, 0)
EACH("thread_set_state/general-no-words", set_flavor, i386_THREAD_STATE, 0, 0)
EACH("thread_set_state/general-one-word-short", set_flavor, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT - 1, 0)
EACH("thread_set_state/general-enough", set_flavor, i386_THREAD_STATE, i386_THREAD_STATE_COUNT, 0)
EACH("thread_set_state/general-more", set_flavor, i386_THREAD_STATE,
     i386_THREAD_STATE_COUNT + 1, 0)
EACH("thread_set_state/general-most-words", set_flavor, i386_THREAD_STATE, 1024, 0)
EACH("thread_set_state/general-too-many-words", set_flavor, i386_THREAD_STATE, 1025, 0)
EACH("thread_set_state/segments-no-words", set_flavor, i386_REGS_SEGS_STATE, 0, 0)
EACH("thread_set_state/segments-one-word-short", set_flavor, i386_REGS_SEGS_STATE,
     i386_THREAD_STATE_COUNT - 1, 0)
EACH("thread_set_state/segments-null", set_flavor, i386_REGS_SEGS_STATE,
     i386_THREAD_STATE_COUNT, 0)
EACH("thread_set_state/float-no-words", set_flavor, i386_FLOAT_STATE, 0, 0)
EACH("thread_set_state/port-map-no-words", set_flavor, i386_ISA_PORT_MAP_STATE, 0, 0)
EACH("thread_set_state/debug-no-words", set_flavor, i386_DEBUG_STATE, 0, 0)
EACH("thread_set_state/float-enough", set_flavor, i386_FLOAT_STATE, 1024, 0)
EACH("thread_set_state/port-map-enough", set_flavor, i386_ISA_PORT_MAP_STATE, 1024, 0)
EACH("thread_set_state/port-map-too-few", set_flavor, i386_ISA_PORT_MAP_STATE, 1, 0)
EACH("thread_set_state/debug-enough", set_flavor, i386_DEBUG_STATE, 1024, 0)
EACH("thread_set_state/bases-enough", set_flavor, i386_FSGS_BASE_STATE, 4, 0)
EACH("thread_set_state/bases-too-few", set_flavor, i386_FSGS_BASE_STATE, 3, 0)
EACH("thread_set_state/extended-float-no-words", set_flavor, i386_XFLOAT_STATE, 0, 0)
EACH("thread_set_state/bases-no-words", set_flavor, i386_FSGS_BASE_STATE, 0, 0)

static void set_selectors(long cs, long ss, long unused)
{
	mach_port_name_t thread = new_thread();
	struct i386_thread_state state;

	(void)unused;
	memset(&state, 0, sizeof(state));
	state.cs = (unsigned int)cs;
	state.ss = (unsigned int)ss;
	code("thread_set_state", set_state(thread, i386_REGS_SEGS_STATE, &state));
	code("the other flavor", set_state(thread, i386_THREAD_STATE, &state));
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_set_state/selectors-user", set_selectors, 0x1b, 0x23, 0)
EACH("thread_set_state/selectors-user-high-bits", set_selectors, 0x5001b, 0x60023, 0)
EACH("thread_set_state/selectors-code-null", set_selectors, 0, 0x23, 0)
EACH("thread_set_state/selectors-stack-null", set_selectors, 0x1b, 0, 0)
EACH("thread_set_state/selectors-code-null-but-high-bits", set_selectors, 0x10000, 0x23, 0)
EACH("thread_set_state/selectors-code-of-the-kernel", set_selectors, 0x8, 0x23, 0)
EACH("thread_set_state/selectors-stack-of-the-kernel", set_selectors, 0x1b, 0x10, 0)
EACH("thread_set_state/selectors-level-1", set_selectors, 0x19, 0x21, 0)

/* Threads that are not there to be set. */
CASE("thread_set_state/of-oneself")
{
	struct i386_thread_state state;

	memset(&state, 0, sizeof(state));
	code("general", set_state(keep_name(mach_thread_self()), i386_THREAD_STATE, &state));
}

CASE("thread_set_state/not-a-thread")
{
	struct i386_thread_state state;

	memset(&state, 0, sizeof(state));
	code("a task", set_state(make_task(FALSE), i386_THREAD_STATE, &state));
	code("a host", set_state(host, i386_THREAD_STATE, &state));
	code("null", set_state(MACH_PORT_NULL, i386_THREAD_STATE, &state));
	code("a dead name", set_state(make_dead(), i386_THREAD_STATE, &state));
}

CASE("thread_set_state/terminated")
{
	mach_port_name_t thread = new_thread();
	struct i386_thread_state state;

	memset(&state, 0, sizeof(state));
	must("thread_terminate", thread_terminate(thread));
	code("thread_set_state", set_state(thread, i386_THREAD_STATE, &state));
}

CASE("thread_set_state/in-another-task")
{
	mach_port_name_t thread = MACH_PORT_NULL;
	struct i386_thread_state state;

	memset(&state, 0, sizeof(state));
	must("thread_create", thread_create(make_task(FALSE), &thread));
	keep_name(thread);
	code("thread_set_state", set_state(thread, i386_THREAD_STATE, &state));
}

/* ---- Life of a thread. */

CASE("thread_create/names-and-rights")
{
	mach_port_name_t thread = new_thread();

	tell_name("its name", thread);
	fact("not ours", thread != keep_name(mach_thread_self()));
	code("thread_terminate", thread_terminate(thread));
	tell_name("after", thread);
}

CASE("thread_create/many")
{
	mach_port_name_t threads[20];
	size_t i, same = 0;

	for (i = 0; i < 20; i++)
		threads[i] = new_thread();
	for (i = 1; i < 20; i++)
		same += threads[i] == threads[i - 1];
	count("names that are one", same);
	for (i = 0; i < 20; i++)
		must("thread_terminate", thread_terminate(threads[i]));
}

static mach_port_name_t waiting_thread(void)
{
	code_park = make_receive();
	return keep_name(make_thread(self, (vm_offset_t)code_wait, 0,
				     island(2) + 2 * PAGE));
}

CASE("thread_resume/twice")
{
	mach_port_name_t thread = waiting_thread();

	code("once", thread_resume(thread));
	code("twice", thread_resume(thread));
	settle();
	code("thrice", thread_resume(thread));
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_resume/terminated")
{
	mach_port_name_t thread = new_thread();

	must("thread_terminate", thread_terminate(thread));
	code("thread_resume", thread_resume(thread));
}

/* Terminated where it is: suspended, waiting, running. */
static void terminate(mach_port_name_t thread)
{
	mach_port_urefs_t refs = 0;

	code("thread_terminate", thread_terminate(thread));
	tell_name("its name", thread);
	code("again", thread_terminate(thread));
	mach_port_get_refs(self, thread, MACH_PORT_RIGHT_DEAD_NAME, &refs);
	count("references", refs);
}

CASE("thread_terminate/suspended") { terminate(new_thread()); }

/* Until the thread waits, on a busy host, too. */
static void come_to_wait(mach_port_name_t thread)
{
	struct thread_basic_info info;
	mach_msg_type_number_t n;

	do {
		nap(1);
		n = THREAD_BASIC_INFO_COUNT;
		must("thread_info", thread_info(thread, THREAD_BASIC_INFO, (thread_info_t)&info, &n));
	} while (info.run_state == TH_STATE_RUNNING);
}

CASE("thread_terminate/waiting")
{
	mach_port_name_t thread = waiting_thread();

	must("thread_resume", thread_resume(thread));
	come_to_wait(thread);
	terminate(thread);
}

/* Set while the thread waits: it goes on elsewhere when the wait is over. */
CASE("thread_set_state/of-a-waiting-thread")
{
	mach_port_name_t thread = waiting_thread();
	struct i386_thread_state state = numbered_state(island(2) + 2 * PAGE);
	struct message msg;

	must("thread_resume", thread_resume(thread));
	come_to_wait(thread);
	registers_stored = FALSE;
	code("thread_set_state", set_state(thread, i386_THREAD_STATE, &state));
	settle();
	fact("it has moved", registers_stored);
	must("mach_port_insert_right", mach_port_insert_right(self, code_park, code_park,
							      MACH_MSG_TYPE_MAKE_SEND));
	msg = message_to(code_park);
	must("send", send_sized(&msg, HEADER));
	fact("it has moved", comes_true(&registers_stored));
	must("thread_terminate", thread_terminate(thread));
}

static volatile boolean_t spinning;

static void spin(void)
{
	for (;;)
		spinning = TRUE;
}

CASE("thread_terminate/running")
{
	mach_port_name_t thread = keep_name(make_thread(self, (vm_offset_t)spin, 0,
							island(2) + 2 * PAGE));

	spinning = FALSE;
	must("thread_resume", thread_resume(thread));
	fact("it runs", comes_true(&spinning));
	terminate(thread);
	spinning = FALSE;
	settle();
	fact("it runs still", spinning);
}

CASE("thread_set_state/of-a-running-thread")
{
	mach_port_name_t thread = keep_name(make_thread(self, (vm_offset_t)spin, 0,
							island(2) + 2 * PAGE));
	struct i386_thread_state state = numbered_state(island(2) + 2 * PAGE);

	code_park = make_receive();
	spinning = FALSE;
	registers_stored = FALSE;
	must("thread_resume", thread_resume(thread));
	fact("it runs", comes_true(&spinning));
	code("thread_set_state", set_state(thread, i386_THREAD_STATE, &state));
	fact("it has moved", comes_true(&registers_stored));
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_terminate/a-waiting-receivers-port-lives")
{
	mach_port_name_t thread = waiting_thread();
	struct message msg;

	must("thread_resume", thread_resume(thread));
	come_to_wait(thread);
	must("thread_terminate", thread_terminate(thread));
	must("mach_port_insert_right", mach_port_insert_right(self, code_park, code_park,
							      MACH_MSG_TYPE_MAKE_SEND));
	msg = message_to(code_park);
	code("send", send_sized(&msg, HEADER));
	tell_received(code_park, &msg);
}

/* ---- Traps by their number. */

long code_trap(long number, const uint64_t *given, uint64_t *left);

__asm__(
	".pushsection .text\n"
	".globl code_trap\n"
	"code_trap:\n"
	"	pushq %rbx\n"
	"	pushq %rbp\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	pushq %rdx\n"
	"	movq %rdi, %rax\n"
	"	movq %rsi, %r11\n"
	"	movq 0(%r11), %rdi\n"
	"	movq 8(%r11), %rsi\n"
	"	movq 16(%r11), %rdx\n"
	"	movq 24(%r11), %r10\n"
	"	movq 32(%r11), %r8\n"
	"	movq 40(%r11), %r9\n"
	"	movq 48(%r11), %rbx\n"
	"	movq 56(%r11), %rbp\n"
	"	movq 64(%r11), %r12\n"
	"	movq 72(%r11), %r13\n"
	"	movq 80(%r11), %r14\n"
	"	movq 88(%r11), %r15\n"
	"	pushq $0\n"
	"	pushq $0\n"
	"	syscall\n"
	"	addq $16, %rsp\n"
	"	movq (%rsp), %r11\n"
	"	movq %rdi, 0(%r11)\n"
	"	movq %rsi, 8(%r11)\n"
	"	movq %rdx, 16(%r11)\n"
	"	movq %r10, 24(%r11)\n"
	"	movq %r8, 32(%r11)\n"
	"	movq %r9, 40(%r11)\n"
	"	movq %rbx, 48(%r11)\n"
	"	movq %rbp, 56(%r11)\n"
	"	movq %r12, 64(%r11)\n"
	"	movq %r13, 72(%r11)\n"
	"	movq %r14, 80(%r11)\n"
	"	movq %r15, 88(%r11)\n"
	"	popq %rdx\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbp\n"
	"	popq %rbx\n"
	"	ret\n"
	".popsection\n");

enum { KEPT = 12 };

static long trap_with(long number, const uint64_t *given)
{
	static const char *const names[KEPT] = {
		"rdi", "rsi", "rdx", "r10", "r8", "r9", "rbx", "rbp", "r12", "r13", "r14", "r15",
	};
	uint64_t left[KEPT];
	long result = code_trap(number, given, left);
	size_t i;

	for (i = 0; i < KEPT; i++)
		if (left[i] != given[i])
			mach_printf("%s has changed\n", names[i]);
	return result;
}

static void traps(long first, long last, long unused)
{
	static const uint64_t given[KEPT] = { 0, 0, 0, 0, 0, 0, 7, 8, 9, 10, 11, 12 };
	long n;

	(void)unused;
	for (n = first; n >= last; n--)
		mach_printf("%ld: %s\n", n, mach_error_string((int)trap_with(n, given)));
}
EACH("trap_unassigned/0-to-9", traps, 0, -9, 0)
EACH("trap_unassigned/10-to-13", traps, -10, -13, 0)
EACH("trap_unassigned/14-to-16", traps, -14, -16, 0)
EACH("trap_unassigned/19-to-24", traps, -19, -24, 0)
EACH("trap_unassigned/31-to-38", traps, -31, -38, 0)
EACH("trap_unassigned/41-to-58", traps, -41, -58, 0)
EACH("trap_unassigned/62-to-63", traps, -62, -63, 0)
EACH("trap_unassigned/78-to-129", traps, -78, -129, 0)

/* What a trap leaves of the registers. */
static void trap_keeps(long number, long first, long unused)
{
	uint64_t given[KEPT] = {
		(uint64_t)first, 0, 0xa5a5, 0x1010101010101010, 0x0808080808080808,
		0x0909090909090909, 0x3b3b3b3b3b3b3b3b, 0x5555555555555555, 0x1212121212121212,
		0x1313131313131313, 0x1414141414141414, 0x1515151515151515,
	};

	(void)unused;
	fact("the upper half of the result is zero", trap_with(number, given) >> 32 == 0);
}
EACH("trap_registers/mach_task_self", trap_keeps, -28, 0, 0)
EACH("trap_registers/unassigned", trap_keeps, -16, 0, 0)
EACH("trap_registers/mach_msg", trap_keeps, -25, 0x1000, 0)
EACH("trap_registers/vm_deallocate", trap_keeps, -66, 0, 0)

CASE("trap_registers/upper-half-of-a-number")
{
	static const uint64_t given[KEPT];

	/* Only 32 bits of the number count. */
	code("unassigned", (int)trap_with((long)0xfffffff0, given));
}

/* The name is 32 bits, whatever the register's upper half. */
CASE("trap_registers/upper-half-of-a-name")
{
	mach_port_name_t port = make_port();
	uint64_t given[KEPT] = { self | 0x7700000000, port | 0x6600000000 };

	code("mach_port_deallocate", (int)trap_with(-73, given));
	tell_name("left", port);
}

/* ---- mach_print. */

CASE("trap_mach_print/hole")
{
	uint64_t given[KEPT] = { island(1) + PAGE };

	code("mach_print", (int)trap_with(-30, given));
}

CASE("trap_mach_print/into-a-hole")
{
	vm_offset_t at = island(1) + PAGE - 8;
	uint64_t given[KEPT] = { at };

	memcpy((void *)at, "to end\n\n", 8);
	code("mach_print", (int)trap_with(-30, given));
}

CASE("trap_mach_print/across-pages")
{
	vm_offset_t at = island(2) + PAGE - 8;
	uint64_t given[KEPT] = { at };

	memcpy((void *)at, "across two pages\n", 18);
	code("mach_print", (int)trap_with(-30, given));
}

CASE("trap_mach_print/nothing")
{
	uint64_t given[KEPT] = { island(1) };

	code("mach_print", (int)trap_with(-30, given));
}
