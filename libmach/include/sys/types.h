/*
 * The kernel's headers ask for it (<mach_debug/slab_info.h>) and use only what
 * the compiler declares itself.
 */
#ifndef LIBMACH_SYS_TYPES_H
#define LIBMACH_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

#endif
