/*
 * quit: a program whose only thread ends itself. Nobody halts the host: on the
 * real kernel the machine stays up with nothing left to run.
 */
#include <libmach/libmach.h>

#include "report.h"

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mach_printf("quit: the last thread goes\n");
	code("thread_terminate", thread_terminate(mach_thread_self()));
	return 1;
}
