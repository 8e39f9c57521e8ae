#include <libmach/libmach.h>

struct code_name {
	kern_return_t code;
	const char *name;
};

#define CODE(name) { (kern_return_t)(name), #name }

static const struct code_name code_names[] = {
	CODE(KERN_SUCCESS),
	CODE(KERN_INVALID_ADDRESS),
	CODE(KERN_PROTECTION_FAILURE),
	CODE(KERN_NO_SPACE),
	CODE(KERN_INVALID_ARGUMENT),
	CODE(KERN_FAILURE),
	CODE(KERN_RESOURCE_SHORTAGE),
	CODE(KERN_NOT_RECEIVER),
	CODE(KERN_NO_ACCESS),
	CODE(KERN_MEMORY_FAILURE),
	CODE(KERN_MEMORY_ERROR),
	CODE(KERN_NOT_IN_SET),
	CODE(KERN_NAME_EXISTS),
	CODE(KERN_ABORTED),
	CODE(KERN_INVALID_NAME),
	CODE(KERN_INVALID_TASK),
	CODE(KERN_INVALID_RIGHT),
	CODE(KERN_INVALID_VALUE),
	CODE(KERN_UREFS_OVERFLOW),
	CODE(KERN_INVALID_CAPABILITY),
	CODE(KERN_RIGHT_EXISTS),
	CODE(KERN_INVALID_HOST),
	CODE(KERN_MEMORY_PRESENT),
	CODE(KERN_WRITE_PROTECTION_FAILURE),
	CODE(KERN_TERMINATED),
	CODE(KERN_TIMEDOUT),
	CODE(KERN_INTERRUPTED),

	CODE(MACH_SEND_IN_PROGRESS),
	CODE(MACH_SEND_INVALID_DATA),
	CODE(MACH_SEND_INVALID_DEST),
	CODE(MACH_SEND_TIMED_OUT),
	CODE(MACH_SEND_WILL_NOTIFY),
	CODE(MACH_SEND_NOTIFY_IN_PROGRESS),
	CODE(MACH_SEND_INTERRUPTED),
	CODE(MACH_SEND_MSG_TOO_SMALL),
	CODE(MACH_SEND_INVALID_REPLY),
	CODE(MACH_SEND_INVALID_RIGHT),
	CODE(MACH_SEND_INVALID_NOTIFY),
	CODE(MACH_SEND_INVALID_MEMORY),
	CODE(MACH_SEND_NO_BUFFER),
	CODE(MACH_SEND_NO_NOTIFY),
	CODE(MACH_SEND_INVALID_TYPE),
	CODE(MACH_SEND_INVALID_HEADER),

	CODE(MACH_RCV_IN_PROGRESS),
	CODE(MACH_RCV_INVALID_NAME),
	CODE(MACH_RCV_TIMED_OUT),
	CODE(MACH_RCV_TOO_LARGE),
	CODE(MACH_RCV_INTERRUPTED),
	CODE(MACH_RCV_PORT_CHANGED),
	CODE(MACH_RCV_INVALID_NOTIFY),
	CODE(MACH_RCV_INVALID_DATA),
	CODE(MACH_RCV_PORT_DIED),
	CODE(MACH_RCV_IN_SET),
	CODE(MACH_RCV_HEADER_ERROR),
	CODE(MACH_RCV_BODY_ERROR),

	CODE(MIG_TYPE_ERROR),
	CODE(MIG_REPLY_MISMATCH),
	CODE(MIG_REMOTE_ERROR),
	CODE(MIG_BAD_ID),
	CODE(MIG_BAD_ARGUMENTS),
	CODE(MIG_NO_REPLY),
	CODE(MIG_EXCEPTION),
	CODE(MIG_ARRAY_TOO_LARGE),
	CODE(MIG_SERVER_DIED),
	CODE(MIG_DESTROY_REQUEST),
};

/* Bits the kernel may add to a message code, see <mach/message.h>. */
static const struct code_name special_bits[] = {
	CODE(MACH_MSG_IPC_SPACE),
	CODE(MACH_MSG_VM_SPACE),
	CODE(MACH_MSG_IPC_KERNEL),
	CODE(MACH_MSG_VM_KERNEL),
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *name_of(kern_return_t code)
{
	size_t i;

	for (i = 0; i < COUNT(code_names); i++)
		if (code_names[i].code == code)
			return code_names[i].name;
	return NULL;
}

static size_t append(struct mach_error_text *out, size_t at, const char *text)
{
	while (*text != '\0' && at < sizeof(out->text) - 1)
		out->text[at++] = *text++;
	out->text[at] = '\0';
	return at;
}

static void append_hex(struct mach_error_text *out, size_t at, unsigned int value)
{
	char digits[] = "0x00000000";
	int i;

	for (i = 9; i >= 2; i--) {
		digits[i] = "0123456789abcdef"[value & 0xf];
		value >>= 4;
	}
	append(out, at, digits);
}

struct mach_error_text mach_error_text(kern_return_t code)
{
	struct mach_error_text out;
	kern_return_t special = 0;
	const char *name = name_of(code);
	size_t at, i;

	/* Only codes of the message system carry special bits. */
	if (name == NULL && (code & ~0x7fff) == 0x10000000) {
		special = code & MACH_MSG_MASK;
		name = name_of(code & ~MACH_MSG_MASK);
	}
	if (name == NULL) {
		append_hex(&out, 0, (unsigned int)code);
		return out;
	}
	at = append(&out, 0, name);
	for (i = 0; i < COUNT(special_bits); i++)
		if (special & special_bits[i].code) {
			at = append(&out, at, "|");
			at = append(&out, at, special_bits[i].name);
		}
	return out;
}
