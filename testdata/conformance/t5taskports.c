/* t5taskports: what a task holds for its children, and what goes when it ends. */
#include "suite.h"

#include <mach/notify.h>
#include <mach/task_info.h>
#include <mach/task_special_ports.h>

#include "child.h"
#include "t5wrong.h"

static void tell_notified(const char *what, mach_port_name_t notify)
{
	struct message msg;

	mach_printf("%s:", what);
	while (receive(notify, &msg) == MACH_MSG_SUCCESS)
		mach_printf(" %d", msg.head.msgh_id);
	mach_printf("\n");
}

/* ---- Special ports. */

static const char *what_name(mach_port_name_t name, mach_port_name_t known)
{
	return name == known ? "ours" : port_word(name);
}

static void special(long which, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE), port = make_port(), got = 99;

	(void)unused;
	(void)more_unused;
	code("get", task_get_special_port(task, (int)which, &got));
	mach_printf("at first: %s\n",
		    got == 99 ? "as it was" : got == task ? "the task" : port_word(got));
	code("set", task_set_special_port(task, (int)which, port));
	got = 99;
	code("get", task_get_special_port(task, (int)which, &got));
	mach_printf("then: %s\n", got == 99 ? "as it was" : what_name(got, port));
	tell_name("ours", port);
	code("set to null", task_set_special_port(task, (int)which, MACH_PORT_NULL));
	got = 99;
	code("get", task_get_special_port(task, (int)which, &got));
	mach_printf("then: %s\n", got == 99 ? "as it was" : what_name(got, port));
	code("set to the dead port", task_set_special_port(task, (int)which, MACH_PORT_DEAD));
	got = 99;
	code("get", task_get_special_port(task, (int)which, &got));
	mach_printf("then: %s\n", got == 99 ? "as it was" : what_name(got, port));
	tell_name("the task", task);
}
EACH("task_set_special_port/kernel", special, TASK_KERNEL_PORT, 0, 0)
EACH("task_set_special_port/exception", special, TASK_EXCEPTION_PORT, 0, 0)
EACH("task_set_special_port/bootstrap", special, TASK_BOOTSTRAP_PORT, 0, 0)
EACH("task_set_special_port/which-0", special, 0, 0, 0)
EACH("task_set_special_port/which-2", special, 2, 0, 0)
EACH("task_set_special_port/which-5", special, 5, 0, 0)
EACH("task_set_special_port/which-minus-1", special, -1, 0, 0)

static void special_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE), port = make_kind((enum name_kind)kind);
	mach_port_name_t got = 99;

	(void)unused;
	(void)more_unused;
	code("set", task_set_special_port(task, TASK_BOOTSTRAP_PORT, port));
	must("get", task_get_special_port(task, TASK_BOOTSTRAP_PORT, &got));
	mach_printf("then: %s\n", got == port ? "the port" : port_word(got));
	tell_name("ours", port);
}
#define SPECIAL_KIND(name, kind) \
	EACH("task_set_special_port/to-" name, special_kind, kind, 0, 0)
KINDS(SPECIAL_KIND)
SPECIAL_KIND("host", KIND_host)

static void trap_special_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE), port = make_kind((enum name_kind)kind);
	mach_port_name_t got = 99;

	(void)unused;
	(void)more_unused;
	code("trap", syscall_task_set_special_port(task, TASK_BOOTSTRAP_PORT, port));
	must("get", task_get_special_port(task, TASK_BOOTSTRAP_PORT, &got));
	mach_printf("then: %s\n", got == port ? "the port" : port_word(got));
	tell_name("ours", port);
}
#define TRAP_SPECIAL_KIND(name, kind) \
	EACH("trap_task_set_special_port/to-" name, trap_special_kind, kind, 0, 0)
KINDS(TRAP_SPECIAL_KIND)

CASE("task_set_special_port/old-one-goes")
{
	mach_port_name_t task = make_task(FALSE), port = make_receive(), notify = make_receive();
	mach_port_name_t send = make_port();

	must("a send right", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	must("set", task_set_special_port(task, TASK_EXCEPTION_PORT, port));
	watch_senders(port, notify);
	must("ours goes", mach_port_deallocate(self, port));
	tell_notified("ours gone", notify);
	code("set", task_set_special_port(task, TASK_EXCEPTION_PORT, send));
	tell_notified("another set", notify);
}

CASE("task_set_special_port/goes-with-the-task")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), ports[3];
	int i;

	for (i = 0; i < 3; i++) {
		ports[i] = make_port();
		must("set", task_set_special_port(task, i == 0 ? TASK_KERNEL_PORT :
						  i + TASK_KERNEL_PORT + 1, ports[i]));
		watch_senders(ports[i], notify);
		must("ours goes", mach_port_deallocate(self, ports[i]));
	}
	tell_notified("before", notify);
	must("task_terminate", task_terminate(task));
	tell_notified("after", notify);
}

CASE("task_set_special_port/that-dies")
{
	mach_port_name_t task = make_task(FALSE), port = make_port(), got = 99;

	must("set", task_set_special_port(task, TASK_BOOTSTRAP_PORT, port));
	must("dies", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	code("get", task_get_special_port(task, TASK_BOOTSTRAP_PORT, &got));
	mach_printf("then: %s\n", what_name(got, port));
	tell_name("ours", port);
}

CASE("task_set_special_port/kernel-port-of-oneself")
{
	mach_port_name_t port = make_port(), got;

	code("set", task_set_special_port(self, TASK_KERNEL_PORT, port));
	got = mach_task_self_trap();
	fact("mach_task_self is the port", got == port);
	tell_name("the port", port);
	code("set to null", task_set_special_port(self, TASK_KERNEL_PORT, MACH_PORT_NULL));
	mach_printf("mach_task_self is %s\n", port_word(mach_task_self_trap()));
	code("set to the dead port", task_set_special_port(self, TASK_KERNEL_PORT, MACH_PORT_DEAD));
	mach_printf("mach_task_self is %s\n", port_word(mach_task_self_trap()));
	code("set back", task_set_special_port(self, TASK_KERNEL_PORT, self));
	got = mach_task_self_trap();
	fact("mach_task_self is the task", got == self);
	mach_port_deallocate(self, got);
}

CASE("task_set_special_port/kernel-port-that-died")
{
	mach_port_name_t port = make_port();

	must("set", task_set_special_port(self, TASK_KERNEL_PORT, port));
	must("dies", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	mach_printf("mach_task_self is %s\n", port_word(mach_task_self_trap()));
	must("set back", task_set_special_port(self, TASK_KERNEL_PORT, self));
}

/* ---- Registered ports. */

static mach_port_name_t nothing = MACH_PORT_NULL;

static void tell_registered(const char *what, mach_port_name_t task,
			    const mach_port_name_t *known, size_t n)
{
	mach_port_array_t ports = NULL;
	mach_msg_type_number_t got = 99;
	size_t i, j;

	code("mach_ports_lookup", mach_ports_lookup(task, &ports, &got));
	mach_printf("%s, %u:", what, got);
	for (i = 0; got != 99 && i < got; i++) {
		for (j = 0; j < n && (known[j] != ports[i] || known[j] == MACH_PORT_NULL); j++)
			;
		if (j < n)
			mach_printf(" %zu", j);
		else
			mach_printf(" %s", port_word(ports[i]));
		if (MACH_PORT_VALID(ports[i]))
			mach_port_deallocate(self, ports[i]);
	}
	mach_printf("\n");
	if (got != 99 && got != 0)
		vm_deallocate(self, (vm_offset_t)ports, got * sizeof(*ports));
}

static void registers(long n, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE), ports[6];
	long i;

	(void)unused;
	(void)more_unused;
	for (i = 0; i < n; i++)
		ports[i] = make_port();
	tell_registered("at first", task, ports, (size_t)n);
	code("mach_ports_register",
	     mach_ports_register(task, ports, (mach_msg_type_number_t)n));
	tell_registered("then", task, ports, (size_t)n);
	for (i = 0; i < n; i++)
		tell_name("ours", ports[i]);
}
EACH("mach_ports_register/none", registers, 0, 0, 0)
EACH("mach_ports_register/one", registers, 1, 0, 0)
EACH("mach_ports_register/three", registers, 3, 0, 0)
EACH("mach_ports_register/four", registers, 4, 0, 0)
EACH("mach_ports_register/five", registers, 5, 0, 0)

CASE("mach_ports_register/null-and-dead-among-them")
{
	mach_port_name_t task = make_task(FALSE);
	mach_port_name_t ports[4] = { MACH_PORT_NULL, make_port(), MACH_PORT_DEAD, make_dead() };

	code("mach_ports_register", mach_ports_register(task, ports, 4));
	tell_registered("then", task, ports, 2);
}

static void register_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE), ports[2];

	(void)unused;
	(void)more_unused;
	ports[0] = make_port();
	ports[1] = make_kind((enum name_kind)kind);
	code("mach_ports_register", mach_ports_register(task, ports, 2));
	tell_registered("then", task, ports, 2);
}
#define REGISTER_KIND(name, kind) \
	EACH("mach_ports_register/" name "-among-them", register_kind, kind, 0, 0)
KINDS(REGISTER_KIND)

CASE("mach_ports_register/one-twice")
{
	mach_port_name_t task = make_task(FALSE), ports[2];

	ports[0] = ports[1] = make_port();
	code("mach_ports_register", mach_ports_register(task, ports, 2));
	tell_registered("then", task, ports, 1);
	tell_name("ours", ports[0]);
}

CASE("mach_ports_register/old-ones-go")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), ports[2];

	ports[0] = make_port();
	ports[1] = make_port();
	must("mach_ports_register", mach_ports_register(task, ports, 2));
	watch_senders(ports[0], notify);
	watch_senders(ports[1], notify);
	must("ours goes", mach_port_deallocate(self, ports[0]));
	must("ours goes", mach_port_deallocate(self, ports[1]));
	tell_notified("ours gone", notify);
	code("null registered", mach_ports_register(task, &nothing, 1));
	tell_notified("then", notify);
}

CASE("mach_ports_register/too-many-keep-the-old-ones")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), ports[5];
	int i;

	for (i = 0; i < 5; i++)
		ports[i] = make_port();
	must("mach_ports_register", mach_ports_register(task, ports, 1));
	watch_senders(ports[4], notify);
	code("five", mach_ports_register(task, ports, 5));
	must("ours goes", mach_port_deallocate(self, ports[4]));
	tell_notified("the fifth", notify);
	tell_registered("then", task, ports, 5);
}

CASE("mach_ports_register/go-with-the-task")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), port = make_port();

	must("mach_ports_register", mach_ports_register(task, &port, 1));
	watch_senders(port, notify);
	must("ours goes", mach_port_deallocate(self, port));
	tell_notified("before", notify);
	must("task_terminate", task_terminate(task));
	tell_notified("after", notify);
}

/* ---- What a child has of its parent. */

static mach_port_name_t child_of(mach_port_name_t parent)
{
	mach_port_name_t task = MACH_PORT_NULL;

	must("task_create", task_create(parent, FALSE, &task));
	fixtures.tasks[fixtures.task_count++] = task;
	return keep_name(task);
}

CASE("task_create/registered-ports-inherited")
{
	mach_port_name_t parent = make_task(FALSE), task, ports[3];

	ports[0] = make_port();
	ports[1] = make_port();
	ports[2] = make_port();
	must("mach_ports_register", mach_ports_register(parent, ports, 3));
	must("dies", mach_port_mod_refs(self, ports[1], MACH_PORT_RIGHT_RECEIVE, -1));
	task = child_of(parent);
	tell_registered("the child's", task, ports, 3);
	must("mach_ports_register", mach_ports_register(task, ports, 1));
	tell_registered("the parent's", parent, ports, 3);
	must("task_terminate", task_terminate(parent));
	tell_registered("the child's", child_of(task), ports, 3);
}

CASE("task_create/inherited-rights-are-senders")
{
	mach_port_name_t parent = make_task(FALSE), task, notify = make_receive(),
			 port = make_port();

	must("mach_ports_register", mach_ports_register(parent, &port, 1));
	must("set", task_set_special_port(parent, TASK_BOOTSTRAP_PORT, port));
	task = child_of(parent);
	watch_senders(port, notify);
	must("ours goes", mach_port_deallocate(self, port));
	must("task_terminate", task_terminate(parent));
	tell_notified("the parent gone", notify);
	must("null registered", mach_ports_register(task, &nothing, 1));
	tell_notified("the child's registered one gone", notify);
	must("task_terminate", task_terminate(task));
	tell_notified("the child gone", notify);
}

CASE("task_create/special-ports-inherited")
{
	static const int which[3] = { TASK_KERNEL_PORT, TASK_EXCEPTION_PORT, TASK_BOOTSTRAP_PORT };
	mach_port_name_t parent = make_task(FALSE), task, got, ports[3];
	int i;

	for (i = 0; i < 3; i++) {
		ports[i] = make_port();
		must("set", task_set_special_port(parent, which[i], ports[i]));
	}
	task = child_of(parent);
	for (i = 0; i < 3; i++) {
		must("get", task_get_special_port(task, which[i], &got));
		mach_printf("%d: %s\n", which[i], got == task ? "the task" :
			    got == ports[i] ? "the parent's" : port_word(got));
	}
}

CASE("task_create/priority-inherited")
{
	mach_port_name_t parent = make_task(FALSE), task;
	task_basic_info_data_t basic;
	mach_msg_type_number_t n = TASK_BASIC_INFO_COUNT;

	must("task_priority", task_priority(parent, 40, FALSE));
	task = child_of(parent);
	must("task_info", task_info(task, TASK_BASIC_INFO, (task_info_t)&basic, &n));
	mach_printf("priority %d\n", basic.base_priority);
}

static void tell_name_of_thread(const char *what, mach_port_name_t thread)
{
	kernel_debug_name_t name;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	must("thread_get_name", thread_get_name(thread, name));
	mach_printf("%s: %s\n", what, name);
}

static void named(long length, long unused, long more_unused)
{
	mach_port_name_t parent = make_task(FALSE), task;
	kernel_debug_name_t name;
	long i;

	(void)unused;
	(void)more_unused;
	for (i = 0; i < length; i++)
		name[i] = (char)('a' + i % 26);
	name[length] = '\0';
	code("task_set_name", task_set_name(parent, name));
	tell_name_of_thread("a thread", make_thread_in(parent));
	task = child_of(parent);
	tell_name_of_thread("the child's", make_thread_in(task));
	tell_name_of_thread("its child's", make_thread_in(child_of(task)));
}
EACH("task_set_name/empty", named, 0, 0, 0)
EACH("task_set_name/short", named, 5, 0, 0)
EACH("task_set_name/28", named, 28, 0, 0)
EACH("task_set_name/29", named, 29, 0, 0)
EACH("task_set_name/30", named, 30, 0, 0)
EACH("task_set_name/31", named, 31, 0, 0)
EACH("task_set_name/32", named, 32, 0, 0)
EACH("task_set_name/63", named, 63, 0, 0)

CASE("task_set_name/threads-keep-the-old-one")
{
	mach_port_name_t task = make_task(FALSE), thread;

	must("task_set_name", task_set_name(task, "one"));
	thread = make_thread_in(task);
	must("task_set_name", task_set_name(task, "two"));
	tell_name_of_thread("the first thread", thread);
	tell_name_of_thread("the second", make_thread_in(task));
}

CASE("task_set_essential/and-not")
{
	mach_port_name_t task = make_task(FALSE);

	code("essential", task_set_essential(task, TRUE));
	code("task_terminate", task_terminate(task));
	tell_name("the task", task);
}

/* ---- The end of a task, as those see it who asked to be told. */

CASE("task_terminate/what-dies-first")
{
	mach_port_name_t task = make_task(FALSE), notify = make_receive(), names[4];
	static const char *const what[4] = { "the task", "a thread", "another", "its port" };
	union {
		mach_dead_name_notification_t death;
		struct message msg;
	} u;
	int i;

	names[0] = task;
	names[1] = make_thread_in(task);
	names[2] = make_thread_in(task);
	names[3] = make_port();
	must("its port", mach_port_insert_right(task, FREE_NAME, names[3],
						MACH_MSG_TYPE_MOVE_RECEIVE));
	for (i = 0; i < 4; i++)
		watch_death(names[i], notify);
	code("task_terminate", task_terminate(task));
	while (receive(notify, &u.msg) == MACH_MSG_SUCCESS) {
		for (i = 0; i < 4 && names[i] != u.death.not_port; i++)
			;
		mach_printf("%d: %s\n", u.msg.head.msgh_id, i < 4 ? what[i] : "?");
	}
	for (i = 0; i < 4; i++)
		tell_name(what[i], names[i]);
}

CASE("task_terminate/its-receive-right-with-messages")
{
	mach_port_name_t task = make_task(FALSE), port = make_port(), notify = make_receive(),
			 carried = make_port();
	struct message msg = message_with(port, TYPE_PORT(MACH_MSG_TYPE_COPY_SEND), carried);

	watch_senders(carried, notify);
	must("send", send_sized(&msg, HEADER + ITEM));
	must("ours goes", mach_port_deallocate(self, carried));
	must("its port", mach_port_insert_right(task, FREE_NAME, port,
						MACH_MSG_TYPE_MOVE_RECEIVE));
	tell_notified("before", notify);
	code("task_terminate", task_terminate(task));
	tell_notified("after", notify);
}
