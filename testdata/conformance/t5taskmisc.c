/* t5taskmisc: emulation, sampling, restartable sequences; who is told of new tasks. */
#include "suite.h"

#include <mach/task_info.h>

#include "second.h"
#include "t5wrong.h"

/* ---- Emulated system calls: what is kept of them. */

static void tell_vector(const char *what, mach_port_name_t task)
{
	emulation_vector_t vector = NULL;
	mach_msg_type_number_t got = 99, i;
	int start = -1;

	code(what, task_get_emulation_vector(task, &start, &vector, &got));
	mach_printf("from %d, %u:", start, got);
	for (i = 0; i < got && i < 12; i++)
		mach_printf(" 0x%lx", ((vm_offset_t *)vector)[i]);
	mach_printf("%s\n", vector == NULL ? " no memory" : "");
	if (vector != NULL)
		vm_deallocate(self, (vm_offset_t)vector, got * sizeof(vm_offset_t));
}

CASE("task_get_emulation_vector/none")
{
	tell_vector("get", make_task(FALSE));
}

CASE("task_set_emulation/grows")
{
	mach_port_name_t task = make_task(FALSE);

	code("5", task_set_emulation(task, 0x5000, 5));
	tell_vector("get", task);
	code("7", task_set_emulation(task, 0x7000, 7));
	tell_vector("get", task);
	code("2", task_set_emulation(task, 0x2000, 2));
	tell_vector("get", task);
	code("5 again", task_set_emulation(task, 0x5005, 5));
	code("7 to null", task_set_emulation(task, 0, 7));
	tell_vector("get", task);
}

CASE("task_set_emulation/inherited")
{
	mach_port_name_t task = make_task(FALSE), child = MACH_PORT_NULL;

	must("set", task_set_emulation(task, 0x1000, 1));
	must("task_create", task_create(task, FALSE, &child));
	keep_name(child);
	tell_vector("the child's", child);
	code("the child's changed", task_set_emulation(child, 0x1111, 1));
	tell_vector("the child's", child);
	tell_vector("the parent's", task);
	code("the parent's changed", task_set_emulation(task, 0x1222, 1));
	tell_vector("the child's", child);
	must("task_terminate", task_terminate(task));
	tell_vector("the child's", child);
	must("task_terminate", task_terminate(child));
}

CASE("task_set_emulation_vector/some")
{
	mach_port_name_t task = make_task(FALSE);
	vm_offset_t entries[4] = { 0x3000, 0, 0x5000, 0x6000 };

	code("three from 3", task_set_emulation_vector(task, 3, (emulation_vector_t)entries, 3));
	tell_vector("get", task);
	entries[0] = 0x1000;
	code("four from 1", task_set_emulation_vector(task, 1, (emulation_vector_t)entries, 4));
	tell_vector("get", task);
}

CASE("task_set_emulation_vector/of-what-is-no-task")
{
	vm_offset_t entries[2] = { 1, 2 };

	code("the host", task_set_emulation_vector(host, 3, (emulation_vector_t)entries, 2));
}

/* ---- Sampling of program counters. */

CASE("task_enable_pc_sampling/and-off")
{
	static sampled_pc_t samples[512];
	mach_port_name_t task = make_task(FALSE);
	sampled_pc_seqno_t sequence = 0;
	mach_msg_type_number_t got = 512;
	int tick = -1, ignored;

	code("get before", task_get_sampled_pcs(task, &sequence, samples, &got));
	code("disable before", task_disable_pc_sampling(task, &ignored));
	code("enable", task_enable_pc_sampling(task, &tick, SAMPLED_PC_PERIODIC));
	mach_printf("tick %d\n", tick);
	got = 512;
	code("get", task_get_sampled_pcs(task, &sequence, samples, &got));
	mach_printf("sequence %u, samples %u\n", sequence, got);
	sequence = 9;
	got = 512;
	code("get of the future", task_get_sampled_pcs(task, &sequence, samples, &got));
	mach_printf("sequence %u, samples %u\n", sequence, got);
	code("enable again", task_enable_pc_sampling(task, &tick, 0));
	code("disable", task_disable_pc_sampling(task, &ignored));
	got = 512;
	code("get after", task_get_sampled_pcs(task, &sequence, samples, &got));
}

CASE("thread_enable_pc_sampling/and-off")
{
	static sampled_pc_t samples[512];
	mach_port_name_t thread = make_thread_in(make_task(FALSE));
	sampled_pc_seqno_t sequence = 0;
	mach_msg_type_number_t got = 512;
	int tick = -1, ignored;

	code("get before", thread_get_sampled_pcs(thread, &sequence, samples, &got));
	code("disable before", thread_disable_pc_sampling(thread, &ignored));
	code("enable", thread_enable_pc_sampling(thread, &tick, SAMPLED_PC_PERIODIC));
	mach_printf("tick %d\n", tick);
	got = 512;
	code("get", thread_get_sampled_pcs(thread, &sequence, samples, &got));
	mach_printf("sequence %u, samples %u\n", sequence, got);
	code("disable", thread_disable_pc_sampling(thread, &ignored));
	got = 512;
	code("get after", thread_get_sampled_pcs(thread, &sequence, samples, &got));
}

/* ---- Restartable sequences. */

static void ras(long flavor, long unused, long more_unused)
{
	mach_port_name_t task = make_task(FALSE);

	(void)unused;
	(void)more_unused;
	code("task_ras_control", task_ras_control(task, 0x1000, 0x1010, (int)flavor));
	code("again", task_ras_control(task, 0x1000, 0x1010, (int)flavor));
}
EACH("task_ras_control/purge-all", ras, TASK_RAS_CONTROL_PURGE_ALL, 0, 0)
EACH("task_ras_control/purge-one", ras, TASK_RAS_CONTROL_PURGE_ONE, 0, 0)
EACH("task_ras_control/install-only-one", ras, TASK_RAS_CONTROL_PURGE_ALL_AND_INSTALL_ONE, 0, 0)
EACH("task_ras_control/install-one", ras, TASK_RAS_CONTROL_INSTALL_ONE, 0, 0)
EACH("task_ras_control/flavor-4", ras, 4, 0, 0)

/* ---- Who is told of new tasks. There is no way back, so this comes last. */

static kern_return_t register_port(mach_port_name_t with, mach_port_name_t port)
{
	return register_new_task_notification(with, port, MACH_MSG_TYPE_COPY_SEND);
}

CASE("register_new_task_notification/by-what-is-no-privileged-host")
{
	mach_port_name_t port = make_port();

	code("the host", register_port(host, port));
	code("a task", register_port(self, port));
	code("null", register_port(MACH_PORT_NULL, port));
	tell_name("the port", port);
}

CASE("register_new_task_notification/null")
{
	code("null", register_port(host_priv_port, MACH_PORT_NULL));
	code("null", register_port(host_priv_port, MACH_PORT_NULL));
	must("task_terminate", task_terminate(make_task(FALSE)));
}

struct new_task {
	mach_msg_header_t head;
	struct item task, parent;
	char room[64];
};

static void tell_new_task(mach_port_name_t port, mach_port_name_t task, mach_port_name_t parent)
{
	struct new_task msg;
	mach_msg_return_t mr = mach_msg(&msg.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof(msg),
					port, 0, MACH_PORT_NULL);

	code("received", mr);
	if (mr != MACH_MSG_SUCCESS)
		return;
	tell_header(&(struct message){ .head = msg.head }, port);
	tell_item(&msg.task);
	tell_item(&msg.parent);
	fact("it is the task", msg.task.port.name == task);
	fact("it is its parent", msg.parent.port.name == parent);
	tell_name("the task", msg.task.port.name);
	mach_port_deallocate(self, msg.task.port.name);
	mach_port_deallocate(self, msg.parent.port.name);
}

CASE("register_new_task_notification/is-told")
{
	mach_port_name_t port = make_port(), another = make_port(), parent = make_task(FALSE), task;
	mach_port_name_t notify = make_receive();
	int i;

	watch_senders(another, notify);
	code("register", register_port(host_priv_port, port));
	code("another", register_port(host_priv_port, another));
	must("ours goes", mach_port_deallocate(self, another));
	count("told that the other has no senders", drain(notify));
	code("null", register_port(host_priv_port, MACH_PORT_NULL));
	code("the host", register_port(host, port));
	tell_name("the port", port);
	task = make_task(FALSE);
	tell_new_task(port, task, self);
	must("task_create", task_create(parent, TRUE, &task));
	keep_name(task);
	tell_new_task(port, task, parent);
	must("task_terminate", task_terminate(task));
	count("of its end", drain(port));
	code("trap", syscall_task_create(self, FALSE, &task));
	keep_name(task);
	tell_new_task(port, task, self);
	must("task_terminate", task_terminate(task));
	for (i = 0; i < 8; i++)
		make_task(FALSE);
	for (i = 0; i < 8; i++)
		must("receive", mach_msg(&(struct new_task){}.head, MACH_RCV_MSG | MACH_RCV_TIMEOUT,
					 0, sizeof(struct new_task), port, 0, MACH_PORT_NULL));
	count("more than the queue's limit, and then", drain(port));
	must("dies", mach_port_mod_refs(self, port, MACH_PORT_RIGHT_RECEIVE, -1));
	code("after its death", register_port(host_priv_port, make_port()));
	make_task(FALSE);
}
