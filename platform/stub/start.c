/* The stub's start: runs once, before any client thread exists. It installs
 * the signal handlers, maps the two shared areas, leaves the initial stack,
 * unmaps everything that is not its own, puts the filter on and becomes the
 * control thread.
 */

#include "layout.h"

typedef unsigned long u64;
typedef unsigned int u32;

#define START __attribute__((section(".start"), used))

extern char handler[], restorer[];
extern long ctl_sys(long nr, long a, long b, long c);

static inline __attribute__((always_inline)) long
sys(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall" : "=a"(ret)
	    : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	    : "rcx", "r11", "memory");
	return ret;
}

static inline __attribute__((always_inline, noreturn)) void
die(long code)
{
	for (;;)
		sys(NR_EXIT_GROUP, code, 0, 0, 0, 0, 0);
}

struct kernel_sigaction {
	void *handler;
	u64 flags;
	void *restorer;
	u64 mask;
};

enum {
	SIGINFO = 0x4, ONSTACK = 0x08000000, RESTORER = 0x04000000,
	READ = 1, WRITE = 2,
	SHARED_NOREPLACE = 0x100001,	/* MAP_SHARED | MAP_FIXED_NOREPLACE */
};

static inline __attribute__((always_inline)) void
install_handlers(void)
{
	/* SYS SEGV BUS ILL FPE TRAP USR1, as a mask: no table, no data */
	u64 wanted = 1ul << 31 | 1ul << 11 | 1ul << 7 | 1ul << 4 | 1ul << 8 |
	    1ul << 5 | 1ul << 10;
	u64 all = ~0ul;

	for (int sig = 1; sig < 32; sig++) {
		struct kernel_sigaction sa;

		if (!(wanted >> sig & 1))
			continue;
		sa.handler = handler;
		sa.flags = SIGINFO | ONSTACK | RESTORER;
		sa.restorer = restorer;
		sa.mask = ~0ul;
		if (sys(NR_SIGACTION, sig, (long)&sa, 0, 8, 0, 0))
			die(EXIT_SIGNALS);
	}
	if (sys(NR_SIGMASK, 0, (long)&all, 0, 8, 0, 0))
		die(EXIT_SIGNALS);
}

START void
start_first(void)
{
	u64 none[2], name[2];

	name[0] = 0x6e72656b6863616d;	/* "machkern": no data, so as numbers */
	name[1] = 0x00627574732d6c65;	/* "el-stub" */
	sys(NR_PRCTL, 15, (long)name, 0, 0, 0, 0);	/* PR_SET_NAME */
	none[0] = none[1] = 0;
	if (sys(NR_PRCTL, 38, 1, 0, 0, 0, 0))	/* PR_SET_NO_NEW_PRIVS */
		die(EXIT_NNP);
	sys(NR_SETRLIMIT, 4, (long)none, 0, 0, 0, 0);	/* RLIMIT_CORE */
	install_handlers();
	if (sys(NR_MMAP, MB, (long)SLOT_SIZE * SLOTS, READ | WRITE,
	    SHARED_NOREPLACE, FD_MAILBOX, 0) != MB)
		die(EXIT_MAP);
	if (sys(NR_MMAP, CMD, CMD_SIZE, READ, SHARED_NOREPLACE, FD_COMMANDS, 0) != CMD)
		die(EXIT_MAP);
	/* off the initial stack, to the end of slot 1: no thread has it yet */
	asm volatile("mov %0,%%rsp; xor %%ebp,%%ebp; jmp start_second"
	    :: "r"(MB + 2ul * SLOT_SIZE - 64));
	__builtin_unreachable();
}

START void
start_second(void)
{
	u32 flags = *(volatile u32 *)(CMD + C_FLAGS);
	long kept = START_KEPT;

	/* Initial stack, vdso and vvar go. A host that seals them refuses the
	 * whole range; then the kernel goes piece by piece. */
	if (!(flags & CF_KEEP) &&
	    !sys(NR_MUNMAP, 0, HOLE_START, 0, 0, 0, 0) &&
	    !sys(NR_MUNMAP, HOLE_END, USER_END - HOLE_END, 0, 0, 0, 0)) {
		kept = START_CLEAN;
		sys(NR_PRCTL, 4, 0, 0, 0, 0, 0);	/* PR_SET_DUMPABLE */
	}
	if (sys(NR_SECCOMP, 1, 0, CMD + C_LOOSE, 0, 0, 0))
		die(EXIT_FILTER);
	ctl_sys(NR_CLOSE_RANGE, 0, FD_FRAMES - 1, 0);
	ctl_sys(NR_CLOSE_RANGE, FD_MAILBOX, FD_COMMANDS, 0);
	ctl_sys(NR_CLOSE_RANGE, FD_ORDER + 1, 0xffffffffu, 0);
	asm volatile("mov %0,%%rbp; mov $1,%%r15d; xor %%esp,%%esp; jmp ctl_report"
	    :: "r"(kept) : "memory");
	__builtin_unreachable();
}

asm(".section .start,\"ax\"\n"
    ".globl _start\n"
    "_start:\n"
    "	and $-16,%rsp\n"
    "	call start_first\n"
    "	hlt\n");
