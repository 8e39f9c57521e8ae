/* t5float: the floating point state of threads. */
#include "suite.h"

#include "t5state.h"

/*
 * state_floats loads registers and runs for ever; state_floats_store tells some
 * and runs for ever.
 */
volatile uint64_t state_stored[4];
volatile boolean_t state_done;
const double state_number = 1.5;

void state_floats(void);
void state_floats_store(void);

__asm__(
	".pushsection .text\n"
	".globl state_floats, state_floats_store\n"
	"state_floats:\n"
	"	fninit\n"
	"	fld1\n"
	"	fldl state_number\n"
	"	movq state_number, %xmm0\n"
	"	movq %xmm0, %xmm15\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	"state_floats_store:\n"
	"	fstpl state_stored\n"
	"	movq %xmm3, state_stored+8\n"
	"	fnstcw state_stored+16\n"
	"	stmxcsr state_stored+24\n"
	"	movl $1, state_done\n"
	"1:	jmp 1b\n"
	".popsection\n");

static const struct i386_float_state *const floats = (const struct i386_float_state *)words;
static const struct i386_xfloat_state *const extended = (const struct i386_xfloat_state *)words;
static const struct i386_fp_save *const save =
	(const struct i386_fp_save *)((const struct i386_float_state *)words)->hw_state;
static const struct i386_xfp_save *const image =
	(const struct i386_xfp_save *)((const struct i386_xfloat_state *)words)->hw_state;

static mach_port_name_t new_thread(void (*entry)(void))
{
	mach_port_name_t thread = make_thread_in(self);
	struct i386_thread_state state = numbered();

	state.rip = (vm_offset_t)entry;
	state.ursp = island(SECOND_STACK) + SECOND_STACK * PAGE - 8;
	must("set", set(thread, i386_THREAD_STATE, &state, i386_THREAD_STATE_COUNT));
	state_done = FALSE;
	return thread;
}

static void run(mach_port_name_t thread)
{
	must("thread_resume", thread_resume(thread));
	fact("it ran", comes_true(&state_done));
	settle();
}

/* How many words the extended state has here. */
static mach_msg_type_number_t extended_words(void)
{
	vm_size_t size = 0;

	must("i386_get_xstate_size", i386_get_xstate_size(host, &size));
	return (mach_msg_type_number_t)(size / sizeof(natural_t));
}

static void tell_floats(void)
{
	const struct i386_fp_regs *regs = (const struct i386_fp_regs *)(save + 1);
	unsigned i;

	mach_printf("has floats %s, initialized %d, status %d\n", floats->fpkind > 0 ? "yes" : "no",
		    floats->initialized, floats->exc_status);
	mach_printf("control 0x%x status 0x%x tag 0x%x\n", save->fp_control,
		    save->fp_status, save->fp_tag);
	for (i = 0; i < 3; i++)
		mach_printf("st%u %x %x %x %x %x\n", i, regs->fp_reg_word[i][4],
			    regs->fp_reg_word[i][3], regs->fp_reg_word[i][2],
			    regs->fp_reg_word[i][1], regs->fp_reg_word[i][0]);
}

static uint64_t xmm_half(unsigned i, unsigned half)
{
	uint64_t value;

	memcpy(&value, image->fp_xreg_word[i] + 8 * half, sizeof(value));
	return value;
}

CASE("i386_get_xstate_size/of-what-is-no-host")
{
	vm_size_t size = 99;

	code("a task", i386_get_xstate_size(self, &size));
	code("null", i386_get_xstate_size(MACH_PORT_NULL, &size));
	code("the privileged host", i386_get_xstate_size(host_priv_port, &size));
	fact("at least the registers", size >= 16 + sizeof(struct i386_xfp_save));
	fact("whole words", size % 4 == 0);
}

CASE("thread_get_state/float-never-used")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	unsigned i, others = 0;

	must("get", get(thread, i386_FLOAT_STATE, 1024));
	for (i = 0; i < words_count; i++)
		others += words[i] != 0;
	mach_printf("words %u, not zero %u\n", words_count, others);
	code("extended", get(thread, i386_XFLOAT_STATE, 1024));
	fact("of the size told", words_count == extended_words());
	for (i = others = 0; i < words_count; i++)
		others += words[i] != 0;
	mach_printf("not zero %u\n", others);
}

CASE("thread_get_state/extended-float-counts")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	mach_msg_type_number_t n = extended_words();

	code("one short", get(thread, i386_XFLOAT_STATE, n - 1));
	code("enough", get(thread, i386_XFLOAT_STATE, n));
	fact("of the size told", words_count == n);
	memset(words, 0, sizeof(words));
	code("set, one short", set(thread, i386_XFLOAT_STATE, words, n - 1));
	code("set, enough", set(thread, i386_XFLOAT_STATE, words, n));
	code("set, most", set(thread, i386_XFLOAT_STATE, words, 1024));
}

CASE("thread_get_state/float-of-a-running-thread")
{
	mach_port_name_t thread = new_thread(state_floats);

	run(thread);
	code("get", get(thread, i386_FLOAT_STATE, i386_FLOAT_STATE_COUNT));
	tell_floats();
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_get_state/extended-float-of-a-running-thread")
{
	mach_port_name_t thread = new_thread(state_floats);

	run(thread);
	must("thread_suspend", thread_suspend(thread));
	code("get", get(thread, i386_XFLOAT_STATE, 1024));
	mach_printf("initialized %d, status %d, control 0x%x, status 0x%x, tag 0x%x, mxcsr 0x%x\n",
		    extended->initialized, extended->exc_status, image->fp_control,
		    image->fp_status, image->fp_tag, image->fp_mxcsr);
	mach_printf("xmm0 0x%lx 0x%lx, xmm15 0x%lx 0x%lx, xmm7 0x%lx\n", xmm_half(0, 0),
		    xmm_half(0, 1), xmm_half(15, 0), xmm_half(15, 1), xmm_half(7, 0));
	must("thread_terminate", thread_terminate(thread));
}

static struct i386_float_state some_floats(void)
{
	struct i386_fp_save environment = {
		.fp_control = 0x27f,
		.fp_status = 0x3800,	/* the top is register 7 */
		.fp_tag = 0x3fff,	/* which is the only one in use */
	};
	struct i386_fp_regs regs = { .fp_reg_word[0] = { [3] = 0xa000, [4] = 0x4000 } };	/* 2.5 */
	struct i386_float_state state;

	memset(&state, 0, sizeof(state));
	state.initialized = 1;
	memcpy(state.hw_state, &environment, sizeof(environment));
	memcpy(state.hw_state + sizeof(environment), &regs, sizeof(regs));
	return state;
}

CASE("thread_set_state/float-there-and-back")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_float_state state = some_floats();

	code("set", set(thread, i386_FLOAT_STATE, &state, i386_FLOAT_STATE_COUNT));
	must("get", get(thread, i386_FLOAT_STATE, 1024));
	tell_floats();
	state.initialized = 0;
	code("set to none", set(thread, i386_FLOAT_STATE, &state, i386_FLOAT_STATE_COUNT));
	must("get", get(thread, i386_FLOAT_STATE, 1024));
	tell_floats();
}

CASE("thread_set_state/float-arrives")
{
	mach_port_name_t thread = new_thread(state_floats_store);
	struct i386_float_state state = some_floats();

	code("set", set(thread, i386_FLOAT_STATE, &state, i386_FLOAT_STATE_COUNT));
	run(thread);
	mach_printf("popped 0x%lx, control 0x%lx\n", state_stored[0], state_stored[2] & 0xffff);
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_set_state/float-of-a-running-thread-taken")
{
	mach_port_name_t thread = new_thread(state_floats);
	struct i386_float_state state = some_floats();

	run(thread);
	must("thread_suspend", thread_suspend(thread));
	state.initialized = 0;
	code("set to none", set(thread, i386_FLOAT_STATE, &state, i386_FLOAT_STATE_COUNT));
	must("get", get(thread, i386_FLOAT_STATE, 1024));
	tell_floats();
	must("thread_terminate", thread_terminate(thread));
}

/* A state taken from one thread, changed, and given to another. */
static void extended_given(long arrives, long unused, long more_unused)
{
	mach_port_name_t from = new_thread(state_floats), to;
	struct i386_xfloat_state *state = (struct i386_xfloat_state *)words;
	struct i386_xfp_save *new = (struct i386_xfp_save *)state->hw_state;
	uint64_t three = 0x4008000000000000;
	mach_msg_type_number_t n;

	(void)unused;
	(void)more_unused;
	run(from);
	must("get", get(from, i386_XFLOAT_STATE, 1024));
	must("thread_terminate", thread_terminate(from));
	n = words_count;
	memcpy(new->fp_xreg_word[3], &three, sizeof(three));
	memcpy(new->fp_xreg_word[3] + 8, &three, sizeof(three));
	new->fp_mxcsr = 0xffff1fc0;	/* with bits that are none */
	to = new_thread(state_floats_store);
	code("set", set(to, i386_XFLOAT_STATE, words, n));
	if (arrives) {
		run(to);
		mach_printf("st0 0x%lx, xmm3 0x%lx, control 0x%lx, mxcsr 0x%x\n", state_stored[0],
			    state_stored[1], state_stored[2] & 0xffff, (unsigned)state_stored[3]);
	} else {
		must("get", get(to, i386_XFLOAT_STATE, 1024));
		mach_printf("initialized %d, mxcsr 0x%x, xmm3 0x%lx 0x%lx\n", extended->initialized,
			    image->fp_mxcsr, xmm_half(3, 0), xmm_half(3, 1));
		state->fp_save_kind++;
		code("of another kind", set(to, i386_XFLOAT_STATE, words, n));
		state->initialized = 0;
		code("of another kind, none", set(to, i386_XFLOAT_STATE, words, n));
		must("get", get(to, i386_XFLOAT_STATE, 1024));
		mach_printf("initialized %d\n", extended->initialized);
	}
	must("thread_terminate", thread_terminate(to));
}
EACH("thread_set_state/extended-float-there-and-back", extended_given, 0, 0, 0)
EACH("thread_set_state/extended-float-arrives", extended_given, 1, 0, 0)

CASE("thread_create/float-registers-at-first")
{
	mach_port_name_t thread = new_thread(state_floats_store);

	run(thread);
	mach_printf("popped 0x%lx, xmm3 0x%lx, control 0x%lx, mxcsr 0x%x\n", state_stored[0],
		    state_stored[1], state_stored[2] & 0xffff, (unsigned)state_stored[3]);
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_create/float-control-of-its-maker")
{
	unsigned short before, word = 0x27f;
	mach_port_name_t thread;

	__asm__ volatile("fnstcw %0" : "=m"(before));
	__asm__ volatile("fldcw %0" : : "m"(word));
	thread = new_thread(state_floats_store);
	__asm__ volatile("fldcw %0" : : "m"(before));
	run(thread);
	mach_printf("control 0x%lx\n", state_stored[2] & 0xffff);
	must("thread_terminate", thread_terminate(thread));
}
