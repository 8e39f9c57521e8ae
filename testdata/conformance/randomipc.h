/*
 * Random programs of rights, names, sets, queues, messages and notifications,
 * in this task's name space and in those of tasks it made. Names are told as
 * they are: a kernel that follows Mach chooses the same.
 *
 * It is the whole of a client: each seed has a client of its own, for what a
 * program is told depends on all that its task did before.
 */
#include "random.h"

#include "message.h"

#include <mach/notify.h>
#include <mach/task_special_ports.h>

enum {
	TASKS = 4,		/* ourselves and our children */
	NAMES = 256,		/* looked at in one space */
	CROWD = 28,		/* names in a space before it is thinned out */
	DATA = 4,		/* pages that messages carry parts of */
	MESSAGE = 512,		/* bytes we send at most */
	ROOM = 2048,		/* bytes we receive at most */
	REQUEST_ID = 5000,	/* no routine has it; the answer's is 100 more */
	REPLY_ID = REQUEST_ID + 100,
};

static mach_port_name_t tasks[TASKS];
static vm_offset_t data;

static struct list {
	mach_port_name_t names[NAMES];
	mach_port_type_t types[NAMES];
	size_t count;
} live;

/* ---- Names. */

/* The names of a space, in the order they are told. */
static void look(mach_port_name_t task, struct list *list)
{
	mach_port_name_array_t names = NULL;
	mach_port_type_array_t types = NULL;
	mach_msg_type_number_t names_count = 0, types_count = 0;
	size_t i;

	list->count = 0;
	if (mach_port_names(task, &names, &names_count, &types, &types_count) != KERN_SUCCESS)
		return;
	for (i = 0; i < names_count && i < NAMES; i++) {
		list->names[i] = names[i];
		list->types[i] = types[i];
	}
	list->count = i;
	vm_deallocate(self, (vm_offset_t)names, names_count * sizeof(*names));
	vm_deallocate(self, (vm_offset_t)types, types_count * sizeof(*types));
}

/* What the program itself cannot do without: it is looked at, never given up. */
static boolean_t vital(mach_port_name_t name)
{
	size_t i;

	for (i = 0; i < TASKS; i++)
		if (name == tasks[i])
			return TRUE;
	return name == host || name == host_priv_port || name == device_master_port ||
	       name == mig_get_reply_port();
}

static mach_port_name_t any_name(void)
{
	static const mach_port_name_t far[] = {
		40, 63, 64, 100, 1000, 4096, 0x10000, 0x3fffffff, 0xfffffffe,
	};
	unsigned int kind = below(10);

	if (kind == 0)
		return MACH_PORT_NULL;
	if (kind == 1)
		return MACH_PORT_DEAD;
	if (kind < 4)
		return ONE_OF(far);
	return 1 + below(32);
}

/* A name of the space, mostly one with such rights. */
static mach_port_name_t pick(mach_port_name_t task, mach_port_type_t wanted)
{
	size_t i, n = 0, skip;

	look(task, &live);
	if (live.count == 0 || percent(6))
		return any_name();
	if (percent(90))
		for (i = 0; i < live.count; i++)
			n += (live.types[i] & wanted) != 0;
	if (n == 0)
		return live.names[below((unsigned int)live.count)];
	skip = below((unsigned int)n);
	for (i = 0; ; i++)
		if ((live.types[i] & wanted) != 0 && skip-- == 0)
			return live.names[i];
}

/* A name that may be given up: null in place of a vital one. */
static mach_port_name_t pick_to_lose(mach_port_name_t task, mach_port_type_t wanted)
{
	mach_port_name_t name = pick(task, wanted);

	return task == self && vital(name) ? MACH_PORT_NULL : name;
}

static const mach_port_type_t anything = ~0u;
static const mach_port_type_t sends = MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_SEND_ONCE;

static mach_port_type_t type_of(mach_port_name_t name)
{
	mach_port_type_t type = 0;

	return mach_port_type(self, name, &type) == KERN_SUCCESS ? type : 0;
}

/* A disposition that fits the rights, mostly. */
static mach_msg_type_name_t disposition_for(mach_port_type_t type, boolean_t header)
{
	static const mach_msg_type_name_t all[] = {
		MACH_MSG_TYPE_MOVE_RECEIVE, MACH_MSG_TYPE_MOVE_SEND,
		MACH_MSG_TYPE_MOVE_SEND_ONCE, MACH_MSG_TYPE_COPY_SEND,
		MACH_MSG_TYPE_MAKE_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE,
	};
	mach_msg_type_name_t fits[6];
	unsigned int n = 0;

	if (percent(8))
		return ONE_OF(all);
	if (type & (MACH_PORT_TYPE_SEND | MACH_PORT_TYPE_DEAD_NAME)) {
		fits[n++] = MACH_MSG_TYPE_COPY_SEND;
		fits[n++] = MACH_MSG_TYPE_MOVE_SEND;
	}
	if (type & MACH_PORT_TYPE_SEND_ONCE)
		fits[n++] = MACH_MSG_TYPE_MOVE_SEND_ONCE;
	if (type & MACH_PORT_TYPE_RECEIVE) {
		fits[n++] = MACH_MSG_TYPE_MAKE_SEND;
		fits[n++] = MACH_MSG_TYPE_MAKE_SEND_ONCE;
		if (!header)
			fits[n++] = MACH_MSG_TYPE_MOVE_RECEIVE;
	}
	return n == 0 ? ONE_OF(all) : fits[below(n)];
}

static boolean_t gives_up(mach_msg_type_name_t disposition)
{
	return disposition == MACH_MSG_TYPE_MOVE_RECEIVE ||
	       disposition == MACH_MSG_TYPE_MOVE_SEND ||
	       disposition == MACH_MSG_TYPE_MOVE_SEND_ONCE;
}

/*
 * A right of ours to give away: never a vital one but as a copy, and nothing of
 * the reply port's.
 */
static mach_port_name_t right_of_ours(mach_port_type_t wanted, boolean_t header,
				      mach_msg_type_name_t *how)
{
	mach_port_name_t name = pick(self, wanted);

	*how = disposition_for(type_of(name), header);
	if (name == mig_get_reply_port())
		return MACH_PORT_NULL;
	if (vital(name) && gives_up(*how))
		*how = MACH_MSG_TYPE_COPY_SEND;
	return name;
}

static mach_port_name_t a_task(void)
{
	return percent(55) ? self : tasks[below(TASKS)];
}

static void say_task(const char *what, mach_port_name_t task)
{
	size_t i;

	say(what);
	for (i = 0; i < TASKS; i++)
		if (task == tasks[i])
			say_number("task ", i);
}

/* ---- Calls on names. */

static void do_allocate(void)
{
	static const mach_port_right_t rights[] = {
		MACH_PORT_RIGHT_RECEIVE, MACH_PORT_RIGHT_RECEIVE, MACH_PORT_RIGHT_RECEIVE,
		MACH_PORT_RIGHT_RECEIVE, MACH_PORT_RIGHT_PORT_SET, MACH_PORT_RIGHT_DEAD_NAME,
		MACH_PORT_RIGHT_SEND, 7,
	};
	mach_port_right_t right = ONE_OF(rights);
	mach_port_name_t task = a_task(), name = 0;
	kern_return_t kr;

	say_task(" allocate", task);
	say_number("right ", right);
	if (percent(25)) {
		name = percent(70) ? any_name() : pick(task, anything);
		say_number("name ", name);
		kr = mach_port_allocate_name(task, right, name);
	} else if (percent(20)) {
		kr = syscall_mach_port_allocate(task, right, &name);
	} else {
		kr = mach_port_allocate(task, right, &name);
	}
	say_code(kr);
	say_number("", name);
}

static void do_deallocate(void)
{
	mach_port_name_t task = a_task();
	mach_port_name_t name = pick_to_lose(task, sends | MACH_PORT_TYPE_DEAD_NAME);

	say_task(" deallocate", task);
	say_number("", name);
	say_code(percent(20) ? syscall_mach_port_deallocate(task, name) :
		 mach_port_deallocate(task, name));
}

static void do_destroy(void)
{
	mach_port_name_t task = a_task();
	mach_port_name_t name = pick_to_lose(task, anything);

	say_task(" destroy", task);
	say_number("", name);
	say_code(mach_port_destroy(task, name));
}

static void do_mod_refs(void)
{
	static const mach_port_delta_t deltas[] = {
		-1, -1, -1, -1, -2, -3, 1, 1, 2, 3, 0, 65533, 65534, 65535, -65535,
		0x7fffffff, -0x7fffffff,
	};
	mach_port_right_t right = below(20) == 0 ? 5 + below(3) : below(5);
	mach_port_name_t task = a_task();
	mach_port_name_t name = pick_to_lose(task, MACH_PORT_TYPE(right));
	mach_port_delta_t delta = ONE_OF(deltas);

	say_task(" mod_refs", task);
	say_number("", name);
	say_number("right ", right);
	say_number("delta ", (unsigned int)delta);
	say_code(mach_port_mod_refs(task, name, right, delta));
}

static void do_get_refs(void)
{
	mach_port_right_t right = below(7);
	mach_port_name_t task = a_task(), name = pick(task, anything);
	mach_port_urefs_t refs = 0;

	say_task(" get_refs", task);
	say_number("", name);
	say_number("right ", right);
	say_code(mach_port_get_refs(task, name, right, &refs));
	say_number("", refs);
}

static void do_type(void)
{
	mach_port_name_t task = a_task(), name = pick(task, anything);
	mach_port_type_t type = 0;

	say_task(" type", task);
	say_number("", name);
	say_code(mach_port_type(task, name, &type));
	say_number("", type);
}

static void do_rename(void)
{
	mach_port_name_t task = a_task(), name = pick_to_lose(task, anything);
	mach_port_name_t to = percent(80) ? any_name() : pick(task, anything);

	say_task(" rename", task);
	say_number("", name);
	say_number("to ", to);
	say_code(mach_port_rename(task, name, to));
}

static void do_insert(void)
{
	mach_port_name_t task = a_task(), to = any_name(), right;
	mach_msg_type_name_t how;

	right = right_of_ours(MACH_PORT_TYPE_RECEIVE | sends, FALSE, &how);
	if (task == self && percent(60))
		to = right;
	else if (percent(30))
		to = pick(task, anything);
	say_task(" insert", task);
	say_number("name ", to);
	say_number("right ", right);
	say_number("how ", how);
	say_code(mach_port_insert_right(task, to, right, how));
}

static void do_extract(void)
{
	mach_port_name_t task = a_task(), name = pick(task, MACH_PORT_TYPE_RECEIVE | sends);
	mach_msg_type_name_t how, type = 0;
	mach_port_name_t right = 0;
	mach_port_type_t rights = 0;

	mach_port_type(task, name, &rights);
	how = disposition_for(rights, FALSE);
	if (task == self && name == mig_get_reply_port())
		name = MACH_PORT_NULL;
	if (task == self && vital(name) && gives_up(how))
		how = MACH_MSG_TYPE_COPY_SEND;
	say_task(" extract", task);
	say_number("", name);
	say_number("how ", how);
	say_code(mach_port_extract_right(task, name, how, &right, &type));
	say_number("", right);
	say_number("type ", type);
}

static void do_set_numbers(void)
{
	mach_port_name_t task = a_task(), name = pick_to_lose(task, MACH_PORT_TYPE_RECEIVE);
	unsigned int n = below(4) == 0 ? 15 + below(4) : below(6);

	switch (below(3)) {
	case 0:
		say_task(" set_qlimit", task);
		say_number("", name);
		say_number("to ", n);
		say_code(mach_port_set_qlimit(task, name, n));
		break;
	case 1:
		say_task(" set_mscount", task);
		say_number("", name);
		say_number("to ", n);
		say_code(mach_port_set_mscount(task, name, n));
		break;
	default:
		say_task(" set_seqno", task);
		say_number("", name);
		say_number("to ", n);
		say_code(mach_port_set_seqno(task, name, n));
	}
}

static void do_move_member(void)
{
	mach_port_name_t task = a_task();
	mach_port_name_t member = pick_to_lose(task, MACH_PORT_TYPE_RECEIVE);
	mach_port_name_t after = percent(20) ? MACH_PORT_NULL : pick(task, MACH_PORT_TYPE_PORT_SET);

	say_task(" move_member", task);
	say_number("", member);
	say_number("to ", after);
	say_code(mach_port_move_member(task, member, after));
}

static void do_notification(void)
{
	static const mach_msg_id_t ids[] = {
		MACH_NOTIFY_PORT_DESTROYED, MACH_NOTIFY_NO_SENDERS, MACH_NOTIFY_NO_SENDERS,
		MACH_NOTIFY_DEAD_NAME, MACH_NOTIFY_DEAD_NAME, MACH_NOTIFY_SEND_ONCE, 5,
	};
	mach_msg_id_t id = ONE_OF(ids);
	mach_port_name_t task = a_task();
	mach_port_name_t name = pick_to_lose(task, id == MACH_NOTIFY_DEAD_NAME ? sends :
					     MACH_PORT_TYPE_RECEIVE);
	mach_port_name_t notify = MACH_PORT_NULL, before = 0;
	mach_msg_type_name_t how = MACH_MSG_TYPE_MAKE_SEND_ONCE;
	mach_port_mscount_t sync = below(3);

	if (percent(80)) {
		if (percent(15)) {
			how = MACH_MSG_TYPE_MOVE_SEND_ONCE;
			notify = pick_to_lose(self, MACH_PORT_TYPE_SEND_ONCE);
		} else {
			notify = pick_to_lose(self, MACH_PORT_TYPE_RECEIVE);
		}
	}
	say_task(" notification", task);
	say_number("", name);
	say_number("id ", (unsigned long)id);
	say_number("sync ", sync);
	say_number("to ", notify);
	say_number("how ", how);
	say_code(mach_port_request_notification(task, name, id, sync, notify, how, &before));
	say_number("", before);
}

/* ---- Rights that tasks hold elsewhere than under a name. */

static void do_special(void)
{
	mach_port_name_t task = tasks[1 + below(TASKS - 1)], right;
	int which = (int)below(5);

	if (percent(50)) {
		right = percent(15) ? MACH_PORT_NULL : pick(self, MACH_PORT_TYPE_SEND);
		if (right == mig_get_reply_port())
			right = MACH_PORT_NULL;
		say_task(" set_special", task);
		say_number("which ", (unsigned long)which);
		say_number("", right);
		say_code(task_set_special_port(task, which, right));
	} else {
		right = 0;
		say_task(" get_special", task);
		say_number("which ", (unsigned long)which);
		say_code(task_get_special_port(task, which, &right));
		say_number("", right);
	}
}

static void do_registered(void)
{
	mach_port_name_t task = tasks[1 + below(TASKS - 1)], ports[5];
	mach_port_array_t got = NULL;
	mach_msg_type_number_t i, n;

	if (percent(50)) {
		n = below(6);
		say_task(" register", task);
		for (i = 0; i < n; i++) {
			ports[i] = pick(self, MACH_PORT_TYPE_SEND);
			if (ports[i] == mig_get_reply_port())
				ports[i] = MACH_PORT_NULL;
			say_number("", ports[i]);
		}
		say_code(mach_ports_register(task, ports, n));
		return;
	}
	n = 0;
	say_task(" lookup", task);
	say_code(mach_ports_lookup(task, &got, &n));
	for (i = 0; i < n; i++)
		say_number("", got[i]);
	if (n > 0)
		vm_deallocate(self, (vm_offset_t)got, n * sizeof(*got));
}

static void do_task(void)
{
	size_t i = 1 + below(TASKS - 1);

	say_task(" new task for", tasks[i]);
	say_code(task_terminate(tasks[i]));
	tasks[i] = MACH_PORT_NULL;
	say_code(task_create(self, FALSE, &tasks[i]));
	say_number("", tasks[i]);
}

static void do_traps(void)
{
	switch (below(3)) {
	case 0:
		say_number("thread_self ", mach_thread_self());
		break;
	case 1:
		say_number("task_self ", mach_task_self_trap());
		break;
	default:
		say_number("reply_port ", mach_reply_port());
	}
}

/* ---- Messages. */

static union {
	mach_msg_header_t head;
	unsigned char bytes[ROOM];
} msg;

struct writer {
	unsigned char *at;
	boolean_t complex;
};

static void put_type(struct writer *w, mach_msg_type_t type)
{
	memcpy(w->at, &type, sizeof(type));
	w->at += sizeof(type);
}

static void put_word(struct writer *w, uint64_t word)
{
	memcpy(w->at, &word, sizeof(word));
	w->at += sizeof(word);
}

static void put_integers(struct writer *w)
{
	unsigned int n = below(5), i;

	put_type(w, TYPE(.msgt_name = MACH_MSG_TYPE_INTEGER_32, .msgt_size = 32,
			 .msgt_number = n, .msgt_inline = TRUE));
	for (i = 0; i < (n + 1) / 2; i++)
		put_word(w, draw());
	say_number("integers ", n);
}

static void put_ports(struct writer *w)
{
	unsigned int n = below(8) == 0 ? 0 : 1 + below(3), i;
	mach_msg_type_name_t how, first = 0;
	mach_port_name_t name;
	unsigned char *type = w->at;

	w->at += sizeof(mach_msg_type_t);
	say_number("ports ", n);
	for (i = 0; i < n; i++) {
		name = right_of_ours(MACH_PORT_TYPE_RECEIVE | sends, FALSE, &how);
		if (i == 0)
			first = how;
		else if (vital(name) && gives_up(first))
			name = MACH_PORT_DEAD;
		put_word(w, name);
		say_number("", name);
	}
	say_number("how ", first);
	w->complex = TRUE;
	memcpy(type, &TYPE(.msgt_name = first != 0 ? first : MACH_MSG_TYPE_COPY_SEND,
			   .msgt_size = 64, .msgt_number = n, .msgt_inline = TRUE),
	       sizeof(mach_msg_type_t));
}

/* Names out of line, in pages that may go with them. */
static void put_distant_ports(struct writer *w)
{
	unsigned int n = 1 + below(4), i;
	boolean_t deallocate = percent(50);
	mach_msg_type_name_t how, first = 0;
	vm_offset_t page = must_allocate(self, PAGE);
	mach_port_name_t *names = (mach_port_name_t *)(page + 8 * below(8)), name;

	say_number("distant ports ", n);
	say_number("at ", (vm_offset_t)names);
	for (i = 0; i < n; i++) {
		name = right_of_ours(MACH_PORT_TYPE_RECEIVE | sends, FALSE, &how);
		if (i == 0)
			first = how;
		else if (vital(name) && gives_up(first))
			name = MACH_PORT_DEAD;
		names[i] = name;
		say_number("", name);
	}
	say_number("how ", first);
	say_number("deallocate ", (unsigned long)deallocate);
	put_type(w, TYPE(.msgt_name = first, .msgt_size = 32, .msgt_number = n,
			 .msgt_deallocate = deallocate));
	put_word(w, (uint64_t)names);
	w->complex = TRUE;
}

static void put_memory(struct writer *w)
{
	boolean_t deallocate = percent(40), longform = percent(20);
	unsigned int size = below(6) == 0 ? 0 : below(2 * (unsigned int)PAGE);
	vm_offset_t at = data + below((DATA - 2) * (unsigned int)PAGE);

	if (deallocate) {
		at = must_allocate(self, 2 * PAGE) + below((unsigned int)PAGE);
		size = size % (unsigned int)PAGE;
		pattern_fill(at, size, below(256));
	} else if (percent(5)) {
		at = 0x10000000;	/* nothing is there */
	}
	say_number("memory ", size);
	say_number("at ", at);
	say_number("deallocate ", (unsigned long)deallocate);
	if (longform) {
		put_type(w, TYPE(.msgt_longform = TRUE, .msgt_deallocate = deallocate));
		w->at -= sizeof(mach_msg_type_t);
		memcpy(w->at, &(mach_msg_type_long_t){
			.msgtl_header = TYPE(.msgt_longform = TRUE, .msgt_deallocate = deallocate),
			.msgtl_name = MACH_MSG_TYPE_BYTE, .msgtl_size = 8, .msgtl_number = size,
		}, sizeof(mach_msg_type_long_t));
		w->at += sizeof(mach_msg_type_long_t);
	} else {
		put_type(w, TYPE(.msgt_name = MACH_MSG_TYPE_BYTE, .msgt_size = 8,
				 .msgt_number = size, .msgt_deallocate = deallocate));
	}
	put_word(w, at);
	w->complex = TRUE;
}

/* A descriptor that means nothing good. */
static void put_nonsense(struct writer *w)
{
	uint64_t bits = draw() & 0x3fff0fff1f1f;

	say_number("nonsense ", bits);
	put_word(w, bits);
	put_word(w, draw() & 0xff);
	w->complex = TRUE;
}

static mach_msg_size_t make_message(void)
{
	struct writer w = { msg.bytes + sizeof(msg.head), FALSE };
	mach_msg_type_name_t remote = 0, local = 0;
	unsigned int items = below(4);
	mach_msg_size_t size;

	memset(&msg, 0, sizeof(msg));
	msg.head.msgh_remote_port = right_of_ours(sends | MACH_PORT_TYPE_RECEIVE, TRUE, &remote);
	if (percent(60))
		msg.head.msgh_local_port = right_of_ours(sends | MACH_PORT_TYPE_RECEIVE, TRUE, &local);
	if (percent(3))
		local = below(32);
	say_number("remote ", msg.head.msgh_remote_port);
	say_number("how ", remote);
	say_number("local ", msg.head.msgh_local_port);
	say_number("how ", local);
	msg.head.msgh_id = (mach_msg_id_t)(REQUEST_ID + below(100));
	while (items-- > 0)
		switch (below(12)) {
		case 0: case 1: case 2: put_integers(&w); break;
		case 3: case 4: case 5: case 6: put_ports(&w); break;
		case 7: case 8: put_distant_ports(&w); break;
		case 9: case 10: put_memory(&w); break;
		default:
			if (percent(30))
				put_nonsense(&w);
		}
	if (percent(3))
		w.complex = !w.complex;
	size = (mach_msg_size_t)(w.at - msg.bytes);
	if (percent(3))
		size -= 8 * below(3);
	if (percent(2))
		size -= 4;
	msg.head.msgh_bits = MACH_MSGH_BITS(remote, local) |
		(w.complex ? MACH_MSGH_BITS_COMPLEX : 0);
	say_number("bits ", msg.head.msgh_bits);
	say_number("size ", size);
	return size;
}

/* ---- What a message says when it has come, or come back. */

static void tell_distant(mach_msg_type_name_t name, vm_offset_t at, size_t size,
			 size_t number, boolean_t deallocate)
{
	size_t i;

	if (size == 0 || !deallocate || at == 0)
		return;
	if (MACH_MSG_TYPE_PORT_ANY(name)) {
		for (i = 0; i < number; i++)
			say_number("", ((mach_port_name_t *)at)[i]);
	} else {
		say_bytes((void *)at, size);
	}
	vm_deallocate(self, at, size);
}

static void tell_body(boolean_t sent)
{
	unsigned char *at = msg.bytes + sizeof(msg.head);
	unsigned char *end = msg.bytes + msg.head.msgh_size;
	/* The kernel's answers end in four bytes that nobody set. */
	boolean_t kernels = msg.head.msgh_id >= REPLY_ID;

	if (!(msg.head.msgh_bits & MACH_MSGH_BITS_COMPLEX) || sent) {
		if (!sent && msg.head.msgh_size <= ROOM)
			for (; at < end; at += 8)
				say_number("", kernels ? *(uint32_t *)at : *(uint64_t *)at);
		return;
	}
	while (at + sizeof(mach_msg_type_t) <= end) {
		mach_msg_type_long_t type;
		mach_msg_type_name_t name;
		size_t size, number, bytes, i;

		memcpy(&type, at, sizeof(mach_msg_type_t));
		if (type.msgtl_header.msgt_longform) {
			memcpy(&type, at, sizeof(type));
			name = type.msgtl_name;
			size = type.msgtl_size;
			number = type.msgtl_number;
			at += sizeof(type);
		} else {
			name = type.msgtl_header.msgt_name;
			size = type.msgtl_header.msgt_size;
			number = type.msgtl_header.msgt_number;
			at += sizeof(mach_msg_type_t);
		}
		bytes = (size * number + 7) / 8;
		say_number("item ", name);
		say_number("size ", size);
		say_number("number ", number);
		say_number("flags ", type.msgtl_header.msgt_inline |
			   type.msgtl_header.msgt_longform << 1 |
			   type.msgtl_header.msgt_deallocate << 2);
		if (!type.msgtl_header.msgt_inline) {
			vm_offset_t where;

			memcpy(&where, at, sizeof(where));
			say_number("at ", where);
			at += sizeof(where);
			if (MACH_MSG_TYPE_PORT_ANY(name))
				bytes = number * sizeof(mach_port_name_t);
			tell_distant(name, where, bytes, number, type.msgtl_header.msgt_deallocate);
			continue;
		}
		if (at + bytes > end)
			break;
		if (MACH_MSG_TYPE_PORT_ANY(name))
			for (i = 0; i < number; i++) {
				mach_port_name_t port;

				memcpy(&port, at + 8 * i, sizeof(port));
				say_number("", port);
			}
		else
			say_bytes(at, bytes);
		at += (bytes + 7) & ~7ul;
	}
}

static void tell_message(void)
{
	say_number("| bits ", msg.head.msgh_bits);
	say_number("size ", msg.head.msgh_size);
	say_number("remote ", msg.head.msgh_remote_port);
	say_number("local ", msg.head.msgh_local_port);
	say_number("seqno ", msg.head.msgh_seqno);
	say_number("id ", (unsigned long)msg.head.msgh_id);
}

static mach_msg_size_t room(void)
{
	return percent(88) ? ROOM : percent(30) ? below(16) * 4 : below(32) * 8;
}

static mach_port_name_t receive_from(void)
{
	mach_port_name_t name = pick(self, MACH_PORT_TYPE_RECEIVE | MACH_PORT_TYPE_PORT_SET);

	return name == mig_get_reply_port() ? MACH_PORT_NULL : name;
}

/* Options of a receive, and who is to be told of the reply name's death. */
static mach_msg_option_t receive_options(mach_port_name_t *notify)
{
	mach_msg_option_t option = MACH_RCV_MSG | MACH_RCV_TIMEOUT;

	*notify = MACH_PORT_NULL;
	if (percent(30))
		option |= MACH_RCV_LARGE;
	if (percent(15)) {
		option |= MACH_RCV_NOTIFY;
		*notify = pick_to_lose(self, MACH_PORT_TYPE_RECEIVE);
	}
	return option;
}

static void say_receive(mach_port_name_t from, mach_msg_option_t option,
			mach_msg_size_t size, mach_port_name_t notify)
{
	say_number("from ", from);
	say_number("option ", (unsigned long)option);
	say_number("room ", size);
	say_number("notify ", notify);
}

static void tell_answer(mach_msg_return_t mr)
{
	mach_msg_return_t kind = mr & ~MACH_MSG_MASK;

	say_code(mr);
	if (kind == MACH_MSG_SUCCESS || kind == MACH_RCV_BODY_ERROR || kind == MACH_RCV_HEADER_ERROR) {
		tell_message();
		tell_body(FALSE);
	} else if (kind == MACH_RCV_TOO_LARGE) {
		tell_message();
	} else if (kind == MACH_SEND_TIMED_OUT) {
		tell_message();
		tell_body(FALSE);
	}
}

static void do_send(void)
{
	mach_msg_size_t size;
	mach_msg_return_t mr;

	say(" send");
	size = make_message();
	mr = mach_msg(&msg.head, MACH_SEND_MSG | MACH_SEND_TIMEOUT, size, 0, MACH_PORT_NULL, 0,
		      MACH_PORT_NULL);
	if (mr == MACH_MSG_SUCCESS)
		say_code(mr);
	else
		tell_answer(mr);
}

static void do_receive(void)
{
	mach_port_name_t from = receive_from(), notify;
	mach_msg_size_t size = room();
	mach_msg_option_t option = receive_options(&notify);

	say(" receive");
	say_receive(from, option, size, notify);
	memset(&msg, 0, sizeof(msg));
	tell_answer(mach_msg(&msg.head, option, 0, size, from, 0, notify));
}

static void do_both(void)
{
	mach_port_name_t from, notify;
	mach_msg_size_t size, to_receive = room();
	mach_msg_option_t option;

	say(" rpc");
	size = make_message();
	from = receive_from();
	option = receive_options(&notify);
	say_receive(from, option, to_receive, notify);
	tell_answer(mach_msg(&msg.head, option | MACH_SEND_MSG | MACH_SEND_TIMEOUT, size,
			     to_receive, from, 0, notify));
}

/* ---- Steps. */

static void thin_out(mach_port_name_t task)
{
	mach_port_name_t name = pick_to_lose(task, anything);

	say_task(" thin out", task);
	say_number("", name);
	say_code(mach_port_destroy(task, name));
}

static void step(void)
{
	size_t i;

	for (i = 0; i < TASKS; i++) {
		look(tasks[i], &live);
		if (live.count > CROWD) {
			thin_out(tasks[i]);
			return;
		}
	}
	switch (below(100)) {
	case 0 ... 9: do_allocate(); break;
	case 10 ... 13: do_deallocate(); break;
	case 14 ... 16: do_destroy(); break;
	case 17 ... 22: do_mod_refs(); break;
	case 23 ... 24: do_get_refs(); break;
	case 25 ... 26: do_type(); break;
	case 27 ... 29: do_rename(); break;
	case 30 ... 41: do_insert(); break;
	case 42 ... 46: do_extract(); break;
	case 47 ... 49: do_set_numbers(); break;
	case 50 ... 55: do_move_member(); break;
	case 56 ... 62: do_notification(); break;
	case 63 ... 64: do_special(); break;
	case 65 ... 66: do_registered(); break;
	case 67: do_task(); break;
	case 68: do_traps(); break;
	case 69 ... 82: do_send(); break;
	case 83 ... 95: do_receive(); break;
	default: do_both(); break;
	}
}

/* ---- The state: every name of every task, and what it knows of itself. */

static void tell_state_of(mach_port_name_t task, mach_port_name_t name, mach_port_type_t type)
{
	mach_port_name_array_t members = NULL;
	mach_msg_type_number_t n = 0, i;
	mach_port_urefs_t refs;
	mach_port_right_t right;
	mach_port_status_t s;

	say_number("  ", name);
	say_number("type ", type);
	for (right = 0; right < 5; right++)
		if (mach_port_get_refs(task, name, right, &refs) == KERN_SUCCESS && refs != 0)
			say_number("refs ", refs);
	if (mach_port_get_receive_status(task, name, &s) == KERN_SUCCESS) {
		say_number("set ", s.mps_pset);
		say_number("seqno ", s.mps_seqno);
		say_number("mscount ", s.mps_mscount);
		say_number("limit ", s.mps_qlimit);
		say_number("messages ", s.mps_msgcount);
		say_number("once ", s.mps_sorights);
		say_number("srights ", (unsigned long)s.mps_srights);
		say_number("requests ", (unsigned long)(s.mps_pdrequest | s.mps_nsrequest << 1));
	}
	if (mach_port_get_set_status(task, name, &members, &n) == KERN_SUCCESS) {
		for (i = 0; i < n; i++)
			say_number("member ", members[i]);
		if (n > 0)
			vm_deallocate(self, (vm_offset_t)members, n * sizeof(*members));
	}
}

static void state(boolean_t clear)
{
	size_t i, n;

	for (i = 0; i < TASKS; i++) {
		look(tasks[i], &live);
		say_number("task ", i);
		end_line(clear);
		for (n = 0; n < live.count; n++) {
			tell_state_of(tasks[i], live.names[n], live.types[n]);
			end_line(clear);
		}
	}
}

static void program(long seed, long steps, long unused)
{
	size_t i;

	(void)unused;
	data = must_allocate(self, DATA * PAGE);
	pattern_fill(data, DATA * PAGE, 1);
	tasks[0] = self;
	for (i = 1; i < TASKS; i++)
		must("task_create", task_create(self, FALSE, &tasks[i]));
	random_run((unsigned long)seed, (unsigned long)steps, step, state);
	for (i = 1; i < TASKS; i++) {
		task_terminate(tasks[i]);
		mach_port_destroy(self, tasks[i]);
	}
	vm_deallocate(self, data, DATA * PAGE);
}

int main(int argc, char **argv)
{
	return random_main(argc, argv, program);
}
