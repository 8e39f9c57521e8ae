/* Asking for threads' states, and telling them. */
#ifndef T5STATE_H
#define T5STATE_H

#include <mach/thread_status.h>

#include "second.h"
#include "t5wrong.h"

static natural_t words[1024];
static mach_msg_type_number_t words_count;
static const struct i386_thread_state *const general = (const struct i386_thread_state *)words;

static inline kern_return_t get(mach_port_name_t thread, int flavor, mach_msg_type_number_t count)
{
	memset(words, 0xff, sizeof(words));
	words_count = count;
	return thread_get_state(thread, flavor, words, &words_count);
}

static inline kern_return_t set(mach_port_name_t thread, int flavor, const void *state, size_t count)
{
	return thread_set_state(thread, flavor, (thread_state_t)(uintptr_t)state,
				(mach_msg_type_number_t)count);
}

static inline void tell_general(void)
{
	mach_printf("r8 0x%lx r9 0x%lx r10 0x%lx r11 0x%lx r12 0x%lx r13 0x%lx r14 0x%lx r15 0x%lx\n",
		    general->r8, general->r9, general->r10, general->r11, general->r12,
		    general->r13, general->r14, general->r15);
	mach_printf("rdi 0x%lx rsi 0x%lx rbp 0x%lx rsp 0x%lx rbx 0x%lx rdx 0x%lx rcx 0x%lx rax 0x%lx\n",
		    general->rdi, general->rsi, general->rbp, general->rsp, general->rbx,
		    general->rdx, general->rcx, general->rax);
}

static inline void tell_selectors(void)
{
	mach_printf("cs 0x%x ss 0x%x flags 0x%lx\n", general->cs, general->ss, general->rfl);
}

static inline struct i386_thread_state numbered(void)
{
	return (struct i386_thread_state){
		.r8 = 0x8000000000000008, .r9 = 9, .r10 = 10, .r11 = 11, .r12 = 12, .r13 = 13,
		.r14 = 14, .r15 = 15, .rdi = 21, .rsi = 22, .rbp = 23, .rsp = 24, .rbx = 25,
		.rdx = 26, .rcx = 27, .rax = 28, .rip = 0x1234, .cs = 0x2b, .rfl = 0,
		.ursp = 0x5678, .ss = 0x33,
	};
}

#endif
