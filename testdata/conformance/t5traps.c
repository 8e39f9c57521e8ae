/* t5traps: the traps that traps.c does not ask, and numbers that mean none. */
#include "suite.h"

#include <mach/exception.h>

#include "message.h"
#include "worker.h"

static long trap11(long number, long *a)
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long result;

	/* The seventh argument and those after it lie above a return address. */
	__asm__ volatile("movq %%rsp, %%r12\n\t"
			 "subq $128, %%rsp\n\t"
			 "pushq 80(%[a])\n\tpushq 72(%[a])\n\tpushq 64(%[a])\n\t"
			 "pushq 56(%[a])\n\tpushq 48(%[a])\n\tpushq $0\n\t"
			 "syscall\n\t"
			 "movq %%r12, %%rsp"
			 : "=a"(result), "+r"(r10), "+r"(r8), "+r"(r9)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), [a] "r"(a)
			 : "rcx", "r11", "r12", "memory");
	return result;
}

/* ---- Numbers without a trap. */

static void number(long n, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	mach_printf("result 0x%lx\n", trap3(n, 0, 0, 0));
}
#define NUMBER(name, n) EACH("trap_number/" name, number, n, 0, 0)
NUMBER("0", 0)
NUMBER("minus-1", -1)
NUMBER("minus-9", -9)
NUMBER("minus-10", -10)
NUMBER("minus-11", -11)
NUMBER("minus-12", -12)
NUMBER("minus-13", -13)
NUMBER("minus-14", -14)
NUMBER("minus-16", -16)
NUMBER("minus-19", -19)
NUMBER("minus-31", -31)
NUMBER("minus-41", -41)
NUMBER("minus-55", -55)
NUMBER("minus-56", -56)
NUMBER("minus-57", -57)
NUMBER("minus-62", -62)
NUMBER("minus-67", -67)
NUMBER("minus-78", -78)
NUMBER("minus-80", -80)
NUMBER("minus-95", -95)
NUMBER("minus-129", -129)
NUMBER("smallest", (int)0x80000000)
NUMBER("high-half-ignored", 0x5555555500000000 | (unsigned)-55)
NUMBER("high-half-ignored-task-self-null", 0x1234567800000000 | (unsigned)-10)

CASE("trap_registers/kept")
{
	long r10 = 0x1010, r8 = 0x8080, r9 = 0x9090, rbx = 0, rdi = 1, rsi = 2, rdx = 3, result;
	register long a10 __asm__("r10") = r10;
	register long a8 __asm__("r8") = r8;
	register long a9 __asm__("r9") = r9;
	long flags = 0, rcx = 0, here = 0;

	__asm__ volatile("leaq 1f(%%rip), %[here]\n\tsyscall\n1:\n\tpushfq\n\tpopq %[flags]\n\tmovq %%rcx, %[rcx]"
			 : "=a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(a10), "+r"(a8),
			   "+r"(a9), [here] "=&r"(here), [flags] "=&r"(flags), [rcx] "=&r"(rcx)
			 : "a"(-55L)
			 : "rcx", "r11", "memory");
	(void)rbx;
	fact("arguments", rdi == 1 && rsi == 2 && rdx == 3 && a10 == r10 && a8 == r8 && a9 == r9);
	fact("rcx is where it came back", rcx == here);
	mach_printf("result %ld\n", result);
}

/* ---- evc, scheduling. */

static void evc(long n, long id, long unused)
{
	(void)unused;
	code("trap", (kern_return_t)trap3(n, id, 0, 0));
}
EACH("trap_evc_wait/0", evc, -17, 0, 0)
EACH("trap_evc_wait/9", evc, -17, 9, 0)
EACH("trap_evc_wait/10", evc, -17, 10, 0)
EACH("trap_evc_wait/minus-1", evc, -17, -1, 0)
EACH("trap_evc_wait_clear/0", evc, -18, 0, 0)
EACH("trap_evc_wait_clear/10", evc, -18, 10, 0)

CASE("trap_swtch/codes")
{
	mach_printf("swtch %ld, swtch_pri %ld\n", trap3(-60, 0, 0, 0), trap3(-59, 0, 0, 0));
	mach_printf("swtch_pri of a strange priority %ld\n", trap3(-59, -1000, 0, 0));
}

static void thread_switch_kind(long kind, long option, long ms)
{
	code("thread_switch",
	     (kern_return_t)trap3(-61, make_kind((enum name_kind)kind), option, ms));
}
EACH("trap_thread_switch/none", thread_switch_kind, KIND_null, 0, 0)
EACH("trap_thread_switch/depress", thread_switch_kind, KIND_null, 1, 10)
EACH("trap_thread_switch/depress-0", thread_switch_kind, KIND_null, 1, 0)
EACH("trap_thread_switch/wait", thread_switch_kind, KIND_null, 2, 10)
EACH("trap_thread_switch/wait-0", thread_switch_kind, KIND_null, 2, 0)
EACH("trap_thread_switch/option-3", thread_switch_kind, KIND_null, 3, 0)
EACH("trap_thread_switch/option-minus-1", thread_switch_kind, KIND_null, -1, 0)
EACH("trap_thread_switch/to-itself", thread_switch_kind, KIND_thread, 0, 0)
EACH("trap_thread_switch/to-a-task", thread_switch_kind, KIND_task, 0, 0)
EACH("trap_thread_switch/to-no-name", thread_switch_kind, KIND_no_name, 0, 0)
EACH("trap_thread_switch/to-a-dead-name", thread_switch_kind, KIND_dead_name, 0, 0)
EACH("trap_thread_switch/option-3-no-name", thread_switch_kind, KIND_no_name, 3, 0)

/* ---- Each trap that wants a task (or a thread), on each kind of name. */

enum { VM_MAP = 64, TASK_CREATE = 68, TASK_TERMINATE = 69, TASK_SUSPEND = 70, SET_SPECIAL = 71,
       INSERT_RIGHT = 74, ALLOCATE_NAME = 75, DEPRESS_ABORT = 76 };

static void of_kind(long kind, long which, long unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind), child = 7;
	long a[11] = { 0 };
	vm_offset_t at = 0;

	(void)unused;
	a[0] = name;
	switch (which) {
	case VM_MAP:
		a[1] = (long)&at; a[2] = PAGE; a[4] = TRUE; a[8] = a[9] = 3; a[10] = 1;
		break;
	case TASK_CREATE: a[2] = (long)&child; break;
	case SET_SPECIAL: a[1] = 4; break;
	case INSERT_RIGHT: a[1] = FREE_NAME; a[2] = make_receive(); a[3] = 20; break;
	case ALLOCATE_NAME: a[1] = 1; a[2] = FREE_NAME; break;
	}
	code("trap", (kern_return_t)trap11(-which, a));
	if (which == TASK_CREATE && child != 7) {
		task_terminate(child);
		keep_name(child);
	}
	if (at != 0)
		keep_memory(at, PAGE);
	keep_name(FREE_NAME);
}
#define OF_KINDS(X, ...) KINDS(X, ## __VA_ARGS__)				\
	X("host", KIND_host, ## __VA_ARGS__)					\
	X("thread", KIND_thread, ## __VA_ARGS__)				\
	X("dead-task", KIND_dead_task, ## __VA_ARGS__)
#define OF(name, kind, trap_name, which) EACH(trap_name "/of-" name, of_kind, kind, which, 0)
OF_KINDS(OF, "trap_vm_map", VM_MAP)
OF_KINDS(OF, "trap_task_create", TASK_CREATE)
OF_KINDS(OF, "trap_task_terminate", TASK_TERMINATE)
OF_KINDS(OF, "trap_task_suspend", TASK_SUSPEND)
OF_KINDS(OF, "trap_task_set_special_port", SET_SPECIAL)
OF_KINDS(OF, "trap_mach_port_insert_right", INSERT_RIGHT)
OF_KINDS(OF, "trap_mach_port_allocate_name", ALLOCATE_NAME)
OF_KINDS(OF, "trap_thread_depress_abort", DEPRESS_ABORT)
EACH("trap_vm_map/of-task", of_kind, KIND_task, VM_MAP, 0)
EACH("trap_task_create/of-task", of_kind, KIND_task, TASK_CREATE, 0)
EACH("trap_mach_port_allocate_name/of-task", of_kind, KIND_task, ALLOCATE_NAME, 0)
EACH("trap_mach_port_insert_right/of-task", of_kind, KIND_task, INSERT_RIGHT, 0)
EACH("trap_thread_depress_abort/of-task", of_kind, KIND_task, DEPRESS_ABORT, 0)

CASE("trap_task_create/foreign-parent")
{
	mach_port_name_t child = 7;

	code("trap", syscall_task_create(make_task(FALSE), TRUE, &child));
	tell_name("child", child);
	keep_name(child);
	task_terminate(child);
}

CASE("trap_task_terminate/child")
{
	mach_port_name_t task = make_task(FALSE), notify = watch_death(task);

	code("trap", syscall_task_terminate(task));
	fact("it died", died(notify));
	code("again", syscall_task_terminate(task));
}

CASE("trap_task_suspend/child")
{
	mach_port_name_t task = make_task(FALSE);

	code("trap", syscall_task_suspend(task));
	code("trap", syscall_task_suspend(task));
	code("task_resume", task_resume(task));
	code("task_resume", task_resume(task));
	code("task_resume", task_resume(task));
}

static void special(long which, long kind, long unused)
{
	mach_port_name_t task = make_task(FALSE), name = make_kind((enum name_kind)kind);
	mach_port_name_t got = MACH_PORT_NULL;

	(void)unused;
	code("trap", syscall_task_set_special_port(task, (int)which, name));
	code("task_get_special_port", task_get_special_port(task, (int)which, &got));
	if (got == name)
		mach_printf("it is what was set\n");
	if (MACH_PORT_VALID(got))
		mach_port_deallocate(self, got);
	tell_name("the name", name);
}
EACH("trap_task_set_special_port/exception", special, 3, KIND_send_receive, 0)
EACH("trap_task_set_special_port/bootstrap", special, 4, KIND_send_receive, 0)
EACH("trap_task_set_special_port/which-0", special, 0, KIND_send_receive, 0)
EACH("trap_task_set_special_port/which-2", special, 2, KIND_send_receive, 0)
EACH("trap_task_set_special_port/which-5", special, 5, KIND_send_receive, 0)
#define SPECIAL(name, kind) EACH("trap_task_set_special_port/exception-to-" name, special, 3, kind, 0)
KINDS(SPECIAL)

static void insert(long kind, long type, long unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind), into = fresh_name();

	(void)unused;
	code("trap", (kern_return_t)trap6(-74, self, into, name, type, 0, 0));
	tell_name("the right", name);
	tell_name("made", into);
}
#define INSERT(name, kind)								\
	EACH("trap_mach_port_insert_right/make-send-" name, insert, kind, 20, 0)	\
	EACH("trap_mach_port_insert_right/copy-send-" name, insert, kind, 19, 0)	\
	EACH("trap_mach_port_insert_right/make-send-once-" name, insert, kind, 21, 0)	\
	EACH("trap_mach_port_insert_right/move-send-" name, insert, kind, 17, 0)
KINDS(INSERT)
EACH("trap_mach_port_insert_right/type-0", insert, KIND_receive, 0, 0)
EACH("trap_mach_port_insert_right/type-15", insert, KIND_receive, 15, 0)
EACH("trap_mach_port_insert_right/type-22", insert, KIND_receive, 22, 0)
EACH("trap_mach_port_insert_right/type-0-null", insert, KIND_null, 0, 0)

CASE("trap_mach_port_insert_right/type-0-of-no-task")
{
	code("trap", (kern_return_t)trap6(-74, NO_NAME, FREE_NAME, make_receive(), 0, 0, 0));
}

static void allocate_name(long right, long wanted, long unused)
{
	mach_port_name_t name = wanted == 1 ? fresh_name() : wanted == 2 ? make_receive() :
				(mach_port_name_t)wanted;

	(void)unused;
	code("trap", (kern_return_t)trap3(-75, self, right, name));
	if (wanted != 0 && wanted != -1)
		tell_name("it is", name);
}
EACH("trap_mach_port_allocate_name/receive", allocate_name, 1, 1, 0)
EACH("trap_mach_port_allocate_name/send", allocate_name, 0, 1, 0)
EACH("trap_mach_port_allocate_name/send-once", allocate_name, 2, 1, 0)
EACH("trap_mach_port_allocate_name/port-set", allocate_name, 3, 1, 0)
EACH("trap_mach_port_allocate_name/dead-name", allocate_name, 4, 1, 0)
EACH("trap_mach_port_allocate_name/right-5", allocate_name, 5, 1, 0)
EACH("trap_mach_port_allocate_name/taken", allocate_name, 1, 2, 0)
EACH("trap_mach_port_allocate_name/null", allocate_name, 1, 0, 0)
EACH("trap_mach_port_allocate_name/dead", allocate_name, 1, -1, 0)

CASE("trap_thread_depress_abort/threads")
{
	mach_port_name_t thread = MACH_PORT_NULL;

	must("thread_create", thread_create(make_task(FALSE), &thread));
	code("another task's", syscall_thread_depress_abort(keep_name(thread)));
	must("thread_terminate", thread_terminate(thread));
	code("dead", syscall_thread_depress_abort(thread));
}

/* ---- vm_map. */

static void map(long anywhere, long offset, long size)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t base = terrain_in(task), at = base + (vm_offset_t)offset, before = at;
	long a[11] = { task, (long)&at, size, 0, anywhere, 0, 0, 0, 3, 7, 1 };

	code("trap", (kern_return_t)trap11(-VM_MAP, a));
	fact("the address is as it was", at == before);
	tell_memory_in(task, "island", base, TERRAIN_PAGES);
}
EACH("trap_vm_map/anywhere", map, 1, 0, 0x1000)
EACH("trap_vm_map/in-the-hole", map, 0, 0x4000, 0x1000)
EACH("trap_vm_map/taken", map, 0, 0, 0x1000)
EACH("trap_vm_map/no-bytes", map, 0, 0x4000, 0)
EACH("trap_vm_map/unaligned", map, 0, 0x4008, 8)

static void map_argument(long index, long value, long unused)
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = 0;
	long a[11] = { task, (long)&at, PAGE, 0, TRUE, 0, 0, 0, 3, 7, 1 };
	struct region r;

	(void)unused;
	a[index] = value == -2 ? make_receive() : value == -3 ? make_dead() : value;
	code("trap", (kern_return_t)trap11(-VM_MAP, a));
	fact("an address", at != 0);
	if (find_region(task, 0, &r) == KERN_SUCCESS)
		mach_printf("%zu pages, %u/%u, inheritance %u\n", r.size / PAGE, r.current,
			    r.maximum, r.inheritance);
	else
		mach_printf("nothing\n");
}
EACH("trap_vm_map/object-no-name", map_argument, 5, 1000001, 0)
EACH("trap_vm_map/object-receive", map_argument, 5, -2, 0)
EACH("trap_vm_map/object-dead-name", map_argument, 5, -3, 0)
EACH("trap_vm_map/object-dead", map_argument, 5, 0xffffffff, 0)
EACH("trap_vm_map/current-8", map_argument, 8, 8, 0)
EACH("trap_vm_map/maximum-8", map_argument, 9, 8, 0)
EACH("trap_vm_map/inheritance-3", map_argument, 10, 3, 0)
EACH("trap_vm_map/inheritance-2", map_argument, 10, 2, 0)
EACH("trap_vm_map/copy", map_argument, 7, 1, 0)
EACH("trap_vm_map/address-pointer-bad", map_argument, 1, 0x900000000000, 0)

/* ---- Arguments on the stack that cannot be read. */

static volatile int stack_done;

/* rdi: the stack pointer. */
__attribute__((naked)) static void stack_entry(void *stack)
{
	(void)stack;
	__asm__ volatile("movq %rsp, %r12\n\tmovq %rdi, %rsp\n\tmovq $-25, %rax\n\t"
			 "xorl %edi, %edi\n\txorl %esi, %esi\n\txorl %edx, %edx\n\t"
			 "xorl %r10d, %r10d\n\txorl %r8d, %r8d\n\txorl %r9d, %r9d\n\t"
			 ".globl at_stack\nat_stack:\n\tsyscall\n\tmovq %r12, %rsp\n\t"
			 "movl $1, stack_done\n\tjmp stack_end\n");
}
extern char at_stack[];

__attribute__((used)) static void stack_end(void)
{
	worker_stop();
}

static void stack_at(long relative, long at, long unused)
{
	mach_port_name_t port = make_port();
	mach_port_name_t thread = make_worker(stack_entry, NULL);
	vm_offset_t base = terrain(), stack = place_at(base, relative, at);
	struct i386_thread_state state;
	struct {
		mach_msg_header_t head;
		struct item item[5];
		unsigned char room[64];
	} msg;

	(void)unused;
	stack_done = 0;
	get_state(thread, &state);
	state.rdi = stack;
	set_state(thread, &state);
	must("port", thread_set_special_port(thread, THREAD_EXCEPTION_PORT, port));
	must("thread_resume", thread_resume(thread));
	until_waiting(thread);
	if (stack_done)
		mach_printf("the trap was made\n");
	else if (mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg), port, 0,
			  MACH_PORT_NULL) == MACH_MSG_SUCCESS) {
		keep_name(msg.head.msgh_remote_port);
		mach_port_deallocate(self, msg.item[0].port.name);
		mach_port_deallocate(self, msg.item[1].port.name);
		mach_printf("exception %d, code %d, subcode: the stack + %ld\n",
			    (int)msg.item[2].word, (int)msg.item[3].word,
			    (long)(msg.item[4].word - stack));
		get_state(thread, &state);
		mach_printf("rip: the instruction + %ld, rax %ld\n",
			    (long)(state.rip - (vm_offset_t)at_stack), (long)state.rax);
	}
	code("thread_terminate", thread_terminate(thread));
}
EACH("trap_stack/writable", stack_at, 1, 0x100, 0)
EACH("trap_stack/read-only", stack_at, 1, 0x2100, 0)
EACH("trap_stack/untouched", stack_at, 1, 0x5100, 0)
EACH("trap_stack/no-access", stack_at, 1, 0x3100, 0)
EACH("trap_stack/hole", stack_at, 1, 0x4100, 0)
EACH("trap_stack/into-hole", stack_at, 1, 0x3ff8, 0)
EACH("trap_stack/page-zero", stack_at, 0, 0x100, 0)
EACH("trap_stack/last-word", stack_at, 0, 0x800000000000 - 16, 0)
EACH("trap_stack/map-end", stack_at, 0, 0x800000000000, 0)
EACH("trap_stack/kernel-address", stack_at, 0, 0xffffffff81000000, 0)

/* ---- The device traps. */

static void device_kind(long kind, long number, long reply)
{
	mach_port_name_t name = kind == -1 ? device_master_port : make_kind((enum name_kind)kind);

	code("trap", (kern_return_t)trap6(number, name, reply, 0, 0, 0, 0));
}
#define DEVICE(name, kind)							\
	EACH("trap_device_write/" name, device_kind, kind, -40, 0)		\
	EACH("trap_device_writev/" name, device_kind, kind, -39, 0)
KINDS(DEVICE)
DEVICE("task", KIND_task)
DEVICE("master", -1)
EACH("trap_device_write/master-reply", device_kind, -1, -40, 5)

/* ---- thread_set_self_state. */

static void self_state(long flavor, long n, long bad_pointer)
{
	unsigned int words[160] = { 0 };

	code("trap", (kern_return_t)trap3(-77, flavor, bad_pointer ? 0x900000000000 : (long)words,
					  n));
}
EACH("trap_thread_set_self_state/zero-words", self_state, 1, 0, 0)
EACH("trap_thread_set_self_state/one-word-too-many", self_state, 1, 151, 0)
EACH("trap_thread_set_self_state/too-few-words", self_state, 1, 10, 0)
EACH("trap_thread_set_self_state/bad-pointer", self_state, 1, 44, 1)
EACH("trap_thread_set_self_state/flavor-0", self_state, 0, 44, 0)
EACH("trap_thread_set_self_state/flavor-99", self_state, 99, 44, 0)
EACH("trap_thread_set_self_state/fs-gs-base-zero", self_state, 7, 4, 0)
EACH("trap_thread_set_self_state/debug-zero", self_state, 6, 8, 0)
