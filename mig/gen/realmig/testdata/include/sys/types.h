/* Stands in for the C library: slab_info.h wants size_t of it. */
#include <stddef.h>
