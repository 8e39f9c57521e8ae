/*
 * One thread waits until another has come to a point: a port with empty
 * messages in it. Signals are counted up to the port's queue limit.
 */
#ifndef LIBMACH_EVENT_H
#define LIBMACH_EVENT_H

#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/port.h>

typedef mach_port_name_t mach_event_t;

kern_return_t mach_event_create(mach_event_t *event);
mach_msg_return_t mach_event_signal(mach_event_t event);
mach_msg_return_t mach_event_wait(mach_event_t event);
kern_return_t mach_event_destroy(mach_event_t event);

#endif
