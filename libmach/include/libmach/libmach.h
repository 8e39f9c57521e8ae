/*
 * libmach: the run-time of machkernel's C clients.
 *
 * A client is a static x86-64 program with a main() and nothing below it but
 * the kernel. This header gives it the traps, the RPC stubs MIG generated from
 * the kernel's own .defs, threads, and a way to print.
 */
#ifndef LIBMACH_LIBMACH_H
#define LIBMACH_LIBMACH_H

#include <stddef.h>
#include <stdint.h>

#include <mach/boolean.h>
#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/pc_sample.h>
#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/mig_support.h>
#include <mach/port.h>
#include <mach/std_types.h>
#include <mach/vm_inherit.h>
#include <mach/vm_prot.h>

#include <mig/gnumach.h>
#include <mig/mach.h>
#include <mig/mach4.h>
#include <mig/mach_host.h>
#include <mig/mach_i386.h>
#include <mig/mach_port.h>

#include <libmach/error.h>
#include <libmach/event.h>
#include <libmach/print.h>
#include <libmach/string.h>
#include <libmach/task.h>
#include <libmach/thread.h>
#include <libmach/traps.h>

#endif
