/* ports: mach_port_allocate … mach_port_names. */
#include "suite.h"

#define RECEIVE MACH_PORT_RIGHT_RECEIVE
#define SEND MACH_PORT_RIGHT_SEND
#define SEND_ONCE MACH_PORT_RIGHT_SEND_ONCE
#define PORT_SET MACH_PORT_RIGHT_PORT_SET
#define DEAD_NAME MACH_PORT_RIGHT_DEAD_NAME

static void allocate_right(long right, long unused, long more_unused)
{
	mach_port_name_t name = 77;
	kern_return_t kr = mach_port_allocate(self, (mach_port_right_t)right, &name);

	(void)unused;
	(void)more_unused;
	code("mach_port_allocate", kr);
	if (kr == KERN_SUCCESS)
		tell_name("it is", keep_name(name));
}
EACH("mach_port_allocate/send", allocate_right, 0, 0, 0)
EACH("mach_port_allocate/receive", allocate_right, 1, 0, 0)
EACH("mach_port_allocate/send-once", allocate_right, 2, 0, 0)
EACH("mach_port_allocate/port-set", allocate_right, 3, 0, 0)
EACH("mach_port_allocate/dead-name", allocate_right, 4, 0, 0)
EACH("mach_port_allocate/right-5", allocate_right, 5, 0, 0)
EACH("mach_port_allocate/right-minus-1", allocate_right, -1, 0, 0)

CASE("mach_port_allocate/in-another-task")
{
	mach_port_name_t task = make_task(FALSE), name = MACH_PORT_NULL;

	code("mach_port_allocate", mach_port_allocate(task, RECEIVE, &name));
	tell_name_in(task, "there", name);
}

CASE("mach_port_allocate/names-differ")
{
	mach_port_name_t one = make_receive(), two = make_receive();

	fact("two names", one != two);
}

/* Each call on each kind of name: the answer, and what is left. */
static void deallocate_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);

	(void)unused;
	(void)more_unused;
	code("mach_port_deallocate", mach_port_deallocate(self, name));
	tell_name("left", name);
	code("again", mach_port_deallocate(self, name));
	tell_name("left", name);
}
#define DEALLOCATE(name, kind) \
	EACH("mach_port_deallocate/" name, deallocate_kind, kind, 0, 0)
KINDS(DEALLOCATE)

static void destroy_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);

	(void)unused;
	(void)more_unused;
	code("mach_port_destroy", mach_port_destroy(self, name));
	tell_name("left", name);
	code("again", mach_port_destroy(self, name));
}
#define DESTROY(name, kind) EACH("mach_port_destroy/" name, destroy_kind, kind, 0, 0)
KINDS(DESTROY)

static void type_kind(long kind, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	tell_name("it is", make_kind((enum name_kind)kind));
}
#define TYPE(name, kind) EACH("mach_port_type/" name, type_kind, kind, 0, 0)
KINDS(TYPE)
EACH("mach_port_type/host", type_kind, KIND_host, 0, 0)
EACH("mach_port_type/dead-task", type_kind, KIND_dead_task, 0, 0)

static void refs_kind(long kind, long unused, long more_unused)
{
	mach_port_name_t name = make_kind((enum name_kind)kind);
	mach_port_urefs_t refs;
	mach_port_right_t right;
	kern_return_t kr;

	(void)unused;
	(void)more_unused;
	for (right = 0; right < 7; right++) {
		refs = 99;
		kr = mach_port_get_refs(self, name, right == 6 ? (mach_port_right_t)-1 : right,
					&refs);
		mach_printf("right %d: %s", right == 6 ? -1 : (int)right,
			    mach_error_string(kr));
		if (kr == KERN_SUCCESS)
			mach_printf(", %u", refs);
		mach_printf("\n");
	}
}
#define REFS(name, kind) EACH("mach_port_get_refs/" name, refs_kind, kind, 0, 0)
KINDS(REFS)

/* Each right and delta on each kind of name. */
static void mod_refs_kind(long kind, long right, long unused)
{
	static const mach_port_delta_t deltas[] = {
		0, 1, -1, 2, -2, 65533, 65534, 65535, 0x7fffffff, -0x7fffffff - 1,
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
		mach_port_name_t name = make_kind((enum name_kind)kind);

		mach_printf("%d: %s\n", deltas[i], mach_error_string(
			mach_port_mod_refs(self, name, (mach_port_right_t)right, deltas[i])));
		tell_name("left", name);
		release_fixtures();
	}
}
#define MOD_REFS(name, kind, right_name, right) \
	EACH("mach_port_mod_refs/" right_name "-of-" name, mod_refs_kind, kind, right, 0)
KINDS(MOD_REFS, "send", SEND)
KINDS(MOD_REFS, "receive", RECEIVE)
KINDS(MOD_REFS, "send-once", SEND_ONCE)
KINDS(MOD_REFS, "port-set", PORT_SET)
KINDS(MOD_REFS, "dead-name", DEAD_NAME)
KINDS(MOD_REFS, "right-5", 5)

CASE("mach_port_mod_refs/overflow-in-steps")
{
	mach_port_name_t port = make_port();

	code("to 65533", mach_port_mod_refs(self, port, SEND, 65532));
	code("to 65534", mach_port_mod_refs(self, port, SEND, 1));
	code("to 65535", mach_port_mod_refs(self, port, SEND, 1));
	tell_name("left", port);
	code("-65535", mach_port_mod_refs(self, port, SEND, -65535));
	code("-65534", mach_port_mod_refs(self, port, SEND, -65534));
	tell_name("left", port);
}

CASE("mach_port_mod_refs/receive-right-with-messages")
{
	mach_port_name_t port = make_port();

	must("signal", mach_event_signal(port));
	code("mach_port_mod_refs", mach_port_mod_refs(self, port, RECEIVE, -1));
	tell_name("left", port);
}

CASE("mach_port_mod_refs/last-of-set-and-dead")
{
	mach_port_name_t set = make_set(), dead = make_dead();

	code("set", mach_port_mod_refs(self, set, PORT_SET, -1));
	tell_name("left", set);
	code("dead name", mach_port_mod_refs(self, dead, DEAD_NAME, -1));
	tell_name("left", dead);
}

/* Each type of right from each kind of name, put under the same name, a free
 * one, and one that is in use. */
static void insert_kind(long kind, long type, long unused)
{
	mach_port_name_t name, free_name;

	(void)unused;
	name = make_kind((enum name_kind)kind);
	code("under its own name", mach_port_insert_right(self, name, name,
							  (mach_msg_type_name_t)type));
	tell_name("left", name);
	release_fixtures();
	name = make_kind((enum name_kind)kind);
	free_name = fresh_name();
	code("under a free name", mach_port_insert_right(self, free_name, name,
							 (mach_msg_type_name_t)type));
	tell_name("there", free_name);
	tell_name("left", name);
	release_fixtures();
	name = make_kind((enum name_kind)kind);
	code("under another port's name", mach_port_insert_right(self, make_receive(), name,
								 (mach_msg_type_name_t)type));
	tell_name("left", name);
	release_fixtures();
	name = make_kind((enum name_kind)kind);
	code("in another task", mach_port_insert_right(make_task(FALSE), FREE_NAME, name,
						       (mach_msg_type_name_t)type));
	tell_name("left", name);
}
#define INSERT(name, kind, type_name, type) \
	EACH("mach_port_insert_right/" type_name "-of-" name, insert_kind, kind, type, 0)
KINDS(INSERT, "move-receive", MACH_MSG_TYPE_MOVE_RECEIVE)
KINDS(INSERT, "move-send", MACH_MSG_TYPE_MOVE_SEND)
KINDS(INSERT, "move-send-once", MACH_MSG_TYPE_MOVE_SEND_ONCE)
KINDS(INSERT, "copy-send", MACH_MSG_TYPE_COPY_SEND)
KINDS(INSERT, "make-send", MACH_MSG_TYPE_MAKE_SEND)
KINDS(INSERT, "make-send-once", MACH_MSG_TYPE_MAKE_SEND_ONCE)

static void insert_type(long type, long unused, long more_unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	(void)more_unused;
	code("mach_port_insert_right",
	     mach_port_insert_right(self, port, port, (mach_msg_type_name_t)type));
	tell_name("left", port);
}
EACH("mach_port_insert_right/type-0", insert_type, 0, 0, 0)
EACH("mach_port_insert_right/type-integer", insert_type, 2, 0, 0)
EACH("mach_port_insert_right/type-port-name", insert_type, 15, 0, 0)
EACH("mach_port_insert_right/type-22", insert_type, 22, 0, 0)
EACH("mach_port_insert_right/type-payload", insert_type, 23, 0, 0)
EACH("mach_port_insert_right/type-255", insert_type, 255, 0, 0)

/* Under names that may not be used, each with a right that may. */
static void insert_under(long under, long type, long unused)
{
	mach_port_name_t port = make_port();

	(void)unused;
	code("mach_port_insert_right",
	     mach_port_insert_right(self, (mach_port_name_t)under, port,
				    (mach_msg_type_name_t)type));
	tell_name("left", port);
}
EACH("mach_port_insert_right/under-null", insert_under, 0, 20, 0)
EACH("mach_port_insert_right/under-dead-port", insert_under, -1, 20, 0)
EACH("mach_port_insert_right/under-null-bad-type", insert_under, 0, 2, 0)
EACH("mach_port_insert_right/under-null-moved", insert_under, 0, 17, 0)

CASE("mach_port_insert_right/under-a-sets-name")
{
	code("mach_port_insert_right",
	     mach_port_insert_right(self, make_set(), make_receive(), MACH_MSG_TYPE_MAKE_SEND));
}

CASE("mach_port_insert_right/under-a-dead-name")
{
	code("mach_port_insert_right",
	     mach_port_insert_right(self, make_dead(), make_receive(),
				    MACH_MSG_TYPE_MAKE_SEND));
}

CASE("mach_port_insert_right/overflow")
{
	mach_port_name_t port = make_port();

	must("mach_port_mod_refs", mach_port_mod_refs(self, port, SEND, 65532));
	code("to 65534", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	code("to 65535", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MAKE_SEND));
	code("copied", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_COPY_SEND));
	code("moved", mach_port_insert_right(self, port, port, MACH_MSG_TYPE_MOVE_SEND));
	tell_name("left", port);
}

CASE("mach_port_insert_right/receive-right-joins-its-send-right")
{
	mach_port_name_t task = make_task(FALSE), port = make_port();

	must("send right", mach_port_insert_right(task, FREE_NAME, port,
						  MACH_MSG_TYPE_COPY_SEND));
	code("under its name", mach_port_insert_right(task, FREE_NAME, port,
						      MACH_MSG_TYPE_MOVE_RECEIVE));
	tell_name_in(task, "there", FREE_NAME);
	tell_name("here", port);
}

CASE("mach_port_insert_right/receive-right-beside-its-send-right")
{
	mach_port_name_t task = make_task(FALSE), port = make_port();

	must("send right", mach_port_insert_right(task, FREE_NAME, port,
						  MACH_MSG_TYPE_COPY_SEND));
	code("under another name", mach_port_insert_right(task, FREE_NAME + 1, port,
							  MACH_MSG_TYPE_MOVE_RECEIVE));
	tell_name_in(task, "there", FREE_NAME);
	tell_name("here", port);
}

CASE("mach_port_names/what-is-made-is-listed")
{
	static struct name_list before, after;
	mach_port_name_t port, dead, set, once;

	list_names(&before);
	port = make_port();
	dead = make_dead();
	set = make_set();
	once = send_once_to(port);
	list_names(&after);
	count("names more", after.count - before.count);
	fact("all listed", has_name(&after, port) && has_name(&after, dead) &&
	     has_name(&after, set) && has_name(&after, once));
}

CASE("mach_port_names/types-agree")
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t n = 0, m = 0;
	mach_port_type_t type;
	size_t i, differing = 0;

	make_port();
	make_died();
	make_set();
	send_once_to(make_receive());
	code("mach_port_names", mach_port_names(self, &names, &n, &types, &m));
	fact("as many types as names", n == m);
	for (i = 0; i < n; i++)
		differing += mach_port_type(self, names[i], &type) != KERN_SUCCESS ||
			     type != types[i];
	count("types that differ", differing);
	vm_deallocate(self, (vm_offset_t)names, n * sizeof(*names));
	vm_deallocate(self, (vm_offset_t)types, m * sizeof(*types));
}

CASE("mach_port_names/empty-task")
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t n = 9, m = 9;

	code("mach_port_names", mach_port_names(make_task(FALSE), &names, &n, &types, &m));
	mach_printf("names %u, types %u, addresses zero: %s\n", n, m,
		    names == NULL && types == NULL ? "yes" : "no");
}
