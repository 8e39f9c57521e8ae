/* t5sample: samples of program counters, by the clock and by page faults. */
#include "suite.h"

#include <mach/pc_sample.h>

#include "worker.h"

/* ---- Who is sampled. */

/* Goes round in its own few instructions. */
__attribute__((naked)) static void spin(void *unused)
{
	(void)unused;
	__asm__ volatile(".globl spin_start, spin_end\n"
			 "spin_start:\n\t"
			 "incq %rax\n\t"
			 "jmp spin_start\n"
			 "spin_end:\n");
}
extern char spin_start[], spin_end[];

/* Writes, or reads, a byte of each page of struct work, and is done. */
#define TOUCHER(name, instruction)						\
	__attribute__((naked)) static void name(void *unused)			\
	{									\
		(void)unused;							\
		__asm__ volatile("movq 8(%rdi), %rsi\n\t"			\
				 "movq 0(%rdi), %rdi\n"				\
				 ".globl " #name "_touch\n" #name "_touch:\n\t"	\
				 instruction "\n\t"				\
				 "addq $4096, %rdi\n\t"				\
				 "decq %rsi\n\t"				\
				 "jnz " #name "_touch\n\t"			\
				 "jmp touch_done\n");				\
	}									\
	extern char name##_touch[];
TOUCHER(writer, "movb $1, (%rdi)")
TOUCHER(reader, "movb (%rdi), %al")

static struct work { vm_offset_t at; unsigned long pages; } work;
static volatile int touched;

__attribute__((used)) static void touch_done(void)
{
	__atomic_store_n(&touched, 1, __ATOMIC_RELEASE);
	worker_stop();
}

/* Its stack is there already, so that only what it touches makes faults. */
static mach_port_name_t make_toucher(void (*entry)(void *), unsigned long pages)
{
	vm_offset_t stack = keep_memory(must_allocate(self, WORKER_STACK), WORKER_STACK);

	memset((void *)stack, 1, WORKER_STACK);
	work.pages = pages;
	work.at = keep_memory(must_allocate(self, pages * PAGE), pages * PAGE);
	touched = 0;
	return make_worker_in(self, stack, entry, &work);
}

static void let_touch(mach_port_name_t thread)
{
	must("thread_resume", thread_resume(thread));
	fact("all is touched", until_set(&touched, 1));
}

static void sleep_ms(int time)
{
	trap3(-61, 0, 2, time);
}

/* ---- The samples. */

static sampled_pc_t samples[512];
static sampled_pc_seqno_t sequence;
static mach_msg_type_number_t got;

static kern_return_t of_thread(mach_port_name_t thread, sampled_pc_seqno_t from)
{
	sequence = from;
	got = 512;
	memset(samples, 0xff, sizeof(samples));
	return thread_get_sampled_pcs(thread, &sequence, samples, &got);
}

static kern_return_t of_task(mach_port_name_t task, sampled_pc_seqno_t from)
{
	sequence = from;
	got = 512;
	memset(samples, 0xff, sizeof(samples));
	return task_get_sampled_pcs(task, &sequence, samples, &got);
}

static void tell_from(const char *what, mach_port_name_t thread, sampled_pc_seqno_t from)
{
	code(what, of_thread(thread, from));
	mach_printf("sequence %u, samples %u\n", sequence, got);
}

static void enable(mach_port_name_t thread, sampled_pc_flavor_t flavors)
{
	int tick;

	must("thread_enable_pc_sampling", thread_enable_pc_sampling(thread, &tick, flavors));
}

/* The kinds of all samples, and whether their counters are what they should be. */
static void tell_kinds(char *touch)
{
	boolean_t right = TRUE;
	mach_msg_type_number_t i;

	mach_printf("kinds:");
	for (i = 0; i < got; i++) {
		mach_printf(" 0x%x", samples[i].sampletype);
		right = right && samples[i].pc == (vm_offset_t)touch &&
			samples[i].id == samples[0].id;
	}
	mach_printf("\n");
	fact("all where it touches, of one thread", right);
}

/* ---- By the clock. */

/* Until there are so many samples; at worst a minute. */
static boolean_t until_sampled(mach_port_name_t thread, unsigned n)
{
	int i;

	for (i = 0; i < 6000; i++) {
		must("thread_get_sampled_pcs", of_thread(thread, 0));
		if (sequence >= n)
			return TRUE;
		sleep_ms(10);
	}
	return FALSE;
}

static boolean_t in_spin(const sampled_pc_t *s)
{
	return s->pc >= (vm_offset_t)spin_start && s->pc < (vm_offset_t)spin_end &&
	       s->sampletype == SAMPLED_PC_PERIODIC && s->id != 0;
}

static long uptime(void)
{
	struct time_value64 now;

	must("host_get_uptime64", host_get_uptime64(host, &now));
	return (long)now.seconds * 1000 + (long)now.nanoseconds / 1000000;
}

CASE("thread_get_sampled_pcs/of-one-that-computes")
{
	mach_port_name_t thread = make_worker(spin, NULL);
	boolean_t right = TRUE;
	mach_msg_type_number_t i;
	long start = uptime();

	enable(thread, SAMPLED_PC_PERIODIC);
	must("thread_resume", thread_resume(thread));
	fact("samples come", until_sampled(thread, 6));
	must("thread_suspend", thread_suspend(thread));
	must("thread_get_sampled_pcs", of_thread(thread, 0));
	fact("no more than ticks", (long)sequence <= (uptime() - start) / 10 + 1);
	fact("one for each number", got == sequence);
	for (i = 0; i < got; i++)
		right = right && in_spin(&samples[i]) && samples[i].id == samples[0].id;
	fact("all in its code", right);
	start = sequence;
	sleep_ms(60);
	must("thread_get_sampled_pcs", of_thread(thread, 0));
	fact("none while it is suspended", sequence == start);
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_get_sampled_pcs/of-one-that-waits")
{
	mach_port_name_t thread = make_worker((void (*)(void *))worker_stop, NULL);

	must("thread_resume", thread_resume(thread));
	fact("waits", until_waiting(thread));
	enable(thread, SAMPLED_PC_PERIODIC);
	sleep_ms(100);
	tell_from("get", thread, 0);
	must("thread_terminate", thread_terminate(thread));
}

CASE("thread_get_sampled_pcs/of-one-that-computes-by-faults-only")
{
	mach_port_name_t thread = make_worker(spin, NULL);

	enable(thread, SAMPLED_PC_VM_FAULTS);
	must("thread_resume", thread_resume(thread));
	sleep_ms(100);
	must("thread_suspend", thread_suspend(thread));
	tell_from("get", thread, 0);
	must("thread_terminate", thread_terminate(thread));
}

CASE("task_get_sampled_pcs/of-two-that-compute")
{
	mach_port_name_t one = make_worker(spin, NULL), other = make_worker(spin, NULL);
	boolean_t both = FALSE, right = TRUE;
	mach_msg_type_number_t i;
	int tick, n;

	must("task_enable_pc_sampling", task_enable_pc_sampling(self, &tick, SAMPLED_PC_PERIODIC));
	enable(one, SAMPLED_PC_PERIODIC);
	must("thread_resume", thread_resume(one));
	must("thread_resume", thread_resume(other));
	for (n = 0; n < 6000 && !both; n++) {
		sleep_ms(20);
		must("task_get_sampled_pcs", of_task(self, 0));
		for (i = 0; i < got; i++)
			both = both || samples[i].id != samples[0].id;
	}
	must("thread_terminate", thread_terminate(one));
	must("thread_terminate", thread_terminate(other));
	fact("samples of both", both);
	for (i = 0; i < got; i++)
		right = right && (in_spin(&samples[i]) || samples[i].sampletype == SAMPLED_PC_PERIODIC);
	fact("all by the clock", right);
	must("task_disable_pc_sampling", task_disable_pc_sampling(self, &tick));
}

/* ---- By page faults: each page is a sample of its own. */

static void fresh(long flavors, long writes, long unused)
{
	mach_port_name_t thread = make_toucher(writes ? writer : reader, 8);

	(void)unused;
	enable(thread, (sampled_pc_flavor_t)flavors);
	let_touch(thread);
	tell_from("get", thread, 0);
	tell_kinds(writes ? writer_touch : reader_touch);
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_get_sampled_pcs/new-pages", fresh, SAMPLED_PC_VM_FAULTS | SAMPLED_PC_VM_FAULTS_ANY, 1, 0)
EACH("thread_get_sampled_pcs/new-pages-read", fresh, SAMPLED_PC_VM_FAULTS | SAMPLED_PC_VM_FAULTS_ANY, 0, 0)
EACH("thread_get_sampled_pcs/new-pages-zero-fills", fresh, SAMPLED_PC_VM_ZFILL_FAULTS, 1, 0)
EACH("thread_get_sampled_pcs/new-pages-any", fresh, SAMPLED_PC_VM_FAULTS_ANY, 1, 0)
EACH("thread_get_sampled_pcs/new-pages-copies", fresh, SAMPLED_PC_VM_COW_FAULTS, 1, 0)
EACH("thread_get_sampled_pcs/new-pages-all-bits", fresh, 0xfffffffe, 1, 0)
EACH("thread_get_sampled_pcs/new-pages-none", fresh, 0, 1, 0)

/* Memory that is there, and copied: read or written. */
static void copied(long writes, long unused, long more_unused)
{
	mach_port_name_t thread = make_toucher(writes ? writer : reader, 4);
	vm_offset_t data;
	mach_msg_type_number_t n;

	(void)unused;
	(void)more_unused;
	memset((void *)work.at, 7, 4 * PAGE);
	must("vm_read", vm_read(self, work.at, 4 * PAGE, &data, &n));
	keep_memory(data, n);
	work.at = data;
	enable(thread, SAMPLED_PC_VM_FAULTS | SAMPLED_PC_VM_FAULTS_ANY);
	let_touch(thread);
	tell_from("get", thread, 0);
	tell_kinds(writes ? writer_touch : reader_touch);
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_get_sampled_pcs/copied-pages-written", copied, 1, 0, 0)
EACH("thread_get_sampled_pcs/copied-pages-read", copied, 0, 0, 0)

CASE("thread_get_sampled_pcs/pages-written-before")
{
	mach_port_name_t thread = make_toucher(writer, 4);

	memset((void *)work.at, 7, 4 * PAGE);
	enable(thread, SAMPLED_PC_VM_FAULTS | SAMPLED_PC_VM_FAULTS_ANY);
	let_touch(thread);
	tell_from("get", thread, 0);
	must("thread_terminate", thread_terminate(thread));
}

/* ---- Which samples come. */

CASE("thread_get_sampled_pcs/from-a-number")
{
	mach_port_name_t thread = make_toucher(writer, 8);

	enable(thread, SAMPLED_PC_VM_FAULTS | SAMPLED_PC_VM_FAULTS_ANY);
	let_touch(thread);
	tell_from("the last three", thread, 13);
	tell_kinds(writer_touch);
	tell_from("none since the last", thread, 16);
	tell_from("of the future", thread, 17);
	tell_from("of the far future", thread, 0x80000010);
	tell_from("half way round", thread, 0x80000011);
	must("thread_terminate", thread_terminate(thread));
}

static void many(long pages, long unused, long more_unused)
{
	mach_port_name_t thread = make_toucher(writer, pages);
	boolean_t right = TRUE;
	mach_msg_type_number_t i;

	(void)unused;
	(void)more_unused;
	enable(thread, SAMPLED_PC_VM_FAULTS_ANY);
	let_touch(thread);
	tell_from("get", thread, 0);
	for (i = 0; i < got && i < 511; i++)
		right = right && samples[i].pc == (vm_offset_t)writer_touch;
	fact("all where it touches", right);
	tell_from("all but the first", thread, 1);
	must("thread_terminate", thread_terminate(thread));
}
EACH("thread_get_sampled_pcs/as-many-as-there-is-room-for", many, 512, 0, 0)
EACH("thread_get_sampled_pcs/one-more-than-there-is-room-for", many, 513, 0, 0)
EACH("thread_get_sampled_pcs/more-than-there-is-room-for", many, 1300, 0, 0)

/* The oldest is lost, and which is the first? The kinds go in turns. */
CASE("thread_get_sampled_pcs/which-are-lost")
{
	mach_port_name_t thread = make_toucher(writer, 300);

	enable(thread, SAMPLED_PC_VM_FAULTS | SAMPLED_PC_VM_FAULTS_ANY);
	let_touch(thread);
	tell_from("all", thread, 0);
	mach_printf("kinds: first 0x%x, second 0x%x, last but one 0x%x\n", samples[0].sampletype,
		    samples[1].sampletype, samples[510].sampletype);
	tell_from("one more than there is room for", thread, 87);
	mach_printf("kinds: first 0x%x, second 0x%x, last but one 0x%x\n", samples[0].sampletype,
		    samples[1].sampletype, samples[510].sampletype);
	tell_from("as many as there is room for", thread, 88);
	mach_printf("kinds: first 0x%x, second 0x%x, last 0x%x\n", samples[0].sampletype,
		    samples[1].sampletype, samples[511].sampletype);
	must("thread_terminate", thread_terminate(thread));
}

/* ---- On and off. */

CASE("thread_enable_pc_sampling/again")
{
	mach_port_name_t thread = make_toucher(writer, 8);
	int ignored;

	enable(thread, SAMPLED_PC_VM_ZFILL_FAULTS);
	let_touch(thread);
	enable(thread, 0);
	tell_from("nothing is wanted any more", thread, 0);
	enable(thread, SAMPLED_PC_PERIODIC);
	tell_from("something else is wanted", thread, 0);
	code("disable", thread_disable_pc_sampling(thread, &ignored));
	enable(thread, SAMPLED_PC_VM_ZFILL_FAULTS);
	tell_from("off and on", thread, 0);
	must("thread_terminate", thread_terminate(thread));
}

CASE("task_enable_pc_sampling/and-a-thread-of-it")
{
	mach_port_name_t thread = make_toucher(writer, 8);
	int ignored;

	enable(thread, SAMPLED_PC_VM_ZFILL_FAULTS);
	must("task_enable_pc_sampling",
	     task_enable_pc_sampling(self, &ignored, SAMPLED_PC_VM_FAULTS_ANY));
	let_touch(thread);
	code("the task's", of_task(self, 0));
	fact("one at least for each page", got >= 8);
	tell_from("the thread's", thread, 0);
	tell_kinds(writer_touch);
	code("disable", task_disable_pc_sampling(self, &ignored));
	tell_from("the thread's stay", thread, 0);
	must("thread_terminate", thread_terminate(thread));
}
