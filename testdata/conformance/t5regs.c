/* t5regs: the registers of threads that run, wait, or have been stopped. */
#include "suite.h"

#include "t5state.h"

/*
 * state_spin loads registers that say their own names and runs for ever;
 * state_store tells its registers and runs for ever; state_bases reads what lies
 */
enum { STORED = 17 };	/* r8 … r15 rdi rsi rbp rbx rdx rcx rax rsp, flags */
volatile uint64_t state_stored[STORED];
volatile boolean_t state_done;

void state_spin(void);
void state_store(void);
void state_bases(void);

__asm__(
	".pushsection .text\n"
	"state_spin:\n"
	"	movl $0x108, %r8d\n"
	"	movl $0x109, %r9d\n"
	"	movl $0x110, %r10d\n"
	"	movl $0x111, %r11d\n"
	"	movl $0x112, %r12d\n"
	"	movl $0x113, %r13d\n"
	"	movl $0x114, %r14d\n"
	"	movl $0x115, %r15d\n"
	"	movl $0x121, %edi\n"
	"	movl $0x122, %esi\n"
	"	movl $0x123, %ebp\n"
	"	movl $0x124, %ebx\n"
	"	movl $0x125, %edx\n"
	"	movl $0x126, %ecx\n"
	"	movl $0x127, %eax\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	"state_store:\n"
	"	movq %r8, state_stored\n"
	"	movq %r9, state_stored+8\n"
	"	movq %r10, state_stored+16\n"
	"	movq %r11, state_stored+24\n"
	"	movq %r12, state_stored+32\n"
	"	movq %r13, state_stored+40\n"
	"	movq %r14, state_stored+48\n"
	"	movq %r15, state_stored+56\n"
	"	movq %rdi, state_stored+64\n"
	"	movq %rsi, state_stored+72\n"
	"	movq %rbp, state_stored+80\n"
	"	movq %rbx, state_stored+88\n"
	"	movq %rdx, state_stored+96\n"
	"	movq %rcx, state_stored+104\n"
	"	movq %rax, state_stored+112\n"
	"	movq %rsp, state_stored+120\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	"state_bases:\n"
	"	movq %fs:0, %rax\n"
	"	movq %rax, state_stored\n"
	"	movq %gs:8, %rax\n"
	"	movq %rax, state_stored+8\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	"	fninit\n"
	"	fld1\n"
	"	movq %xmm0, %xmm15\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	"	fstpl state_stored\n"
	"	movq %xmm3, state_stored+8\n"
	"	fnstcw state_stored+16\n"
	"	stmxcsr state_stored+24\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	".popsection\n");

/* A thread of ours that begins there, in a state of its own, and its end. */
static struct i386_thread_state start_state(void (*entry)(void))
{
	struct i386_thread_state state = numbered();

	state.rip = (vm_offset_t)entry;
	state.ursp = island(SECOND_STACK) + SECOND_STACK * PAGE - 8;
	return state;
}

static mach_port_name_t new_thread(void (*entry)(void))
{
	mach_port_name_t thread = make_thread_in(self);
	struct i386_thread_state state = start_state(entry);

	must("set", set(thread, i386_THREAD_STATE, &state, i386_THREAD_STATE_COUNT));
	state_done = FALSE;
	return thread;
}

static void run(mach_port_name_t thread)
{
	must("thread_resume", thread_resume(thread));
	fact("it ran", comes_true(&state_done));
	seconds_settle();
}

static void tell_stored(void)
{
	mach_printf("r8 0x%lx r9 0x%lx r10 0x%lx r12 0x%lx r13 0x%lx r14 0x%lx r15 0x%lx\n",
		    state_stored[0], state_stored[1], state_stored[2], state_stored[4],
		    state_stored[5], state_stored[6], state_stored[7]);
	mach_printf("rdi 0x%lx rsi 0x%lx rbp 0x%lx rbx 0x%lx rdx 0x%lx rax 0x%lx\n",
		    state_stored[8], state_stored[9], state_stored[10], state_stored[11],
		    state_stored[12], state_stored[14]);
}

/* ---- Running. */

static void of_a_running_thread(long suspended, long aborted, long unused)
{
	mach_port_name_t thread = new_thread(state_spin);

	(void)unused;
	run(thread);
	if (suspended)
		must("thread_suspend", thread_suspend(thread));
	if (aborted)
		must("thread_abort", thread_abort(thread));
	code("get", get(thread, i386_THREAD_STATE, i386_THREAD_STATE_COUNT));
	tell_general();
	tell_selectors();
	fact("it is in its loop", general->rip - (vm_offset_t)state_spin < 0x80);
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_get_state/of-a-running-thread", of_a_running_thread, 0, 0, 0)
EACH("thread_get_state/of-a-thread-stopped-as-it-ran", of_a_running_thread, 1, 0, 0)
EACH("thread_get_state/of-a-thread-aborted-as-it-ran", of_a_running_thread, 1, 1, 0)

static void moved_as_it_runs(long flavor, long suspended, long unused)
{
	mach_port_name_t thread = new_thread(state_spin);
	struct i386_thread_state state = start_state(state_store);

	(void)unused;
	state.cs = 0x1f;
	state.ss = 0x17;
	run(thread);
	state_done = FALSE;
	if (suspended)
		must("thread_suspend", thread_suspend(thread));
	code("set", set(thread, (int)flavor, &state, i386_THREAD_STATE_COUNT));
	if (suspended)
		must("thread_resume", thread_resume(thread));
	fact("it goes on there", comes_true(&state_done));
	mach_printf("r11 0x%lx rcx 0x%lx\n", state_stored[3], state_stored[13]);
	tell_stored();
	fact("its stack is the new one", state_stored[15] == state.ursp);
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_set_state/moves-a-running-thread", moved_as_it_runs, i386_THREAD_STATE, 0, 0)
EACH("thread_set_state/moves-a-stopped-thread", moved_as_it_runs, i386_THREAD_STATE, 1, 0)

CASE("thread_set_state/bases-of-a-running-thread")
{
	static uint64_t at_fs[2] = { 0xf5, 0 }, at_gs[2] = { 0, 0x65 };
	mach_port_name_t thread = new_thread(state_bases);
	struct i386_fsgs_base_state bases = {
		.fs_base = (unsigned long)at_fs, .gs_base = (unsigned long)at_gs,
	};

	code("set", set(thread, i386_FSGS_BASE_STATE, &bases, i386_FSGS_BASE_STATE_COUNT));
	run(thread);
	mach_printf("at fs 0x%lx, at gs 0x%lx\n", state_stored[0], state_stored[1]);
	memset(words, 0, sizeof(words));
	code("get", get(thread, i386_FSGS_BASE_STATE, i386_FSGS_BASE_STATE_COUNT));
	fact("they come back", memcmp(words, &bases, sizeof(bases)) == 0);
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_set_state/bases-of-oneself")
{
	static uint64_t at_fs[2] = { 0xf5, 0 }, at_gs[2] = { 0, 0x65 };
	struct i386_fsgs_base_state bases = {
		.fs_base = (unsigned long)at_fs, .gs_base = (unsigned long)at_gs,
	};
	uint64_t fs, gs;

	code("set", set(keep_name(mach_thread_self()), i386_FSGS_BASE_STATE, &bases,
			i386_FSGS_BASE_STATE_COUNT));
	__asm__ volatile("movq %%fs:0, %0\n\tmovq %%gs:8, %1" : "=r"(fs), "=r"(gs));
	mach_printf("at fs 0x%lx, at gs 0x%lx\n", fs, gs);
	seconds_settle();
	__asm__ volatile("movq %%fs:0, %0\n\tmovq %%gs:8, %1" : "=r"(fs), "=r"(gs));
	mach_printf("at fs 0x%lx, at gs 0x%lx\n", fs, gs);
}

/* ---- Waiting. */

static struct second one;

static void start_receiver(mach_port_name_t port)
{
	memset(&one, 0, sizeof(one));
	one.port = port;
	second_start(&one, second_receives);
}

static void tell_trap(void)
{
	mach_printf("rax 0x%lx rsi 0x%lx rdx 0x%lx r10 0x%lx r9 0x%lx\n", general->rax,
		    general->rsi, general->rdx, general->r10, general->r9);
	fact("rdi is its message", general->rdi == (vm_offset_t)&one.message);
	fact("r8 is its port", general->r8 == one.port);
	tell_selectors();
}

enum { JUST_WAITS, SUSPENDED, ABORTED, HAS_ITS_MESSAGE, PORT_DIED };

static void of_a_waiting_thread(long how, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);

	(void)unused;
	(void)more_unused;
	start_receiver(port);
	if (how != JUST_WAITS)
		must("thread_suspend", thread_suspend(one.thread));
	if (how == ABORTED)
		must("thread_abort", thread_abort(one.thread));
	if (how == HAS_ITS_MESSAGE)
		must("send", send_sized(&msg, HEADER));
	if (how == PORT_DIED)
		must("dies", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	seconds_settle();
	code("get", get(one.thread, i386_THREAD_STATE, i386_THREAD_STATE_COUNT));
	tell_trap();
	if (how == JUST_WAITS || how == SUSPENDED)
		must("send", send_sized(&msg, HEADER));
	if (how != JUST_WAITS)
		must("thread_resume", thread_resume(one.thread));
	second_tell(&one, "its answer");
	second_end(&one);
}
EACH("thread_get_state/of-a-waiting-thread", of_a_waiting_thread, JUST_WAITS, 0, 0)
EACH("thread_get_state/of-a-suspended-waiting-thread", of_a_waiting_thread, SUSPENDED, 0, 0)
EACH("thread_get_state/of-an-aborted-waiting-thread", of_a_waiting_thread, ABORTED, 0, 0)
EACH("thread_get_state/of-a-waiting-thread-with-its-message", of_a_waiting_thread,
     HAS_ITS_MESSAGE, 0, 0)
EACH("thread_get_state/of-a-waiting-thread-whose-port-died", of_a_waiting_thread, PORT_DIED, 0, 0)

enum { BY_MESSAGE, BY_ABORT, BY_ABORT_FIRST };

/* Moved as it waits; the wait ends later, or before. */
static void moved_as_it_waits(long end, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct message msg = message_to(port);
	struct i386_thread_state state = start_state(state_store);

	(void)unused;
	(void)more_unused;
	start_receiver(port);
	state_done = FALSE;
	must("thread_suspend", thread_suspend(one.thread));
	if (end == BY_ABORT_FIRST)
		must("thread_abort", thread_abort(one.thread));
	code("set", set(one.thread, i386_THREAD_STATE, &state, i386_THREAD_STATE_COUNT));
	must("get", get(one.thread, i386_THREAD_STATE, i386_THREAD_STATE_COUNT));
	mach_printf("rax 0x%lx rip %s\n", general->rax,
		    general->rip == state.rip ? "the new one" : "another");
	must("thread_resume", thread_resume(one.thread));
	if (end == BY_ABORT_FIRST)
		comes_true(&state_done);
	else
		seconds_settle();
	fact("it goes on at once", state_done);
	if (end == BY_MESSAGE)
		must("send", send_sized(&msg, HEADER));
	if (end == BY_ABORT)
		must("thread_abort", thread_abort(one.thread));
	fact("it goes on there", comes_true(&state_done));
	tell_stored();
	mach_printf("its message: id %d\n", one.message.head.msgh_id);
	second_end(&one);
}
EACH("thread_set_state/moves-a-waiting-thread-then-a-message", moved_as_it_waits, BY_MESSAGE, 0, 0)
EACH("thread_set_state/moves-a-waiting-thread-then-abort", moved_as_it_waits, BY_ABORT, 0, 0)
EACH("thread_set_state/moves-an-aborted-thread", moved_as_it_waits, BY_ABORT_FIRST, 0, 0)

/* ---- One's own state by the trap. */

static void self_state(long flavor, long count, long unused)
{
	static natural_t zeros[256];

	(void)unused;
	code("trap", thread_set_self_state((int)flavor, zeros, (unsigned)count));
}
#define SELF(name, flavor, count) EACH("trap_thread_set_self_state/" name, self_state, flavor, count, 0)
SELF("no-words", i386_THREAD_STATE, 0)
SELF("one-short", i386_THREAD_STATE, i386_THREAD_STATE_COUNT - 1)
SELF("151-words", i386_FLOAT_STATE, 151)
SELF("150-words", i386_FLOAT_STATE, 150)
SELF("minus-1-words", i386_FLOAT_STATE, -1)
SELF("list", THREAD_STATE_FLAVOR_LIST, 100)
SELF("flavor-9", 9, 100)
SELF("segments-null", i386_REGS_SEGS_STATE, i386_THREAD_STATE_COUNT)
SELF("port-map", i386_ISA_PORT_MAP_STATE, i386_ISA_PORT_MAP_STATE_COUNT)
SELF("debug", i386_DEBUG_STATE, i386_DEBUG_STATE_COUNT)
SELF("bases", i386_FSGS_BASE_STATE, i386_FSGS_BASE_STATE_COUNT)
SELF("float", i386_FLOAT_STATE, i386_FLOAT_STATE_COUNT)
SELF("extended-float-too-few", i386_XFLOAT_STATE, 100)

CASE("trap_thread_set_self_state/unreadable")
{
	vm_offset_t at = terrain();

	code("a hole", thread_set_self_state(i386_THREAD_STATE, (void *)(at + 0x4000), 42));
	code("not canonical", thread_set_self_state(i386_THREAD_STATE, (void *)0x900000000000, 42));
	code("half of it", thread_set_self_state(i386_THREAD_STATE, (void *)(at + 0x3fe0), 42));
}

static struct i386_thread_state own;

static void second_moves_itself(struct second *s)
{
	s->answer = thread_set_self_state(s->option, &own, i386_THREAD_STATE_COUNT);
}

static void moves_itself(long flavor, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	own = start_state(state_store);
	own.cs = 0x1f;
	own.ss = 0x17;
	state_done = FALSE;
	memset(&one, 0, sizeof(one));
	one.option = (mach_msg_option_t)flavor;
	second_start(&one, second_moves_itself);
	fact("it goes on there", comes_true(&state_done));
	mach_printf("r11 0x%lx rcx 0x%lx\n", state_stored[3], state_stored[13]);
	tell_stored();
	fact("its call returned", one.done);
	fact("its stack is the new one", state_stored[15] == own.ursp);
	second_end(&one);
}
EACH("trap_thread_set_self_state/general", moves_itself, i386_THREAD_STATE, 0, 0)
EACH("trap_thread_set_self_state/segments", moves_itself, i386_REGS_SEGS_STATE, 0, 0)
