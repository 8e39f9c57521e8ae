#include <libmach/libmach.h>

#define LIBMACH_OPTIONS (MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT)

/*
 * The trap, made again for as long as it is interrupted, unless the caller
 * asked to hear about that. After an interrupted receive the send part is
 * done and must not be repeated.
 */
mach_msg_return_t mach_msg(mach_msg_header_t *msg, mach_msg_option_t option,
			   mach_msg_size_t send_size, mach_msg_size_t rcv_size,
			   mach_port_name_t rcv_name, mach_msg_timeout_t timeout,
			   mach_port_name_t notify)
{
	mach_msg_option_t kernel_option = option & ~LIBMACH_OPTIONS;
	mach_msg_return_t mr;

	mr = mach_msg_trap(msg, kernel_option, send_size, rcv_size, rcv_name,
			   timeout, notify);
	if (mr == MACH_MSG_SUCCESS)
		return mr;

	if ((option & MACH_SEND_INTERRUPT) == 0)
		while (mr == MACH_SEND_INTERRUPTED)
			mr = mach_msg_trap(msg, kernel_option, send_size,
					   rcv_size, rcv_name, timeout, notify);

	if ((option & MACH_RCV_INTERRUPT) == 0)
		while (mr == MACH_RCV_INTERRUPTED)
			mr = mach_msg_trap(msg, kernel_option & ~MACH_SEND_MSG,
					   0, rcv_size, rcv_name, timeout, notify);
	return mr;
}
