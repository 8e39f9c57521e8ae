/* The run-time of the C drivers. It reads cases from standard input, a line
   each:

     user ROUTINE FILL CODE REPLY ARGUMENT...     calls a client's stub; mach_msg
                                                  answers CODE and delivers REPLY
     server NAME FILL CODE REQUEST RESULT...      has a server answer REQUEST; the
                                                  routine returns CODE and RESULTs

   and prints a line for each: what was sent, the code, and the results. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "driver.h"

extern struct user *const users[];
extern struct server servers[];

static char line[1 << 20], *next;
static unsigned char in[1 << 17], out[1 << 17], reply[1 << 16];
static unsigned char arena[1 << 21];
static unsigned used, reply_size;
static int filler, code, dropped;
static sigjmp_buf crash;

static char *token(void)
{
	char *t = next;
	if (*t == 0) {
		fprintf(stderr, "a token is missing\n");
		exit(1);
	}
	while (*next != ' ' && *next != 0)
		next++;
	if (*next == ' ')
		*next++ = 0;
	return t;
}

char *scratch(unsigned size)
{
	char *p = (char *)arena + used;
	used = (used + size + 64) & ~15u;
	if (used > sizeof arena) {
		fprintf(stderr, "no room\n");
		exit(1);
	}
	memset(p, filler, size + 8);
	return p;
}

int is_scratch(const void *p) { return (unsigned char *)p >= arena && (unsigned char *)p < arena + sizeof arena; }
int in_message(const void *p) { return (unsigned char *)p >= in && (unsigned char *)p < in + sizeof in; }

static int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static unsigned hex(const char *t, unsigned char *to)
{
	unsigned n = 0;
	for (; digit(t[0]) >= 0; t += 2)
		to[n++] = digit(t[0]) << 4 | digit(t[1]);
	return n;
}

void take(void *to, unsigned size)
{
	char *t = token();
	if (*t == ':') {
		unsigned char *p = (unsigned char *)scratch(strlen(t));
		memcpy(to, p, hex(t + 1, p));
		return;
	}
	unsigned long v = strtoul(t, 0, 16);
	memcpy(to, &v, size);
}

void *take_bytes(unsigned *size)
{
	char *t = token();
	unsigned char *p = (unsigned char *)scratch(strlen(t));
	*size = hex(t + 1, p);
	p[*size] = 0;
	return p;
}

void *take_memory(unsigned *count)
{
	void *p;
	unsigned n;
	if (*next == ':')
		p = take_bytes(&n);
	else
		p = (void *)strtoul(token(), 0, 16);
	*count = strtoul(token(), 0, 16);
	return p;
}

void put(const void *from, unsigned size)
{
	unsigned long v = 0;
	memcpy(&v, from, size);
	printf(" %lx", v);
}

void put_bytes(const void *from, unsigned long size)
{
	const unsigned char *p = from;
	if (size > sizeof reply) {
		printf(" more");
		return;
	}
	printf(" :");
	while (size-- > 0)
		printf("%02x", *p++);
}

void put_string(const char *from, unsigned most) { put_bytes(from, strnlen(from, most)); }

void put_array(const void *from, int inlined, unsigned long size, unsigned count)
{
	if (inlined)
		put_bytes(from, size);
	else
		put(&from, 8);
	put(&count, 4);
}

void put_code(int kr) { printf(" kr=%x", kr); }
void put_names(const void *from, unsigned count)
{
	unsigned char *p = (unsigned char *)scratch(4 * (count < 8192 ? count : 0));
	for (unsigned i = 0; i < count && i < 8192; i++)
		memcpy(p + 4 * i, (const char *)from + 8 * i, 4);
	put_bytes(p, 4ul * count);
}

int answer(const char *routine)
{
	printf(" %s", routine);
	return code;
}

void __attribute__((noinline)) fill(void)
{
	char room[1 << 17];
	memset(room, filler, sizeof room);
	__asm__ volatile("" : : "r"(room) : "memory");
}

/* GNU Mach's C library, as far as stubs call it. */
int mach_msg(void *message, int option, unsigned send, unsigned receive, unsigned name,
	     unsigned timeout, unsigned notify)
{
	printf(" option=%x send=%x receive=%x name=%x timeout=%x notify=%x", option, send, receive, name, timeout, notify);
	put_bytes(message, send);
	if (code != 0)
		return code;
	if (reply_size > receive && receive != 0)
		return 0x10004004; /* MACH_RCV_TOO_LARGE */
	if (receive != 0)
		memcpy(message, reply, reply_size);
	return 0;
}

unsigned mig_get_reply_port(void) { return 0x1234567; }
void mig_put_reply_port(unsigned p) { (void)p; }
void mig_dealloc_reply_port(unsigned p) { dropped += p == 0x1234567; }
void mig_allocate(unsigned long *p, unsigned long size) { *p = (unsigned long)scratch(size < sizeof reply ? size : 0); }
void mig_deallocate(unsigned long p, unsigned long size) { (void)p, (void)size; }

unsigned long mig_strncpy(char *to, const char *from, unsigned long len)
{
	unsigned long n = 0;
	if (len == 0)
		return 0;
	while (n < len - 1 && from[n] != 0) {
		to[n] = from[n];
		n++;
	}
	to[n] = 0;
	return n;
}

static void user(void)
{
	char *name = token();
	filler = strtoul(token(), 0, 16);
	code = strtoul(token(), 0, 16);
	memset(reply, filler, sizeof reply);
	reply_size = hex(token() + 1, reply);
	dropped = 0;
	for (struct user *const *list = users; *list; list++)
		for (struct user *u = *list; u->name; u++)
			if (strcmp(u->name, name) == 0) {
				u->call();
				printf(" dropped=%d", dropped);
				return;
			}
	printf(" no %s", name);
}

static void server(void)
{
	char *name = token();
	filler = strtoul(token(), 0, 16);
	code = strtoul(token(), 0, 16);
	memset(in, filler, sizeof in);
	memset(out, filler, sizeof out);
	hex(token() + 1, in);
	for (struct server *s = servers; s->name; s++)
		if (strcmp(s->name, name) == 0) {
			int ok = s->serve(in, out);
			unsigned size;
			memcpy(&size, out + 4, 4);
			printf(" known=%d", ok);
			put_bytes(out, size);
			return;
		}
	printf(" no %s", name);
}

static void on_signal(int n) { siglongjmp(crash, n); }

int main(void)
{
	static char buffer[1 << 16];
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
	sigaction(SIGSEGV, &act, 0);
	sigaction(SIGBUS, &act, 0);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		next = line;
		used = 0;
		int isuser = strcmp(token(), "user") == 0;
		if (sigsetjmp(crash, 1) != 0)
			printf(" crash");
		else if (isuser)
			user();
		else
			server();
		printf("\n");
	}
	return 0;
}
