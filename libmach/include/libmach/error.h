/* Return codes as the names a C programmer writes. */
#ifndef LIBMACH_ERROR_H
#define LIBMACH_ERROR_H

#include <mach/kern_return.h>

struct mach_error_text {
	char text[112];
};

/*
 * The name of a kern_return_t, a mach_msg_return_t (with its special bits) or
 * a MIG code; a number in hexadecimal for any other value. The text lives in
 * the returned value, so any number of threads may ask.
 */
struct mach_error_text mach_error_text(kern_return_t code);

/* A string that is valid to the end of the full expression it stands in. */
#define mach_error_string(code) (mach_error_text(code).text)

#endif
