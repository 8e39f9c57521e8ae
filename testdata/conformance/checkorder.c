/* checkorder: requests that are wrong twice, and corners where one check stands for another. */
#include "suite.h"

#include "message.h"

/* Destination and reply of one name that is no ordinary port. */
static void one_name(long kind, long remote, long local)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	struct message msg = message_to(name);

	msg.head.msgh_bits = MACH_MSGH_BITS((mach_msg_bits_t)remote, (mach_msg_bits_t)local);
	msg.head.msgh_local_port = name;
	code("send", send_sized(&msg, HEADER));
	tell_name("left", name);
	if (kind == KIND_receive)
		count("messages", drain(name));
}
#define SENDERS(X, ...)								\
	X("move-send", 17, ## __VA_ARGS__)					\
	X("move-send-once", 18, ## __VA_ARGS__)					\
	X("copy-send", 19, ## __VA_ARGS__)					\
	X("make-send", 20, ## __VA_ARGS__)					\
	X("make-send-once", 21, ## __VA_ARGS__)
#define LOCAL(local_name, local, kind_name, kind, remote_name, remote)		\
	EACH("mach_msg/one-" kind_name "-" remote_name "-and-" local_name, one_name,	\
	     kind, remote, local)
#define LOCALS(kind_name, kind, remote_name, remote)				\
	SENDERS(LOCAL, kind_name, kind, remote_name, remote)
#define REMOTES(kind_name, kind)						\
	LOCALS(kind_name, kind, "move-send", 17)				\
	LOCALS(kind_name, kind, "move-send-once", 18)				\
	LOCALS(kind_name, kind, "copy-send", 19)				\
	LOCALS(kind_name, kind, "make-send", 20)				\
	LOCALS(kind_name, kind, "make-send-once", 21)
REMOTES("receive", KIND_receive)
REMOTES("send", KIND_send)
REMOTES("send-once", KIND_send_once)
REMOTES("dead-name", KIND_dead_name)

/* No bytes to write, and no task to write them to. */
static void nothing_to(long kind, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	code("vm_write", vm_write(make_kind((enum name_kind)kind), 0x10000, 0, 0));
}
EACH("vm_write/no-bytes-to-a-host", nothing_to, KIND_host, 0, 0)
EACH("vm_write/no-bytes-to-a-thread", nothing_to, KIND_thread, 0, 0)
EACH("vm_write/no-bytes-to-a-dead-task", nothing_to, KIND_dead_task, 0, 0)
EACH("vm_write/no-bytes-to-a-task", nothing_to, KIND_task, 0, 0)

/* Neither a task nor a right. */
static void insert_nothing(long kind, long type, long unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	code("mach_port_insert_right",
	     mach_port_insert_right(make_kind((enum name_kind)kind), FREE_NAME, port,
				    (mach_msg_type_name_t)type));
	tell_name("left", port);
}
EACH("mach_port_insert_right/integer-into-a-host", insert_nothing, KIND_host, 2, 0)
EACH("mach_port_insert_right/integer-into-a-thread", insert_nothing, KIND_thread, 2, 0)
EACH("mach_port_insert_right/type-22-into-a-host", insert_nothing, KIND_host, 22, 0)
EACH("mach_port_insert_right/right-into-a-host", insert_nothing, KIND_host, 17, 0)

/* Protections and inheritances that are wrong, for what is no task or no range. */
CASE("vm_protect/wrong-protection-wraps")
{
	code("vm_protect", vm_protect(self, LAST_PAGE, 2 * PAGE, FALSE, 0x80));
	code("of a host", vm_protect(host, LAST_PAGE, PAGE, FALSE, 0x80));
	code("no bytes", vm_protect(self, 0x10000, 0, FALSE, 0x80));
}
CASE("vm_inherit/wrong-inheritance-wraps")
{
	code("vm_inherit", vm_inherit(self, LAST_PAGE, 2 * PAGE, 7));
	code("of a host", vm_inherit(host, LAST_PAGE, PAGE, 7));
	code("no bytes", vm_inherit(self, 0x10000, 0, 7));
}

static long trap(long number, vm_offset_t argument)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(argument), "S"(0), "d"(0)
			 : "rcx", "r8", "r9", "r10", "r11", "memory");
	return result;
}

/* Numbers in the table that have no call behind them. */
static void no_trap(long number, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	code("trap", (kern_return_t)trap(number, 0));
}
EACH("trap_number/minus-24", no_trap, -24, 0, 0)
EACH("trap_number/minus-54", no_trap, -54, 0, 0)

/* A text that cannot be read to its end. */
static void print_at(long relative, long at, long unused)
{
	vm_offset_t base = terrain();

	(void)unused;
	memset((void *)base, 0, 2 * PAGE);
	code("trap", (kern_return_t)trap(-30, place_at(base, relative, at)));
}
EACH("trap_mach_print/empty", print_at, 1, 0, 0)
EACH("trap_mach_print/no-access", print_at, 1, 0x3000, 0)
EACH("trap_mach_print/map-end", print_at, 0, 0x800000000000, 0)

/* Many rights out of line, all of them null: see bigrights.c. */
static void null_rights(long number, long unused, long more_unused)
{
	mach_port_name_t port = make_port();
	struct {
		mach_msg_header_t head;
		mach_msg_type_long_t type;
		vm_offset_t names;
	} msg = { .head = message_to(port).head };

	(void)unused;
	(void)more_unused;
	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.type.msgtl_header.msgt_longform = TRUE;
	msg.type.msgtl_name = MACH_MSG_TYPE_COPY_SEND;
	msg.type.msgtl_size = 32;
	msg.type.msgtl_number = (unsigned)number;
	msg.names = keep_memory(must_allocate(self, (vm_size_t)number * 4), (vm_size_t)number * 4);
	code("send", mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, sizeof(msg), 0,
			      MACH_PORT_NULL, 0, MACH_PORT_NULL));
}
EACH("mach_msg/rights-out-of-line-8388609", null_rights, 0x800001, 0, 0)

CASE("processor_info/of-no-processor-with-no-flavor")
{
	processor_info_data_t info;
	mach_msg_type_number_t n = PROCESSOR_INFO_MAX;
	mach_port_name_t by = MACH_PORT_NULL;

	code("answer", processor_info(self, 99, &by, info, &n));
}
