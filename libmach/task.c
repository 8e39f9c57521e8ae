#include <libmach/libmach.h>

mach_port_name_t host_priv_port = MACH_PORT_NULL;
mach_port_name_t device_master_port = MACH_PORT_NULL;

static mach_port_name_t task_self_port = MACH_PORT_NULL;

mach_port_name_t mach_task_self(void)
{
	if (task_self_port == MACH_PORT_NULL)
		task_self_port = mach_task_self_trap();
	return task_self_port;
}

_Noreturn void mach_exit(void)
{
	if (host_priv_port != MACH_PORT_NULL)
		host_reboot(host_priv_port, 0);
	for (;;)
		task_terminate(mach_task_self());
}

/* A port name as the kernel writes it into an argument: decimal, not zero. */
static mach_port_name_t port_argument(const char *word)
{
	mach_port_name_t name = 0;

	for (; *word >= '0' && *word <= '9'; word++)
		name = name * 10 + (mach_port_name_t)(*word - '0');
	return *word == '\0' ? name : MACH_PORT_NULL;
}

_Noreturn void libmach_start(uintptr_t *stack);

_Noreturn void libmach_start(uintptr_t *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);

	if (argc >= 3) {
		mach_port_name_t host = port_argument(argv[1]);
		mach_port_name_t device = port_argument(argv[2]);

		if (host != MACH_PORT_NULL && device != MACH_PORT_NULL) {
			host_priv_port = host;
			device_master_port = device;
			argv[2] = argv[0];
			argv += 2;
			argc -= 2;
		}
	}
	main(argc, argv);
	mach_exit();
}
