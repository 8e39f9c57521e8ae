/*
 * Routines that came to GNU Mach after the packaged kernel, which answers
 * MIG_BAD_ID: requests made by hand, for its headers have no stubs for them.
 * What newer kernels answer, by their sources, is in source-only.tsv.
 */
#include "suite.h"
#include "message.h"

enum {
	SET_KTYPE = 3223,
	SET_SIZE_LIMIT = 4215,
	GET_SIZE_LIMIT = 4216,
	KTYPE_NONE = 0,
	KTYPE_USER_DEVICE = 28,
};

#define MIB ((vm_size_t)1 << 20)

struct call {
	mach_msg_header_t head;
	struct item item[4];
};

static struct item an_item(unsigned type, unsigned bits, uint64_t word)
{
	struct item item = {
		.type = TYPE(.msgt_name = type, .msgt_size = bits, .msgt_number = 1,
			     .msgt_inline = TRUE),
	};

	item.word = word;
	return item;
}

static struct item a_port(mach_port_name_t name)
{
	return an_item(MACH_MSG_TYPE_COPY_SEND, 64, name);
}

static struct item a_size(vm_size_t size)
{
	return an_item(MACH_MSG_TYPE_INTEGER_64, 64, size);
}

/* The routine's answer; with one of success, its results in results. */
static kern_return_t ask(struct call *call, size_t items, mach_port_name_t to,
			 mach_msg_id_t id, uint64_t results[2])
{
	union {
		struct call request;
		mig_reply_header_t reply;
		struct {
			mig_reply_header_t head;
			struct item item[2];
		} with;
		unsigned char room[256];
	} buffer;
	mach_msg_return_t mr;
	size_t i;

	memset(&buffer, 0, sizeof(buffer));
	buffer.request = *call;
	buffer.request.head.msgh_bits |= MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND,
							MACH_MSG_TYPE_MAKE_SEND_ONCE);
	buffer.request.head.msgh_remote_port = to;
	buffer.request.head.msgh_local_port = mig_get_reply_port();
	buffer.request.head.msgh_id = id;
	mr = mach_msg(&buffer.request.head, MACH_SEND_MSG | MACH_RCV_MSG | MACH_RCV_TIMEOUT,
		      HEADER + items * ITEM, sizeof(buffer), mig_get_reply_port(), 1000,
		      MACH_PORT_NULL);
	if (mr != MACH_MSG_SUCCESS)
		return mr;
	for (i = 0; results != NULL && buffer.reply.RetCode == KERN_SUCCESS && i < 2; i++)
		results[i] = buffer.with.item[i].word;
	return buffer.reply.RetCode;
}

static kern_return_t set_limit(mach_port_name_t by, mach_port_name_t task,
			       vm_size_t current, vm_size_t maximum)
{
	struct call call = { .item = { a_port(task), a_size(current), a_size(maximum) } };

	call.head.msgh_bits = MACH_MSGH_BITS_COMPLEX;
	return ask(&call, 3, by, SET_SIZE_LIMIT, NULL);
}

static void tell_limit(const char *what, mach_port_name_t task)
{
	struct call call = { .item = { { .word = 0 } } };
	uint64_t limits[2] = { 0, 0 };
	kern_return_t kr = ask(&call, 0, task, GET_SIZE_LIMIT, limits);

	if (kr != KERN_SUCCESS)
		code(what, kr);
	else
		mach_printf("%s: %u MiB of %u\n", what, (unsigned)(limits[0] / MIB),
			    (unsigned)(limits[1] / MIB));
}

CASE("vm_get_size_limit/equal-at-first")
{
	struct call call = { .item = { { .word = 0 } } };
	uint64_t limits[2] = { 1, 2 };

	code("vm_get_size_limit", ask(&call, 0, self, GET_SIZE_LIMIT, limits));
	fact("current is the maximum", limits[0] == limits[1]);
}

CASE("vm_get_size_limit/not-a-task")
{
	tell_limit("a host", host);
	tell_limit("a thread", make_kind(KIND_thread));
}

/* Requests with other arguments than the routine has. */
static void malformed(long id, long items, long kind)
{
	struct call call = { .item = { an_item(MACH_MSG_TYPE_INTEGER_32, 32, 0) } };

	code("answer", ask(&call, (size_t)items, make_kind((enum name_kind)kind),
			   (mach_msg_id_t)id, NULL));
}
EACH("vm_get_size_limit/an-argument", malformed, GET_SIZE_LIMIT, 1, KIND_task)
EACH("vm_get_size_limit/an-argument-of-a-host", malformed, GET_SIZE_LIMIT, 1, KIND_host)
EACH("vm_set_size_limit/no-arguments", malformed, SET_SIZE_LIMIT, 0, KIND_host)
EACH("mach_port_set_ktype/no-arguments", malformed, SET_KTYPE, 0, KIND_host)

CASE("vm_set_size_limit/lowered-by-anybody")
{
	mach_port_name_t task = make_task(FALSE);

	code("both", set_limit(host, task, 4 * MIB, 8 * MIB));
	tell_limit("now", task);
	code("current only", set_limit(host, task, 2 * MIB, 8 * MIB));
	code("current back", set_limit(host, task, 8 * MIB, 8 * MIB));
	tell_limit("now", task);
}

CASE("vm_set_size_limit/raised-by-the-privileged")
{
	mach_port_name_t task = make_task(FALSE);

	code("lowered", set_limit(host, task, 4 * MIB, 8 * MIB));
	code("raised by anybody", set_limit(host, task, 4 * MIB, 9 * MIB));
	tell_limit("now", task);
	code("raised by the privileged", set_limit(host_priv_port, task, 16 * MIB, 16 * MIB));
	tell_limit("now", task);
}

CASE("vm_set_size_limit/current-above-the-maximum")
{
	mach_port_name_t task = make_task(FALSE);

	code("for a task", set_limit(host_priv_port, task, 9 * MIB, 8 * MIB));
	code("for no task", set_limit(host_priv_port, host, 9 * MIB, 8 * MIB));
}

CASE("vm_set_size_limit/wrong-ports")
{
	mach_port_name_t task = make_task(FALSE);

	code("map is a host", set_limit(host_priv_port, host, MIB, MIB));
	code("map is null", set_limit(host_priv_port, MACH_PORT_NULL, MIB, MIB));
	code("host is a task", set_limit(self, task, MIB, MIB));
	code("neither", set_limit(self, host, MIB, MIB));
}

CASE("vm_set_size_limit/allocation-beyond-it")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = 0, more = 0;

	code("four pages", set_limit(host, task, 4 * PAGE, 4 * PAGE));
	code("five", vm_allocate(task, &at, 5 * PAGE, TRUE));
	code("four", vm_allocate(task, &at, 4 * PAGE, TRUE));
	code("one more", vm_allocate(task, &more, PAGE, TRUE));
	must("vm_protect", vm_protect(task, at, PAGE, TRUE, VM_PROT_NONE));
	code("one for what cannot be reached", vm_allocate(task, &more, PAGE, TRUE));
	must("vm_deallocate", vm_deallocate(task, at + 2 * PAGE, PAGE));
	code("one for what went", vm_allocate(task, &more, PAGE, TRUE));
	code("one more again", vm_allocate(task, &more, PAGE, TRUE));
}

CASE("vm_set_size_limit/below-what-there-is")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t at = must_allocate(task, 4 * PAGE), more = 0;

	code("one page", set_limit(host, task, PAGE, PAGE));
	tell_memory_in(task, "memory", at, 4);
	code("one more", vm_allocate(task, &more, PAGE, TRUE));
}

static void inherited(long inherit, long unused, long more_unused)
{
	mach_port_name_t parent = make_task(FALSE), child = MACH_PORT_NULL;

	(void)unused;
	(void)more_unused;
	code("the parent's", set_limit(host, parent, 4 * MIB, 8 * MIB));
	must("task_create", task_create(parent, (boolean_t)inherit, &child));
	fixtures.tasks[fixtures.task_count++] = keep_name(child);
	tell_limit("the child's", child);
}
EACH("vm_set_size_limit/child-with-memory", inherited, 1, 0, 0)
EACH("vm_set_size_limit/child-without", inherited, 0, 0, 0)

static kern_return_t set_ktype(mach_port_name_t by, mach_port_name_t task,
			       mach_port_name_t name, mach_port_right_t right, unsigned ktype)
{
	struct call call = {
		.item = {
			a_port(task), an_item(MACH_MSG_TYPE_PORT_NAME, 32, name),
			an_item(MACH_MSG_TYPE_INTEGER_32, 32, right),
			an_item(MACH_MSG_TYPE_INTEGER_32, 32, ktype),
		},
	};

	call.head.msgh_bits = MACH_MSGH_BITS_COMPLEX;
	return ask(&call, 4, by, SET_KTYPE, NULL);
}

CASE("mach_port_set_ktype/there-and-back")
{
	mach_port_name_t port = make_port();

	code("user device", set_ktype(host_priv_port, self, port, MACH_PORT_RIGHT_RECEIVE,
				      KTYPE_USER_DEVICE));
	code("again", set_ktype(host_priv_port, self, port, MACH_PORT_RIGHT_SEND,
				KTYPE_USER_DEVICE));
	code("none", set_ktype(host_priv_port, self, port, MACH_PORT_RIGHT_RECEIVE,
			       KTYPE_NONE));
	tell_name("the port", port);
}

CASE("mach_port_set_ktype/refused")
{
	mach_port_name_t port = make_receive();

	code("not privileged", set_ktype(host, self, port, MACH_PORT_RIGHT_RECEIVE,
					 KTYPE_USER_DEVICE));
	code("not a task", set_ktype(host_priv_port, host, port, MACH_PORT_RIGHT_RECEIVE,
				     KTYPE_USER_DEVICE));
	code("another type", set_ktype(host_priv_port, self, port, MACH_PORT_RIGHT_RECEIVE,
				       1));
	code("no such name", set_ktype(host_priv_port, self, NO_NAME,
				       MACH_PORT_RIGHT_RECEIVE, KTYPE_USER_DEVICE));
	code("another right", set_ktype(host_priv_port, self, port, MACH_PORT_RIGHT_SEND,
					KTYPE_USER_DEVICE));
	code("a port of the kernel", set_ktype(host_priv_port, self, host,
					       MACH_PORT_RIGHT_SEND, KTYPE_USER_DEVICE));
}

/* Two faults at once: which is told. */
CASE("mach_port_set_ktype/order-of-checks")
{
	mach_port_name_t port = make_receive();

	code("not privileged, not a task", set_ktype(host, host, port, MACH_PORT_RIGHT_RECEIVE,
						     KTYPE_USER_DEVICE));
	code("not a task, another type", set_ktype(host_priv_port, host, port,
						   MACH_PORT_RIGHT_RECEIVE, 1));
}
