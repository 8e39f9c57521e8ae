/* bigrights: arrays of rights out of line so large that the kernel runs out of memory for them. */
#include "suite.h"
#include "message.h"

enum { MILLION = 1 << 20 };

static void null_rights(long number, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	vm_size_t size = (vm_size_t)number * 4;
	vm_offset_t names = keep_memory(must_allocate(self, size), size);
	struct message msg = message_with(port, TYPE(.msgt_name = MACH_MSG_TYPE_COPY_SEND,
						     .msgt_size = 32,
						     .msgt_number = (unsigned)number), names);

	(void)unused;
	(void)more_unused;
	code("send", send_sized(&msg, HEADER + ITEM));
	tell_name("the destination", port);
	count("messages", drain(port));
}
EACH("mach_msg/rights-out-of-line-64-million", null_rights, 64 * MILLION, 0, 0)
