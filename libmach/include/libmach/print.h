/* Printing on the kernel's console. */
#ifndef LIBMACH_PRINT_H
#define LIBMACH_PRINT_H

/*
 * Understands %d %i %u %x %c %s %p %%, the modifiers l, ll and z, a width, and
 * the flags 0 and -. What one call prints reaches the console in one piece if
 * it is shorter than 256 characters, so lines of threads do not mix.
 */
__attribute__((format(printf, 1, 2)))
void mach_printf(const char *format, ...);

#endif
