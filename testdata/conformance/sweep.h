/*
 * Many combinations in one case, each told in a few characters.
 *
 * A name: what it denotes, each right with its references if they are not one.
 * s send, r receive, o send-once, p port set, d dead name, - nothing; with a
 * message waiting at a receive right, a q and how many.
 *
 * A code: . success, D invalid destination, R invalid reply, H invalid header,
 * N invalid notify, S too small, T invalid type, M invalid memory, G invalid
 * right, W timed out; any other as its number.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "suite.h"

#include "message.h"

/* A right of a kind, and what is needed to see what becomes of it. */
struct swept {
	mach_port_name_t name;
	mach_port_name_t port;	/* the receive right, if it is here under another name */
	mach_port_name_t there;	/* the receive right's name in the task elsewhere */
};

static mach_port_name_t elsewhere;

/*
 * The line being made: the real kernel writes complaints of its own to the
 * console, which must not come in its middle.
 */
static struct {
	char text[4096];
	size_t used;
} line;

static inline void put(const char *text)
{
	while (*text != '\0' && line.used < sizeof(line.text) - 1)
		line.text[line.used++] = *text++;
}

static inline void put_number(unsigned long n, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n != 0);
	put(digits + at);
}

static inline void end_line(void)
{
	line.text[line.used] = '\0';
	line.used = 0;
	mach_printf("%s\n", line.text);
}

/* A name that is used once, in any task; it is nobody's fixture. */
static inline mach_port_name_t swept_name(void)
{
	static mach_port_name_t last = 3000000;

	return ++last;
}

static inline mach_port_name_t swept_allocate(mach_port_right_t right)
{
	mach_port_name_t name = MACH_PORT_NULL;

	must("mach_port_allocate", mach_port_allocate(self, right, &name));
	return name;
}

static inline void swept_insert(mach_port_name_t task, mach_port_name_t name,
				mach_port_name_t port, mach_msg_type_name_t type)
{
	must("mach_port_insert_right", mach_port_insert_right(task, name, port, type));
}

/* make_kind, but for how it ends: see swept_end. A send right has references. */
static inline struct swept swept_make(enum name_kind kind, mach_port_urefs_t references)
{
	struct swept s = { MACH_PORT_NULL, MACH_PORT_NULL, MACH_PORT_NULL };

	switch (kind) {
	case KIND_dead_port:
		s.name = MACH_PORT_DEAD;
		break;
	case KIND_no_name:
		s.name = NO_NAME;
		break;
	case KIND_receive:
	case KIND_send_receive:
	case KIND_send:
	case KIND_died:
		s.name = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
		if (kind == KIND_receive)
			break;
		swept_insert(self, s.name, s.name, MACH_MSG_TYPE_MAKE_SEND);
		if (references > 1)
			must("mach_port_mod_refs",
			     mach_port_mod_refs(self, s.name, MACH_PORT_RIGHT_SEND,
						(mach_port_delta_t)references - 1));
		if (kind == KIND_send) {
			s.there = swept_name();
			swept_insert(elsewhere, s.there, s.name, MACH_MSG_TYPE_MOVE_RECEIVE);
		}
		if (kind == KIND_died)
			must("mach_port_mod_refs",
			     mach_port_mod_refs(self, s.name, MACH_PORT_RIGHT_RECEIVE, -1));
		break;
	case KIND_send_once:
		s.port = swept_allocate(MACH_PORT_RIGHT_RECEIVE);
		s.name = swept_name();
		swept_insert(self, s.name, s.port, MACH_MSG_TYPE_MAKE_SEND_ONCE);
		break;
	case KIND_dead_name:
		s.name = swept_allocate(MACH_PORT_RIGHT_DEAD_NAME);
		if (references > 1)
			must("mach_port_mod_refs",
			     mach_port_mod_refs(self, s.name, MACH_PORT_RIGHT_DEAD_NAME,
						(mach_port_delta_t)references - 1));
		break;
	case KIND_port_set:
		s.name = swept_allocate(MACH_PORT_RIGHT_PORT_SET);
		break;
	default:
		break;
	}
	return s;
}

static inline void swept_end(struct swept s)
{
	if (MACH_PORT_VALID(s.name) && s.name != NO_NAME)
		mach_port_destroy(self, s.name);
	if (s.port != MACH_PORT_NULL)
		mach_port_destroy(self, s.port);
	if (s.there != MACH_PORT_NULL)
		mach_port_destroy(elsewhere, s.there);
}

static inline void put_code(mach_msg_return_t mr)
{
	switch (mr) {
	case MACH_MSG_SUCCESS: put("."); break;
	case MACH_SEND_INVALID_DEST: put("D"); break;
	case MACH_SEND_INVALID_REPLY: put("R"); break;
	case MACH_SEND_INVALID_HEADER: put("H"); break;
	case MACH_SEND_INVALID_NOTIFY: put("N"); break;
	case MACH_SEND_MSG_TOO_SMALL: put("S"); break;
	case MACH_SEND_INVALID_TYPE: put("T"); break;
	case MACH_SEND_INVALID_MEMORY: put("M"); break;
	case MACH_SEND_INVALID_RIGHT: put("G"); break;
	case MACH_SEND_TIMED_OUT: put("W"); break;
	default: put_number((unsigned int)mr, 16);
	}
}

static inline void put_name(mach_port_name_t name)
{
	struct mach_port_status status;
	mach_port_type_t type = 0;
	mach_port_urefs_t refs;
	mach_port_right_t right;

	if (mach_port_type(self, name, &type) != KERN_SUCCESS) {
		put("-");
		return;
	}
	for (right = 0; right < 5; right++) {
		if (!(type & MACH_PORT_TYPE(right)))
			continue;
		refs = 0;
		mach_port_get_refs(self, name, right, &refs);
		put((const char *const[]){ "s", "r", "o", "p", "d" }[right]);
		if (refs != 1)
			put_number(refs, 10);
	}
	if ((type & MACH_PORT_TYPE_RECEIVE) &&
	    mach_port_get_receive_status(self, name, &status) == KERN_SUCCESS &&
	    status.mps_msgcount != 0) {
		put("q");
		put_number(status.mps_msgcount, 10);
	}
}

/* The right as it is now: its name, and the queue and rights of its port. */
static inline void put_swept(const struct swept *s)
{
	struct mach_port_status status;

	put_name(s->name);
	if (s->port != MACH_PORT_NULL) {
		put("'");
		put_name(s->port);
	}
	if (s->there != MACH_PORT_NULL &&
	    mach_port_get_receive_status(elsewhere, s->there, &status) == KERN_SUCCESS) {
		put("'");
		put_number(status.mps_msgcount, 10);
		put(status.mps_srights ? "s" : "");
		put(status.mps_sorights ? "o" : "");
	}
}

/*
 * Takes the next message from a port, if there is one: its disposition bits,
 * and whether the remote right came as null, dead, under the name given or
 * under another, which is given up.
 */
static inline void put_received(mach_port_name_t port, mach_port_name_t known)
{
	struct message msg;
	mach_port_name_t remote;

	if (receive(port, &msg) != MACH_MSG_SUCCESS)
		return;
	remote = msg.head.msgh_remote_port;
	put(">");
	put_number(msg.head.msgh_bits, 16);
	put(remote == MACH_PORT_NULL ? "n" : remote == MACH_PORT_DEAD ? "x" :
	    remote == known ? "=" : "+");
	if (msg.head.msgh_id != 1000) {
		put("#");
		put_number((unsigned int)msg.head.msgh_id, 10);
	}
	if (MACH_PORT_VALID(remote) && remote != known)
		mach_port_deallocate(self, remote);
}

static inline void put_all_received(const struct swept *s, mach_port_name_t known)
{
	mach_port_type_t type = 0;
	mach_port_name_t from = s->port != MACH_PORT_NULL ? s->port : s->name;
	int i;

	if (mach_port_type(self, from, &type) == KERN_SUCCESS && (type & MACH_PORT_TYPE_RECEIVE))
		for (i = 0; i < 2; i++)
			put_received(from, known);
}

static const struct swept_kind {
	const char *name;
	enum name_kind kind;
	mach_port_urefs_t references;
} swept_kinds[] = {
	{ "null", KIND_null, 0 },
	{ "dead port", KIND_dead_port, 0 },
	{ "no name", KIND_no_name, 0 },
	{ "receive", KIND_receive, 0 },
	{ "send", KIND_send, 1 },
	{ "two sends", KIND_send, 2 },
	{ "send-receive", KIND_send_receive, 1 },
	{ "send-once", KIND_send_once, 0 },
	{ "dead name", KIND_dead_name, 1 },
	{ "died", KIND_died, 1 },
	{ "port set", KIND_port_set, 0 },
};

enum { SWEPT_KINDS = sizeof(swept_kinds) / sizeof(swept_kinds[0]) };

#endif
