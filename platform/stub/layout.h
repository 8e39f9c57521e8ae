/* Where the stub's parts lie, shared by stub.S, start.c and (as Go constants
 * of the same values, compared by a test) the package above. Every address is
 * a link-time constant: nothing in the stub is relocated, and it has no data.
 *
 * Only lines of the form "#define NAME number" belong here.
 */

/* The hole in the task's range that belongs to the stub. Its first 4 GiB stay
 * empty: a filter cannot add 64-bit numbers, so it forbids lengths of 4 GiB
 * and more and every start address that could reach the stub from below. */
#define HOLE_START      0x6ffe00000000
#define HOLE_END        0x700000000000
#define USER_END        0x7ffffffff000

/* Text: one page that only the control thread may call Linux from, one page
 * for client threads, and the start code, which runs once. */
#define TEXT_CTL        0x6fff00001000
#define TEXT_CLIENT     0x6fff00002000
#define TEXT_START      0x6fff00003000
#define TEXT_CALLS_SIZE 0x2000

/* Command area, read-only in the stub: a page of orders, then constants. */
#define CMD             0x6fff08000000
#define CMD_SIZE        0x4000
#define C_COUNT         0x0
#define C_OPS           0x40
#define OP_SIZE         0x40
#define OPS_MAX         62
#define C_BYTES         0x1000
#define C_FLAGS         0x1100
#define C_LOOSE         0x1110
#define C_STRICT        0x1120
#define C_LOOSE_CODE    0x2000
#define C_STRICT_CODE   0x3000

/* Bits of C_FLAGS. */
#define CF_FSGSBASE     1
#define CF_DISPATCH     2
#define CF_KEEP         4

/* Mailbox area, shared and writable, therefore the client's as much as ours:
 * slot 0 is the header, slot n the mailbox page and signal stack of thread n. */
#define MB              0x6fff10000000
#define SLOT_SHIFT      16
#define SLOT_SIZE       0x10000
#define SLOTS           1024

/* Header: doorbell futex word, summary of the bitmap, bitmap of slots. */
#define H_BELL          0x0
#define H_SUM           0x8
#define H_SCRATCH       0x10
#define H_MAP           0x40

/* Values of H_BELL. A host thread that ends clears the word: GONE. */
#define BELL_GONE       0
#define BELL_ARMED      1
#define BELL_RUNG       2

/* Mailbox of one thread. */
#define S_STATE         0x0
#define S_FLAGS         0x4
#define S_SP            0x8
#define S_FS            0x10
#define S_GS            0x18
#define S_SPIN          0x20
#define S_STACK         0x1000

/* Values of S_STATE: the thread runs client code, or waits (awake or asleep)
 * with its registers posted. */
#define STATE_RUN       0
#define STATE_POSTED    1
#define STATE_ASLEEP    2

/* Bits of S_FLAGS, read when a waiting thread is let go. */
#define SF_BASES        1
#define SF_EXIT         2

/* Descriptors in the stub. Frames, result and command stay open. */
#define FD_FRAMES       3
#define FD_MAILBOX      4
#define FD_COMMANDS     5
#define FD_RESULT       6
#define FD_ORDER        7

/* First result byte after start. */
#define START_CLEAN     0
#define START_KEPT      1

/* Exit codes of a stub that could not start. */
#define EXIT_NNP        10
#define EXIT_SIGNALS    11
#define EXIT_MAP        12
#define EXIT_FILTER     13
#define EXIT_CONTROL    14

/* clone: VM FS FILES SIGHAND THREAD SYSVSEM CHILD_CLEARTID. */
#define CLONE_FLAGS     0x250f00

/* Linux system calls. */
#define NR_READ         0
#define NR_WRITE        1
#define NR_MMAP         9
#define NR_MUNMAP       11
#define NR_SIGACTION    13
#define NR_SIGMASK      14
#define NR_SIGRETURN    15
#define NR_CLONE        56
#define NR_EXIT         60
#define NR_PRCTL        157
#define NR_ARCH_PRCTL   158
#define NR_SETRLIMIT    160
#define NR_FUTEX        202
#define NR_EXIT_GROUP   231
#define NR_SECCOMP      317
#define NR_CLOSE_RANGE  436
