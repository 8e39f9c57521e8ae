#include <libmach/libmach.h>

#include "thread_record.h"

mach_port_t mig_get_reply_port(void)
{
	struct thread_record *self = libmach_thread_record();

	if (self->reply_port == MACH_PORT_NULL)
		self->reply_port = mach_reply_port();
	return self->reply_port;
}

void mig_put_reply_port(mach_port_t reply)
{
	(void)reply;
}

void mig_dealloc_reply_port(mach_port_t reply)
{
	/* Forget it first: destroying it is an RPC that needs one of its own. */
	libmach_thread_record()->reply_port = MACH_PORT_NULL;
	if (MACH_PORT_VALID(reply))
		mach_port_mod_refs(mach_task_self(), reply,
				   MACH_PORT_RIGHT_RECEIVE, -1);
}

void mig_init(void *first)
{
	(void)first;
	libmach_thread_record()->reply_port = MACH_PORT_NULL;
}

void mig_allocate(vm_offset_t *addr, vm_size_t size)
{
	if (vm_allocate(mach_task_self(), addr, size, TRUE) != KERN_SUCCESS)
		*addr = 0;
}

void mig_deallocate(vm_offset_t addr, vm_size_t size)
{
	vm_deallocate(mach_task_self(), addr, size);
}

vm_size_t mig_strncpy(char *dst, const char *src, vm_size_t len)
{
	vm_size_t n = 0;

	if (len == 0)
		return 0;
	while (n < len - 1 && src[n] != '\0') {
		dst[n] = src[n];
		n++;
	}
	dst[n] = '\0';
	return n;
}

void mig_reply_setup(const mach_msg_header_t *request, mach_msg_header_t *reply)
{
	mig_reply_header_t *out = (mig_reply_header_t *)reply;

	out->Head.msgh_bits =
		MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(request->msgh_bits), 0);
	out->Head.msgh_size = sizeof(*out);
	out->Head.msgh_remote_port = request->msgh_remote_port;
	out->Head.msgh_local_port = MACH_PORT_NULL;
	out->Head.msgh_seqno = 0;
	out->Head.msgh_id = request->msgh_id + 100;
	out->RetCodeType = (mach_msg_type_t){
		.msgt_name = MACH_MSG_TYPE_INTEGER_32,
		.msgt_size = 32,
		.msgt_number = 1,
		.msgt_inline = TRUE,
	};
	out->RetCode = MIG_BAD_ID;
}
