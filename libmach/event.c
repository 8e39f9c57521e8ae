#include <libmach/libmach.h>

kern_return_t mach_event_create(mach_event_t *event)
{
	kern_return_t kr;

	kr = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, event);
	if (kr != KERN_SUCCESS)
		return kr;
	kr = mach_port_insert_right(mach_task_self(), *event, *event,
				    MACH_MSG_TYPE_MAKE_SEND);
	if (kr != KERN_SUCCESS)
		mach_port_destroy(mach_task_self(), *event);
	return kr;
}

mach_msg_return_t mach_event_signal(mach_event_t event)
{
	mach_msg_header_t msg = {
		.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0),
		.msgh_size = sizeof(msg),
		.msgh_remote_port = event,
	};

	return mach_msg(&msg, MACH_SEND_MSG, sizeof(msg), 0, MACH_PORT_NULL,
			MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

mach_msg_return_t mach_event_wait(mach_event_t event)
{
	mach_msg_header_t msg;

	return mach_msg(&msg, MACH_RCV_MSG, 0, sizeof(msg), event,
			MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
}

kern_return_t mach_event_destroy(mach_event_t event)
{
	return mach_port_destroy(mach_task_self(), event);
}
