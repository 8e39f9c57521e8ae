/*
 * badport: what the mach_port_* calls answer to arguments that are wrong or at
 * the edge of being right, and how references are counted.
 */
#include <libmach/libmach.h>

#include "report.h"

#define RECEIVE MACH_PORT_RIGHT_RECEIVE
#define SEND MACH_PORT_RIGHT_SEND
#define SEND_ONCE MACH_PORT_RIGHT_SEND_ONCE
#define PORT_SET MACH_PORT_RIGHT_PORT_SET
#define DEAD_NAME MACH_PORT_RIGHT_DEAD_NAME

#define NO_NAME ((mach_port_name_t)1000000)

static mach_port_name_t self;

static mach_port_name_t make(mach_port_right_t right)
{
	mach_port_name_t name = MACH_PORT_NULL;

	must("mach_port_allocate", mach_port_allocate(self, right, &name));
	return name;
}

static mach_port_name_t make_send_receive(void)
{
	mach_port_name_t name = make(RECEIVE);

	must("mach_port_insert_right",
	     mach_port_insert_right(self, name, name, MACH_MSG_TYPE_MAKE_SEND));
	return name;
}

static void type(const char *what, mach_port_name_t name)
{
	static const struct {
		mach_port_type_t bit;
		const char *name;
	} bits[] = {
		{ MACH_PORT_TYPE_SEND, " send" },
		{ MACH_PORT_TYPE_RECEIVE, " receive" },
		{ MACH_PORT_TYPE_SEND_ONCE, " send-once" },
		{ MACH_PORT_TYPE_PORT_SET, " port-set" },
		{ MACH_PORT_TYPE_DEAD_NAME, " dead-name" },
	};
	mach_port_type_t got = 0;
	kern_return_t kr = mach_port_type(self, name, &got);
	const char *shown[5] = { "", "", "", "", "" };
	size_t i;

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	for (i = 0; i < 5; i++)
		if (got & bits[i].bit) {
			shown[i] = bits[i].name;
			got &= ~bits[i].bit;
		}
	mach_printf("%s:%s%s%s%s%s, other bits 0x%x\n", what, shown[0], shown[1],
		    shown[2], shown[3], shown[4], got);
}

/* The references under each kind of right, in the order of the constants. */
static void references(const char *what, mach_port_name_t name)
{
	mach_port_urefs_t refs[5];
	mach_port_right_t right;
	kern_return_t kr;

	for (right = 0; right < 5; right++) {
		kr = mach_port_get_refs(self, name, right, &refs[right]);
		if (kr != KERN_SUCCESS) {
			code(what, kr);
			return;
		}
	}
	mach_printf("%s: send %u, receive %u, send-once %u, port-set %u, dead-name %u\n",
		    what, refs[0], refs[1], refs[2], refs[3], refs[4]);
}

static void allocate(void)
{
	mach_port_name_t name = MACH_PORT_NULL;
	mach_port_right_t right;
	kern_return_t kr;

	chapter("mach_port_allocate");
	for (right = 0; right < 6; right++) {
		kr = mach_port_allocate(self, right, &name);
		mach_printf("right %u: %s\n", right, mach_error_string(kr));
		if (kr != KERN_SUCCESS)
			continue;
		type("its type", name);
		references("its references", name);
		code("mach_port_destroy", mach_port_destroy(self, name));
		type("its type then", name);
	}
	code("right -1", mach_port_allocate(self, (mach_port_right_t)-1, &name));
	code("no task: a host", mach_port_allocate(mach_host_self(), RECEIVE, &name));
	code("no task: null", mach_port_allocate(MACH_PORT_NULL, RECEIVE, &name));
}

static void deallocate(void)
{
	mach_port_name_t receive = make(RECEIVE);
	mach_port_name_t both = make_send_receive();
	mach_port_name_t set = make(PORT_SET);
	mach_port_name_t dead = make(DEAD_NAME);

	chapter("mach_port_deallocate");
	code("a name of nothing", mach_port_deallocate(self, NO_NAME));
	code("null", mach_port_deallocate(self, MACH_PORT_NULL));
	code("the dead port", mach_port_deallocate(self, MACH_PORT_DEAD));
	code("a receive right", mach_port_deallocate(self, receive));
	code("a port set", mach_port_deallocate(self, set));
	code("a dead name", mach_port_deallocate(self, dead));
	code("the dead name again", mach_port_deallocate(self, dead));
	code("send and receive right", mach_port_deallocate(self, both));
	type("what is left", both);
	code("what is left", mach_port_deallocate(self, both));
	code("no task: a host", mach_port_deallocate(mach_host_self(), both));
	mach_port_destroy(self, receive);
	mach_port_destroy(self, both);
	mach_port_destroy(self, set);
}

static void destroy(void)
{
	mach_port_name_t both = make_send_receive();
	mach_port_name_t dead = make(DEAD_NAME);

	chapter("mach_port_destroy");
	code("a name of nothing", mach_port_destroy(self, NO_NAME));
	code("null", mach_port_destroy(self, MACH_PORT_NULL));
	code("the dead port", mach_port_destroy(self, MACH_PORT_DEAD));
	code("send and receive right", mach_port_destroy(self, both));
	type("what is left", both);
	mach_port_mod_refs(self, dead, DEAD_NAME, 4);
	references("a dead name", dead);
	code("a dead name with five references", mach_port_destroy(self, dead));
	type("what is left", dead);
	code("no task: a host", mach_port_destroy(mach_host_self(), both));
}

static void get_refs(void)
{
	mach_port_name_t both = make_send_receive();
	mach_port_name_t set = make(PORT_SET);
	mach_port_urefs_t refs;

	chapter("mach_port_get_refs");
	code("a name of nothing", mach_port_get_refs(self, NO_NAME, SEND, &refs));
	code("null", mach_port_get_refs(self, MACH_PORT_NULL, SEND, &refs));
	code("the dead port", mach_port_get_refs(self, MACH_PORT_DEAD, SEND, &refs));
	code("right 5", mach_port_get_refs(self, both, 5, &refs));
	code("right 5 of a name of nothing", mach_port_get_refs(self, NO_NAME, 5, &refs));
	references("send and receive right", both);
	references("a port set", set);
	code("no task: a host", mach_port_get_refs(mach_host_self(), both, SEND, &refs));
	mach_port_destroy(self, both);
	mach_port_destroy(self, set);
}

static void mod_refs(void)
{
	mach_port_name_t both = make_send_receive();
	mach_port_name_t set = make(PORT_SET);
	mach_port_name_t dead = make(DEAD_NAME);

	chapter("mach_port_mod_refs");
	code("a name of nothing", mach_port_mod_refs(self, NO_NAME, SEND, 1));
	code("null", mach_port_mod_refs(self, MACH_PORT_NULL, SEND, 1));
	code("right 5", mach_port_mod_refs(self, both, 5, 0));
	code("right 5 of a name of nothing", mach_port_mod_refs(self, NO_NAME, 5, 0));
	code("send, 0", mach_port_mod_refs(self, both, SEND, 0));
	code("send, +3", mach_port_mod_refs(self, both, SEND, 3));
	references("references", both);
	code("send, -5 of 4", mach_port_mod_refs(self, both, SEND, -5));
	code("send, the most negative", mach_port_mod_refs(self, both, SEND, -0x7fffffff - 1));
	code("send, +65531 to 65535", mach_port_mod_refs(self, both, SEND, 65531));
	references("references", both);
	code("send, +65530 to 65534", mach_port_mod_refs(self, both, SEND, 65530));
	references("references", both);
	code("send, +70000", mach_port_mod_refs(self, both, SEND, 70000));
	code("send, the most positive", mach_port_mod_refs(self, both, SEND, 0x7fffffff));
	code("receive, +1", mach_port_mod_refs(self, both, RECEIVE, 1));
	code("receive, 0", mach_port_mod_refs(self, both, RECEIVE, 0));
	code("receive, -2", mach_port_mod_refs(self, both, RECEIVE, -2));
	code("send-once, 0", mach_port_mod_refs(self, both, SEND_ONCE, 0));
	code("send-once, -1", mach_port_mod_refs(self, both, SEND_ONCE, -1));
	code("port-set, -1", mach_port_mod_refs(self, both, PORT_SET, -1));
	code("dead-name, -1", mach_port_mod_refs(self, both, DEAD_NAME, -1));
	code("receive, -1", mach_port_mod_refs(self, both, RECEIVE, -1));
	type("what is left", both);
	references("references", both);
	code("a set, +1", mach_port_mod_refs(self, set, PORT_SET, 1));
	code("a set as receive right", mach_port_mod_refs(self, set, RECEIVE, -1));
	code("a set, -1", mach_port_mod_refs(self, set, PORT_SET, -1));
	type("what is left", set);
	code("a dead name as send right", mach_port_mod_refs(self, dead, SEND, -1));
	code("a dead name, +65535", mach_port_mod_refs(self, dead, DEAD_NAME, 65535));
	code("a dead name, +2", mach_port_mod_refs(self, dead, DEAD_NAME, 2));
	references("references", dead);
	code("a dead name, -3", mach_port_mod_refs(self, dead, DEAD_NAME, -3));
	type("what is left", dead);
	code("no task: a host", mach_port_mod_refs(mach_host_self(), dead, DEAD_NAME, 1));
	mach_port_destroy(self, both);
}

static void insert_right(void)
{
	mach_port_name_t port = make(RECEIVE);
	mach_port_name_t other = make(RECEIVE);
	mach_port_name_t set = make(PORT_SET);
	mach_port_name_t dead = make(DEAD_NAME);

	chapter("mach_port_insert_right");
	code("under the null name",
	     mach_port_insert_right(self, MACH_PORT_NULL, port, MACH_MSG_TYPE_MAKE_SEND));
	code("under the dead port's name",
	     mach_port_insert_right(self, MACH_PORT_DEAD, port, MACH_MSG_TYPE_MAKE_SEND));
	code("the null port",
	     mach_port_insert_right(self, NO_NAME, MACH_PORT_NULL, MACH_MSG_TYPE_MAKE_SEND));
	code("the dead port",
	     mach_port_insert_right(self, NO_NAME, MACH_PORT_DEAD, MACH_MSG_TYPE_COPY_SEND));
	code("a right that is not there",
	     mach_port_insert_right(self, NO_NAME, NO_NAME, MACH_MSG_TYPE_COPY_SEND));
	code("a send right of a receive right",
	     mach_port_insert_right(self, NO_NAME, port, MACH_MSG_TYPE_COPY_SEND));
	code("a send right made of a dead name",
	     mach_port_insert_right(self, NO_NAME, dead, MACH_MSG_TYPE_MAKE_SEND));
	code("a send right made of a port set",
	     mach_port_insert_right(self, NO_NAME, set, MACH_MSG_TYPE_MAKE_SEND));
	code("type 0", mach_port_insert_right(self, port, port, 0));
	code("an integer type",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_INTEGER_32));
	code("type 22", mach_port_insert_right(self, port, port, 22));
	references("nothing happened to the port", port);
	code("a send right under another port's name",
	     mach_port_insert_right(self, other, port, MACH_MSG_TYPE_MAKE_SEND));
	code("a send right under a set's name",
	     mach_port_insert_right(self, set, port, MACH_MSG_TYPE_MAKE_SEND));
	code("a send right under a second name",
	     mach_port_insert_right(self, NO_NAME, port, MACH_MSG_TYPE_MAKE_SEND));
	code("a send right under its own name",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	code("one more", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	code("one more, copied",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_COPY_SEND));
	references("references", port);
	code("one more, moved",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MOVE_SEND));
	references("references", port);
	code("a send-once right under a free name",
	     mach_port_insert_right(self, NO_NAME, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	type("its type", NO_NAME);
	code("another one under that name",
	     mach_port_insert_right(self, NO_NAME, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("a send-once right under the port's name",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND_ONCE));
	code("the send-once right deallocated", mach_port_deallocate(self, NO_NAME));
	mach_port_mod_refs(self, port, SEND, 65531);
	references("references", port);
	code("one more than fit",
	     mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	references("references", port);
	mach_port_destroy(self, port);
	mach_port_destroy(self, other);
	mach_port_destroy(self, set);
	mach_port_destroy(self, dead);
}

/* How many names the task has; also checks that both arrays agree on it. */
static size_t names_now(void)
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t names_count = 0, types_count = 0;
	kern_return_t kr;

	kr = mach_port_names(self, &names, &names_count, &types, &types_count);
	if (kr != KERN_SUCCESS) {
		code("mach_port_names", kr);
		return 0;
	}
	vm_deallocate(self, (vm_offset_t)names, names_count * sizeof(*names));
	vm_deallocate(self, (vm_offset_t)types, types_count * sizeof(*types));
	return names_count == types_count ? names_count : 0;
}

static void names(void)
{
	mach_port_name_t port, dead;
	mach_port_name_array_t all = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t names_count = 0, types_count = 0;
	boolean_t port_right = FALSE, dead_right = FALSE;
	size_t before, i;

	chapter("mach_port_type and mach_port_names");
	type("a name of nothing", NO_NAME);
	type("null", MACH_PORT_NULL);
	type("the dead port", MACH_PORT_DEAD);
	type("our task", self);
	before = names_now();
	port = make_send_receive();
	dead = make(DEAD_NAME);
	count("names more for a port and a dead name", names_now() - before);
	must("mach_port_names",
	     mach_port_names(self, &all, &names_count, &types, &types_count));
	for (i = 0; i < names_count; i++) {
		if (all[i] == port)
			port_right = types[i] == MACH_PORT_TYPE_SEND_RECEIVE;
		if (all[i] == dead)
			dead_right = types[i] == MACH_PORT_TYPE_DEAD_NAME;
	}
	fact("the port is listed as send and receive right", port_right);
	fact("the dead name is listed as dead name", dead_right);
	vm_deallocate(self, (vm_offset_t)all, names_count * sizeof(*all));
	vm_deallocate(self, (vm_offset_t)types, types_count * sizeof(*types));
	mach_port_destroy(self, port);
	mach_port_destroy(self, dead);
	count("names more when both are gone", names_now() - before);
	code("no task: a host", mach_port_names(mach_host_self(), &all, &names_count,
						&types, &types_count));
}

static void traps(void)
{
	mach_port_name_t name = MACH_PORT_NULL, again;
	mach_port_urefs_t before = 0, after = 0;

	chapter("traps");
	code("mach_port_allocate", syscall_mach_port_allocate(self, RECEIVE, &name));
	type("its type", name);
	code("mach_port_deallocate of a receive right",
	     syscall_mach_port_deallocate(self, name));
	code("mach_port_allocate, right 5", syscall_mach_port_allocate(self, 5, &name));
	code("mach_port_allocate, right send", syscall_mach_port_allocate(self, SEND, &name));
	code("mach_port_allocate, no task: null",
	     syscall_mach_port_allocate(MACH_PORT_NULL, RECEIVE, &name));
	code("mach_port_allocate, no task: a host",
	     syscall_mach_port_allocate(mach_host_self(), RECEIVE, &name));
	code("mach_port_allocate, name not writable",
	     syscall_mach_port_allocate(self, RECEIVE,
					(mach_port_name_t *)0x800000000000));
	code("mach_port_deallocate, a name of nothing",
	     syscall_mach_port_deallocate(self, NO_NAME));
	code("mach_port_deallocate, no task: null",
	     syscall_mach_port_deallocate(MACH_PORT_NULL, name));

	mach_port_get_refs(self, self, SEND, &before);
	fact("mach_task_self gives the same name", mach_task_self_trap() == self);
	mach_port_get_refs(self, self, SEND, &after);
	count("references it added", after - before);
	name = mach_thread_self();
	again = mach_thread_self();
	fact("mach_thread_self gives the same name", name == again);
	type("its type", name);
	references("its references", name);
	name = mach_reply_port();
	type("mach_reply_port's type", name);
	references("its references", name);
	name = mach_host_self();
	type("mach_host_self's type", name);
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	self = mach_task_self();
	mach_printf("badport: wrong arguments to port calls\n");
	allocate();
	deallocate();
	destroy();
	get_refs();
	mod_refs();
	insert_right();
	names();
	traps();
	mach_printf("\nbadport: done\n");
	return 0;
}
