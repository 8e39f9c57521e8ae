/* t5state: the states of threads that have not run: flavors, counts, what comes back. */
#include "suite.h"

#include <mach/thread_status.h>

#include "t5state.h"

WRONG_THREAD(thread_get_state, get(port, i386_THREAD_STATE, i386_THREAD_STATE_COUNT))
WRONG_THREAD(thread_set_state, set(port, i386_THREAD_STATE, words, i386_THREAD_STATE_COUNT))

/* ---- Flavors and counts. */

static void get_flavor(long flavor, long count, long unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));

	(void)unused;
	code("thread_get_state", get(thread, (int)flavor, (mach_msg_type_number_t)count));
	mach_printf("words %u\n", words_count);
}
#define GET(name, flavor, count) EACH("thread_get_state/" name, get_flavor, flavor, count, 0)
GET("flavor-minus-1", -1, 1024)
GET("flavor-9", 9, 1024)
GET("flavor-1000", 1000, 1024)
GET("list-no-words", THREAD_STATE_FLAVOR_LIST, 0)
GET("list-one-short", THREAD_STATE_FLAVOR_LIST, 2)
GET("list-enough", THREAD_STATE_FLAVOR_LIST, 3)
GET("list-most", THREAD_STATE_FLAVOR_LIST, 1024)
GET("general-no-words", i386_THREAD_STATE, 0)
GET("general-one-short", i386_THREAD_STATE, i386_THREAD_STATE_COUNT - 1)
GET("general-enough", i386_THREAD_STATE, i386_THREAD_STATE_COUNT)
GET("general-most", i386_THREAD_STATE, 1024)
GET("general-too-many", i386_THREAD_STATE, 1025)
GET("segments-one-short", i386_REGS_SEGS_STATE, i386_THREAD_STATE_COUNT - 1)
GET("segments-enough", i386_REGS_SEGS_STATE, i386_THREAD_STATE_COUNT)
GET("segments-most", i386_REGS_SEGS_STATE, 1024)
GET("float-one-short", i386_FLOAT_STATE, i386_FLOAT_STATE_COUNT - 1)
GET("float-enough", i386_FLOAT_STATE, i386_FLOAT_STATE_COUNT)
GET("float-most", i386_FLOAT_STATE, 1024)
GET("port-map-one-short", i386_ISA_PORT_MAP_STATE, i386_ISA_PORT_MAP_STATE_COUNT - 1)
GET("port-map-enough", i386_ISA_PORT_MAP_STATE, i386_ISA_PORT_MAP_STATE_COUNT)
GET("port-map-most", i386_ISA_PORT_MAP_STATE, 1024)
GET("v86-assist", i386_V86_ASSIST_STATE, 1024)
GET("debug-one-short", i386_DEBUG_STATE, i386_DEBUG_STATE_COUNT - 1)
GET("debug-enough", i386_DEBUG_STATE, i386_DEBUG_STATE_COUNT)
GET("debug-most", i386_DEBUG_STATE, 1024)
GET("bases-one-short", i386_FSGS_BASE_STATE, i386_FSGS_BASE_STATE_COUNT - 1)
GET("bases-enough", i386_FSGS_BASE_STATE, i386_FSGS_BASE_STATE_COUNT)
GET("bases-most", i386_FSGS_BASE_STATE, 1024)
GET("extended-float-no-words", i386_XFLOAT_STATE, 0)
GET("extended-float-too-few", i386_XFLOAT_STATE, 4)

static void of_oneself(long flavor, long setting, long unused)
{
	mach_port_name_t thread = keep_name(mach_thread_self());

	(void)unused;
	memset(words, 0, sizeof(words));
	code("answer", setting ? set(thread, (int)flavor, words, 1024) :
	     get(thread, (int)flavor, 1024));
}
#define OF_ONESELF(name, flavor)						\
	EACH("thread_get_state/of-oneself-" name, of_oneself, flavor, 0, 0)	\
	EACH("thread_set_state/of-oneself-" name, of_oneself, flavor, 1, 0)
OF_ONESELF("list", THREAD_STATE_FLAVOR_LIST)
OF_ONESELF("segments", i386_REGS_SEGS_STATE)
OF_ONESELF("float", i386_FLOAT_STATE)
OF_ONESELF("port-map", i386_ISA_PORT_MAP_STATE)
OF_ONESELF("debug", i386_DEBUG_STATE)
OF_ONESELF("bases", i386_FSGS_BASE_STATE)
OF_ONESELF("extended-float", i386_XFLOAT_STATE)
OF_ONESELF("flavor-9", 9)

CASE("thread_get_state/list")
{
	must("get", get(make_thread_in(make_task(FALSE)), THREAD_STATE_FLAVOR_LIST, 1024));
	mach_printf("%u: %u %u %u\n", words_count, words[0], words[1], words[2]);
}

/* ---- Threads that have not run. */

CASE("thread_get_state/of-a-new-thread")
{
	must("get", get(make_thread_in(make_task(FALSE)), i386_THREAD_STATE,
			i386_THREAD_STATE_COUNT));
	tell_general();
	tell_selectors();
	mach_printf("rip 0x%lx ursp 0x%lx\n", general->rip, general->ursp);
}

static void there_and_back(long set_flavor, long get_flavor_, long unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_thread_state state = numbered();

	(void)unused;
	code("set", set(thread, (int)set_flavor, &state, i386_THREAD_STATE_COUNT));
	code("get", get(thread, (int)get_flavor_, i386_THREAD_STATE_COUNT));
	tell_general();
	tell_selectors();
	mach_printf("rip 0x%lx ursp 0x%lx\n", general->rip, general->ursp);
}
EACH("thread_get_state/general-there-and-back", there_and_back, i386_THREAD_STATE,
     i386_THREAD_STATE, 0)
EACH("thread_get_state/general-there-segments-back", there_and_back, i386_THREAD_STATE,
     i386_REGS_SEGS_STATE, 0)
EACH("thread_get_state/segments-there-general-back", there_and_back, i386_REGS_SEGS_STATE,
     i386_THREAD_STATE, 0)
EACH("thread_get_state/segments-there-and-back", there_and_back, i386_REGS_SEGS_STATE,
     i386_REGS_SEGS_STATE, 0)

static void flags_back(long flags, long unused, long more_unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_thread_state state = numbered();

	(void)unused;
	(void)more_unused;
	state.rfl = (uint64_t)flags;
	must("set", set(thread, i386_THREAD_STATE, &state, i386_THREAD_STATE_COUNT));
	must("get", get(thread, i386_THREAD_STATE, i386_THREAD_STATE_COUNT));
	tell_selectors();
}
EACH("thread_get_state/flags-all", flags_back, -1, 0, 0)
EACH("thread_get_state/flags-trace", flags_back, 0x100, 0, 0)
EACH("thread_get_state/flags-virtual-8086", flags_back, 0x20000, 0, 0)
EACH("thread_get_state/flags-io-nested-resume", flags_back, 0x17000, 0, 0)

static void refused_selectors(long cs, long ss, long unused)
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_thread_state state = numbered();

	(void)unused;
	state.cs = (unsigned)cs;
	state.ss = (unsigned)ss;
	code("set", set(thread, i386_REGS_SEGS_STATE, &state, i386_THREAD_STATE_COUNT));
	must("get", get(thread, i386_REGS_SEGS_STATE, i386_THREAD_STATE_COUNT));
	tell_selectors();
	mach_printf("rip 0x%lx\n", general->rip);
}
EACH("thread_get_state/selectors-high-bits", refused_selectors, 0xabcd001f, 0xabcd0017, 0)
EACH("thread_get_state/selectors-null", refused_selectors, 0, 0, 0)
EACH("thread_get_state/selectors-level-0", refused_selectors, 0x1c, 0x14, 0)
EACH("thread_get_state/selectors-code-only", refused_selectors, 0x1f, 0, 0)

CASE("thread_get_state/bases-there-and-back")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_fsgs_base_state bases = { .fs_base = 0x123456789000, .gs_base = 0x42 };
	const struct i386_fsgs_base_state *got = (const struct i386_fsgs_base_state *)words;

	must("get", get(thread, i386_FSGS_BASE_STATE, 1024));
	mach_printf("at first 0x%lx 0x%lx\n", got->fs_base, got->gs_base);
	code("set", set(thread, i386_FSGS_BASE_STATE, &bases, i386_FSGS_BASE_STATE_COUNT));
	must("get", get(thread, i386_FSGS_BASE_STATE, 1024));
	mach_printf("then 0x%lx 0x%lx\n", got->fs_base, got->gs_base);
	bases.fs_base = 0x900000000000;
	code("not canonical", set(thread, i386_FSGS_BASE_STATE, &bases, i386_FSGS_BASE_STATE_COUNT));
	must("get", get(thread, i386_FSGS_BASE_STATE, 1024));
	mach_printf("then 0x%lx 0x%lx\n", got->fs_base, got->gs_base);
}

CASE("thread_get_state/debug-there-and-back")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_debug_state debug = { .dr = { 1, 0x1000, 0xffffffff, 4, 5, 6, 7, 0 } };
	unsigned i;

	must("get", get(thread, i386_DEBUG_STATE, 1024));
	for (i = 0; i < words_count; i++)
		mach_printf("%s%u", i == 0 ? "at first " : " ", words[i]);
	code(", set", set(thread, i386_DEBUG_STATE, &debug, i386_DEBUG_STATE_COUNT));
	must("get", get(thread, i386_DEBUG_STATE, 1024));
	for (i = 0; i < words_count; i++)
		mach_printf("%s%u", i == 0 ? "then " : " ", words[i]);
	mach_printf("\n");
}

CASE("thread_get_state/port-map-there-and-back")
{
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	struct i386_isa_port_map_state map;
	unsigned i, others = 0;

	memset(&map, 0, sizeof(map));
	code("set", set(thread, i386_ISA_PORT_MAP_STATE, &map, i386_ISA_PORT_MAP_STATE_COUNT));
	must("get", get(thread, i386_ISA_PORT_MAP_STATE, i386_ISA_PORT_MAP_STATE_COUNT));
	for (i = 0; i < words_count; i++)
		others += words[i] != 0xffffffff;
	mach_printf("words %u, not all ones %u\n", words_count, others);
}
