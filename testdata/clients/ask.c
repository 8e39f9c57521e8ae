/*
 * ask: sends a line of text to a port and prints what comes back.
 *
 *	usage: ask PORT [TEXT]
 *
 * PORT is the name of a send right the task was started with. It is not for
 * the real kernel, which has no server to give a boot task.
 */
#include <libmach/libmach.h>

#include "report.h"

enum { ASK_ID = 5000, REPLY_ID = ASK_ID + 100 };

struct line {
	mach_msg_header_t head;
	mach_msg_type_t type;
	char text[128];
};

static mach_port_name_t parse_name(const char *digits)
{
	mach_port_name_t name = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++)
		name = name * 10 + (mach_port_name_t)(*digits - '0');
	return name;
}

int main(int argc, char **argv)
{
	const char *text = argc > 2 ? argv[2] : "who are you?";
	mach_port_name_t reply = mach_reply_port();
	struct line line;
	size_t length = strlen(text) + 1;

	if (argc < 2 || length > sizeof(line.text)) {
		mach_printf("usage: ask PORT [TEXT]\n");
		return 1;
	}
	memset(&line, 0, sizeof(line));
	line.head.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	line.head.msgh_remote_port = parse_name(argv[1]);
	line.head.msgh_local_port = reply;
	line.head.msgh_id = ASK_ID;
	line.type.msgt_name = MACH_MSG_TYPE_STRING;
	line.type.msgt_size = 8;
	line.type.msgt_number = (mach_msg_type_number_t)length;
	line.type.msgt_inline = TRUE;
	memcpy(line.text, text, length);

	must("ask", mach_msg(&line.head, MACH_SEND_MSG | MACH_RCV_MSG, sizeof(line), sizeof(line),
			     reply, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL));
	if (line.head.msgh_id != REPLY_ID) {
		mach_printf("an answer with id %d\n", line.head.msgh_id);
		return 1;
	}
	mach_printf("asked: %s\nanswered: %s\n", text, line.text);
	return 0;
}
