/*
 * What the stubs that MIG generates expect of the run-time. The packaged
 * GNU Mach headers leave this file to the C library; ours stands in for it.
 */
#ifndef _MACH_MIG_SUPPORT_H_
#define _MACH_MIG_SUPPORT_H_

#include <mach/machine/vm_types.h>
#include <mach/message.h>

/* Stubs call memcpy() without a header of their own for it. */
#include <libmach/string.h>

/* The calling thread's reply port, made at its first use. */
mach_port_t mig_get_reply_port(void);

/* A stub is done with the reply port; we keep it for the thread's next call. */
void mig_put_reply_port(mach_port_t reply);

/*
 * A call failed, and a late reply could still arrive at the reply port:
 * destroy it. The thread's next call gets a fresh one.
 */
void mig_dealloc_reply_port(mach_port_t reply);

void mig_init(void *first);

/* Memory for server stubs that return out-of-line data. */
void mig_allocate(vm_offset_t *addr, vm_size_t size);
void mig_deallocate(vm_offset_t addr, vm_size_t size);

/* Copies at most len bytes including the terminating zero; its length. */
vm_size_t mig_strncpy(char *dst, const char *src, vm_size_t len);

/* Fills the reply's header and return-code descriptor for a server. */
void mig_reply_setup(const mach_msg_header_t *request, mach_msg_header_t *reply);

#endif
