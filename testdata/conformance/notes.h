/*
 * Notifications as cases see them: names have words, and what has come to a port
 * is told message by message.
 */
#ifndef NOTES_H
#define NOTES_H

#include <mach/notify.h>

#include "message.h"

/* ---- Words for names, so that an answer can say which name it is about. */

enum { WORDS = 64 };

static struct {
	mach_port_name_t name[WORDS];
	const char *word[WORDS];
	size_t count;
} words;

static inline void words_begin(void)
{
	words.count = 0;
}

static inline mach_port_name_t called(const char *word, mach_port_name_t name)
{
	if (words.count < WORDS) {
		words.name[words.count] = name;
		words.word[words.count++] = word;
	}
	return name;
}

/* The word given last counts: a name may be used again. */
static inline const char *word_of(mach_port_name_t name)
{
	size_t i;

	for (i = words.count; i > 0; i--)
		if (words.name[i - 1] == name)
			return words.word[i - 1];
	return port_word(name);
}

/* ---- Requests. */

static inline kern_return_t arm_by(mach_port_name_t task, mach_port_name_t name, mach_msg_id_t id,
				   mach_port_mscount_t sync, mach_port_name_t notify,
				   mach_msg_type_name_t type)
{
	mach_port_name_t previous = MACH_PORT_NULL;
	kern_return_t kr = mach_port_request_notification(task, name, id, sync, notify, type,
							  &previous);

	if (kr == KERN_SUCCESS && previous != MACH_PORT_NULL) {
		tell_name("the one before", previous);
		keep_name(previous);
	}
	return kr;
}

static inline kern_return_t arm(mach_port_name_t name, mach_msg_id_t id,
				mach_port_mscount_t sync, mach_port_name_t notify)
{
	return arm_by(self, name, id, sync, notify, MACH_MSG_TYPE_MAKE_SEND_ONCE);
}

static inline void must_arm(mach_port_name_t name, mach_msg_id_t id, mach_port_name_t notify)
{
	must("mach_port_request_notification", arm(name, id, 0, notify));
}

/* ---- What has come. */

static inline const char *note_word(mach_msg_id_t id)
{
	switch (id) {
	case MACH_NOTIFY_PORT_DELETED: return "port-deleted";
	case MACH_NOTIFY_MSG_ACCEPTED: return "msg-accepted";
	case MACH_NOTIFY_PORT_DESTROYED: return "port-destroyed";
	case MACH_NOTIFY_NO_SENDERS: return "no-senders";
	case MACH_NOTIFY_SEND_ONCE: return "send-once";
	case MACH_NOTIFY_DEAD_NAME: return "dead-name";
	}
	return NULL;
}

/* Receives one message from a port or set, and tells it in a line. */
static inline boolean_t tell_note(mach_port_name_t from, struct message *msg)
{
	mach_msg_return_t mr = receive(from, msg);
	const char *word;

	if (mr == MACH_RCV_TIMED_OUT)
		return FALSE;
	if (mr != MACH_MSG_SUCCESS) {
		code("  receive", mr);
		return FALSE;
	}
	word = note_word(msg->head.msgh_id);
	if (word == NULL)
		mach_printf("  message %d", msg->head.msgh_id);
	else
		mach_printf("  %s", word);
	switch (msg->head.msgh_id) {
	case MACH_NOTIFY_PORT_DELETED:
	case MACH_NOTIFY_MSG_ACCEPTED:
	case MACH_NOTIFY_DEAD_NAME:
		mach_printf(" of %s", word_of((mach_port_name_t)msg->item[0].word));
		break;
	case MACH_NOTIFY_NO_SENDERS:
		mach_printf(", made %u", (unsigned)msg->item[0].word);
		break;
	}
	mach_printf(", seqno %u", msg->head.msgh_seqno);
	if (msg->head.msgh_local_port != from)
		mach_printf(", at %s", word_of(msg->head.msgh_local_port));
	if (msg->head.msgh_id == MACH_NOTIFY_PORT_DESTROYED)
		tell_name(", right", keep_name(msg->item[0].port.name));
	else
		mach_printf("\n");
	keep_name(msg->head.msgh_remote_port);
	return TRUE;
}

/* All that has come to a port or set, in order. */
static inline void tell_notes(const char *what, mach_port_name_t from)
{
	struct message msg;
	int n = 0;

	mach_printf("%s:\n", what);
	while (n < 100 && tell_note(from, &msg))
		n++;
	if (n == 0)
		mach_printf("  nothing\n");
}

static inline void tell_status(const char *what, mach_port_name_t name)
{
	mach_port_status_t s;
	kern_return_t kr = mach_port_get_receive_status(self, name, &s);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	mach_printf("%s: set %s, seqno %u, made %u, limit %u, messages %u, send-once %u, send %d, "
		    "port-destroyed %d, no-senders %d\n", what, word_of(s.mps_pset), s.mps_seqno,
		    s.mps_mscount, s.mps_qlimit, s.mps_msgcount, s.mps_sorights, s.mps_srights,
		    s.mps_pdrequest, s.mps_nsrequest);
}

/* A plain message by a copied send right. */
static inline void send_plain(mach_port_name_t to, mach_msg_id_t id)
{
	struct message msg = message_to(to);

	msg.head.msgh_id = id;
	must("send", send_sized(&msg, HEADER));
}

static inline void send_right(mach_port_name_t to, mach_port_name_t name,
			      mach_msg_type_name_t type, mach_msg_id_t id)
{
	struct message msg = message_with(to, TYPE_PORT(type), name);

	msg.head.msgh_id = id;
	must("send", send_sized(&msg, HEADER + ITEM));
}

#endif
