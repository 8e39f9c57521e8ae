/* kernelrpc: requests to the kernel that are wrong as messages. */
#include "suite.h"

#include "message.h"

/* Kinds of port that are not what a routine wants. */
#define WRONG_TASKS(X, ...)							\
	X("null", KIND_null, ## __VA_ARGS__)					\
	X("dead-port", KIND_dead_port, ## __VA_ARGS__)				\
	X("no-name", KIND_no_name, ## __VA_ARGS__)				\
	X("receive-right", KIND_receive, ## __VA_ARGS__)			\
	X("dead-name", KIND_dead_name, ## __VA_ARGS__)				\
	X("port-set", KIND_port_set, ## __VA_ARGS__)				\
	X("send-once", KIND_send_once, ## __VA_ARGS__)				\
	X("host", KIND_host, ## __VA_ARGS__)					\
	X("thread", KIND_thread, ## __VA_ARGS__)				\
	X("dead-task", KIND_dead_task, ## __VA_ARGS__)

enum routine {
	TASK_CREATE, TASK_TERMINATE, VM_ALLOCATE, VM_DEALLOCATE, VM_PROTECT, VM_INHERIT,
	VM_READ, VM_WRITE, VM_COPY, VM_REGION, VM_STATISTICS, THREAD_CREATE, PORT_NAMES,
	PORT_TYPE, PORT_ALLOCATE, PORT_DESTROY, PORT_DEALLOCATE, PORT_GET_REFS,
	PORT_MOD_REFS, PORT_INSERT_RIGHT,
};

static kern_return_t call(enum routine routine, mach_port_name_t task)
{
	vm_offset_t at = 0x10000, data;
	mach_port_name_t name;
	mach_port_name_array_t names;
	mach_port_type_array_t types;
	mach_msg_type_number_t n, m;
	mach_port_type_t type;
	mach_port_urefs_t refs;
	vm_statistics_data_t statistics;
	struct region r;

	switch (routine) {
	case TASK_CREATE: return task_create(task, FALSE, &name);
	case TASK_TERMINATE: return task_terminate(task);
	case VM_ALLOCATE: return vm_allocate(task, &at, PAGE, TRUE);
	case VM_DEALLOCATE: return vm_deallocate(task, at, PAGE);
	case VM_PROTECT: return vm_protect(task, at, PAGE, FALSE, VM_PROT_READ);
	case VM_INHERIT: return vm_inherit(task, at, PAGE, VM_INHERIT_NONE);
	case VM_READ: return vm_read(task, at, PAGE, &data, &n);
	case VM_WRITE: return vm_write(task, at, island(1), 4096);
	case VM_COPY: return vm_copy(task, at, PAGE, at);
	case VM_REGION: return find_region(task, at, &r);
	case VM_STATISTICS: return vm_statistics(task, &statistics);
	case THREAD_CREATE: return thread_create(task, &name);
	case PORT_NAMES: return mach_port_names(task, &names, &n, &types, &m);
	case PORT_TYPE: return mach_port_type(task, NO_NAME, &type);
	case PORT_ALLOCATE: return mach_port_allocate(task, MACH_PORT_RIGHT_RECEIVE, &name);
	case PORT_DESTROY: return mach_port_destroy(task, NO_NAME);
	case PORT_DEALLOCATE: return mach_port_deallocate(task, NO_NAME);
	case PORT_GET_REFS: return mach_port_get_refs(task, NO_NAME, 0, &refs);
	case PORT_MOD_REFS: return mach_port_mod_refs(task, NO_NAME, 0, 1);
	case PORT_INSERT_RIGHT:
		return mach_port_insert_right(task, NO_NAME, make_receive(),
					      MACH_MSG_TYPE_MAKE_SEND);
	}
	return KERN_FAILURE;
}

static void wrong_task(long kind, long routine, long unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);

	(void)unused;
	code("answer", call((enum routine)routine, name));
	tell_name("the name", name);
}
#define WRONG(name, kind, routine_name, routine) \
	EACH(routine_name "/task-is-" name, wrong_task, kind, routine, 0)
WRONG_TASKS(WRONG, "task_create", TASK_CREATE)
WRONG_TASKS(WRONG, "task_terminate", TASK_TERMINATE)
WRONG_TASKS(WRONG, "vm_allocate", VM_ALLOCATE)
WRONG_TASKS(WRONG, "vm_deallocate", VM_DEALLOCATE)
WRONG_TASKS(WRONG, "vm_protect", VM_PROTECT)
WRONG_TASKS(WRONG, "vm_inherit", VM_INHERIT)
WRONG_TASKS(WRONG, "vm_read", VM_READ)
WRONG_TASKS(WRONG, "vm_write", VM_WRITE)
WRONG_TASKS(WRONG, "vm_copy", VM_COPY)
WRONG_TASKS(WRONG, "vm_region", VM_REGION)
WRONG_TASKS(WRONG, "vm_statistics", VM_STATISTICS)
WRONG_TASKS(WRONG, "thread_create", THREAD_CREATE)
WRONG_TASKS(WRONG, "mach_port_names", PORT_NAMES)
WRONG_TASKS(WRONG, "mach_port_type", PORT_TYPE)
WRONG_TASKS(WRONG, "mach_port_allocate", PORT_ALLOCATE)
WRONG_TASKS(WRONG, "mach_port_destroy", PORT_DESTROY)
WRONG_TASKS(WRONG, "mach_port_deallocate", PORT_DEALLOCATE)
WRONG_TASKS(WRONG, "mach_port_get_refs", PORT_GET_REFS)
WRONG_TASKS(WRONG, "mach_port_mod_refs", PORT_MOD_REFS)
WRONG_TASKS(WRONG, "mach_port_insert_right", PORT_INSERT_RIGHT)

CASE("thread_terminate/not-a-thread")
{
	code("a task", thread_terminate(make_task(FALSE)));
	code("a host", thread_terminate(host));
	code("null", thread_terminate(MACH_PORT_NULL));
}

CASE("thread_resume/not-a-thread")
{
	code("a task", thread_resume(make_task(FALSE)));
	code("a host", thread_resume(host));
}

CASE("host_reboot/not-the-privileged-host")
{
	code("a task", host_reboot(self, 0));
	code("the host", host_reboot(host, 0));
}

/* A request as no stub would make it; the whole answer. */
static void request(struct message *msg, mach_msg_size_t size, mach_msg_id_t id)
{
	union {
		struct message request;
		mig_reply_header_t reply;
		unsigned char room[512];
	} buffer;
	mach_msg_return_t mr;

	memset(&buffer, 0, sizeof(buffer));
	buffer.request = *msg;
	buffer.request.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
						       MACH_MSG_TYPE_MAKE_SEND_ONCE) |
					(msg->head.msgh_bits & MACH_MSGH_BITS_COMPLEX);
	buffer.request.head.msgh_local_port = mig_get_reply_port();
	buffer.request.head.msgh_id = id;
	mr = mach_msg(&buffer.request.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
		      size, sizeof(buffer), mig_get_reply_port(), 1000, MACH_PORT_NULL);
	code("mach_msg", mr);
	if (mr != MACH_MSG_SUCCESS)
		return;
	mach_printf("id + %d, %u bytes, bits 0x%x\n", buffer.reply.Head.msgh_id - id,
		    buffer.reply.Head.msgh_size, buffer.reply.Head.msgh_bits);
	code("return code", buffer.reply.RetCode);
}

static void unknown_id(long id, long unused, long more_unused)
{
	struct message msg = message_to(self);

	(void)unused;
	(void)more_unused;
	request(&msg, HEADER, (mach_msg_id_t)id);
}
EACH("kernel/id-0", unknown_id, 0, 0, 0)
EACH("kernel/id-1", unknown_id, 1, 0, 0)
EACH("kernel/id-minus-1", unknown_id, -1, 0, 0)
EACH("kernel/id-2022", unknown_id, 2022, 0, 0)
EACH("kernel/id-9999", unknown_id, 9999, 0, 0)
EACH("kernel/id-vm-read-reply", unknown_id, 2126, 0, 0)
EACH("kernel/id-xnu-vm-read-overwrite", unknown_id, 3809, 0, 0)
EACH("kernel/id-xnu-mach-vm-read", unknown_id, 4804, 0, 0)
EACH("kernel/id-largest", unknown_id, 0x7fffffff, 0, 0)

CASE("kernel/unknown-id-destroys-what-it-carries")
{
	mach_port_name_t port = make_port();
	struct message msg = message_with(self, TYPE_PORT(MACH_MSG_TYPE_MOVE_SEND), port);

	request(&msg, HEADER + ITEM, 9999);
	tell_name("carried", port);
}

CASE("kernel/no-reply-port")
{
	struct message msg = message_to(self);

	msg.head.msgh_id = 9999;
	code("send", send_sized(&msg, HEADER));
}

/* Every routine, with nothing after the header. */
static void no_arguments(long id, long object, long unused)
{
	struct message msg = message_to(object ? keep_name(mach_thread_self()) : self);

	(void)unused;
	request(&msg, HEADER, (mach_msg_id_t)id);
}
#define BARE(routine, id) EACH(routine "/no-arguments", no_arguments, id, 0, 0)
BARE("task_create", 2007)
BARE("vm_allocate", 2021)
BARE("vm_deallocate", 2023)
BARE("vm_protect", 2024)
BARE("vm_inherit", 2025)
BARE("vm_read", 2026)
BARE("vm_write", 2027)
BARE("vm_copy", 2028)
BARE("vm_region", 2029)
BARE("mach_port_type", 3201)
BARE("mach_port_allocate", 3204)
BARE("mach_port_destroy", 3205)
BARE("mach_port_deallocate", 3206)
BARE("mach_port_get_refs", 3207)
BARE("mach_port_mod_refs", 3208)
BARE("mach_port_insert_right", 3215)
EACH("thread_set_state/no-arguments", no_arguments, 2018, 1, 0)

CASE("host_reboot/no-arguments")
{
	struct message msg = message_to(host_priv_port);

	request(&msg, HEADER, 2635);
}

/* Routines without arguments, given one; of an object of that kind. */
static void an_argument(long id, long kind, long unused)
{
	struct message msg = message_to(make_kind((enum name_kind)kind));

	(void)unused;
	msg.item[0].type = TYPE_INTEGER;
	request(&msg, HEADER + ITEM, (mach_msg_id_t)id);
}
EACH("vm_statistics/an-argument", an_argument, 2030, KIND_task, 0)
EACH("vm_statistics/an-argument-of-a-thread", an_argument, 2030, KIND_thread, 0)
EACH("mach_port_names/an-argument", an_argument, 3200, KIND_task, 0)
EACH("task_terminate/an-argument", an_argument, 2008, KIND_task, 0)
EACH("thread_create/an-argument", an_argument, 2061, KIND_task, 0)
EACH("thread_create/an-argument-of-a-thread", an_argument, 2061, KIND_thread, 0)
EACH("thread_terminate/an-argument", an_argument, 2016, KIND_thread, 0)
EACH("thread_resume/an-argument", an_argument, 2063, KIND_thread, 0)

/* One argument, a port name, described in every wrong way. */
static void described(mach_msg_type_t type, mach_msg_size_t size, boolean_t complex)
{
	struct message msg = message_to(self);

	if (complex)
		msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.item[0].type = type;
	msg.item[0].word = NO_NAME;
	request(&msg, size, 3206);
}
#define DESCRIBED(name, size, complex, ...) \
	CASE("mach_port_deallocate/argument-" name) { described(TYPE(__VA_ARGS__), size, complex); }
DESCRIBED("right", 48, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1)
DESCRIBED("complex", 48, TRUE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1)
DESCRIBED("integer", 48, FALSE, .msgt_name = 2, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1)
DESCRIBED("64-bits", 48, FALSE, .msgt_name = 15, .msgt_size = 64, .msgt_number = 1, .msgt_inline = 1)
DESCRIBED("two", 48, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 2, .msgt_inline = 1)
DESCRIBED("none", 40, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 0, .msgt_inline = 1)
DESCRIBED("out-of-line", 48, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1)
DESCRIBED("long-form", 48, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_longform = 1)
DESCRIBED("deallocate", 48, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_deallocate = 1)
DESCRIBED("unused-bit", 48, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1,
	  .msgt_inline = 1, .msgt_unused = 1)
DESCRIBED("then-more", 64, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1)
DESCRIBED("then-less", 40, FALSE, .msgt_name = 15, .msgt_size = 32, .msgt_number = 1, .msgt_inline = 1)

/* vm_write's data in the message instead of beside it. */
CASE("vm_write/inline-data")
{
	struct message msg = message_to(self);

	msg.head.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
	msg.item[0].type = TYPE(.msgt_name = 11, .msgt_size = 64, .msgt_number = 1,
				.msgt_inline = 1);
	msg.item[0].word = island(1);
	msg.item[1].type = TYPE(.msgt_name = 9, .msgt_size = 8, .msgt_number = 8,
				.msgt_inline = 1);
	request(&msg, HEADER + 2 * ITEM, 2027);
}

CASE("vm_read/arguments-as-32-bits")
{
	struct message msg = message_to(self);

	msg.item[0].type = TYPE_INTEGER;
	msg.item[1].type = TYPE_INTEGER;
	request(&msg, HEADER + 2 * ITEM, 2026);
}

CASE("vm_read/second-argument-bad")
{
	struct message msg = message_to(self);

	msg.item[0].type = TYPE(.msgt_name = 11, .msgt_size = 64, .msgt_number = 1,
				.msgt_inline = 1);
	msg.item[1].type = TYPE_INTEGER;
	request(&msg, HEADER + 2 * ITEM, 2026);
}

CASE("vm_read/bad-arguments-for-a-host")
{
	struct message msg = message_to(host);

	request(&msg, HEADER, 2026);
}
