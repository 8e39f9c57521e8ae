#include <stdarg.h>

#include <libmach/libmach.h>

struct console {
	char text[256];
	size_t used;
};

static void flush(struct console *out)
{
	if (out->used == 0)
		return;
	out->text[out->used] = '\0';
	mach_print(out->text);
	out->used = 0;
}

static void put(struct console *out, char c)
{
	if (out->used == sizeof(out->text) - 1)
		flush(out);
	out->text[out->used++] = c;
}

struct layout {
	size_t width;
	boolean_t left;
	boolean_t zeros;
};

static void put_text(struct console *out, const char *text, size_t length,
		     struct layout as)
{
	size_t pad = as.width > length ? as.width - length : 0;

	if (!as.left)
		for (; pad > 0; pad--)
			put(out, ' ');
	for (; length > 0; length--)
		put(out, *text++);
	for (; pad > 0; pad--)
		put(out, ' ');
}

static void put_number(struct console *out, unsigned long value,
		       unsigned int base, boolean_t negative, struct layout as)
{
	char digits[24];
	size_t at = sizeof(digits);
	size_t signs = negative ? 1 : 0;

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (as.zeros && !as.left)
		while (at > signs && sizeof(digits) - at + signs < as.width)
			digits[--at] = '0';
	if (negative)
		digits[--at] = '-';
	put_text(out, digits + at, sizeof(digits) - at, as);
}

/* An integer argument of the size its modifiers name. */
static unsigned long take(va_list *args, int longs, boolean_t is_signed)
{
	if (longs > 0)
		return va_arg(*args, unsigned long);
	if (is_signed)
		return (unsigned long)(long)va_arg(*args, int);
	return va_arg(*args, unsigned int);
}

static const char *convert(struct console *out, const char *f, va_list *args)
{
	struct layout as = { 0, FALSE, FALSE };
	unsigned long value;
	const char *text;
	int longs = 0;
	char c;

	for (; *f == '-' || *f == '0'; f++) {
		as.left |= *f == '-';
		as.zeros |= *f == '0';
	}
	for (; *f >= '0' && *f <= '9'; f++)
		as.width = as.width * 10 + (size_t)(*f - '0');
	for (; *f == 'l' || *f == 'z'; f++)
		longs++;

	switch (*f) {
	case 'd':
	case 'i':
		value = take(args, longs, TRUE);
		if ((long)value < 0)
			put_number(out, 0UL - value, 10, TRUE, as);
		else
			put_number(out, value, 10, FALSE, as);
		break;
	case 'u':
		put_number(out, take(args, longs, FALSE), 10, FALSE, as);
		break;
	case 'x':
		put_number(out, take(args, longs, FALSE), 16, FALSE, as);
		break;
	case 'p':
		put_text(out, "0x", 2, (struct layout){ 0, FALSE, FALSE });
		put_number(out, va_arg(*args, unsigned long), 16, FALSE, as);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		put_text(out, &c, 1, as);
		break;
	case 's':
		text = va_arg(*args, const char *);
		put_text(out, text, strlen(text), as);
		break;
	case '\0':
		return f;
	default:
		put(out, *f);
	}
	return f + 1;
}

void mach_printf(const char *format, ...)
{
	struct console out = { .used = 0 };
	va_list args;

	va_start(args, format);
	while (*format != '\0') {
		if (*format == '%')
			format = convert(&out, format + 1, &args);
		else
			put(&out, *format++);
	}
	va_end(args);
	flush(&out);
}
