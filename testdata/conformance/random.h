/*
 * Random programs: a case draws its operations from a seed, and what they
 * answered is told as a digest of every 50 steps and, in clear, the last ones.
 * Everything drawn depends on the seed and on earlier answers only, so two
 * kernels that answer alike run the same program.
 *
 * Words: seed=N runs the program of that seed instead of the cases, steps=N
 * says how long, clear=A-B prints those steps in clear, and with the word state
 * each is followed by the state after it; with entries, memory is told entry by
 * entry, with its offset.
 */
#ifndef RANDOM_H
#define RANDOM_H

#define main suite_main
int suite_main(int argc, char **argv);
#include "suite.h"
#undef main

enum { DIGEST_STEPS = 50, CLEAR_AT_THE_END = 10 };

enum { LINE = 4096 };

static struct {
	uint64_t drawn;		/* the generator */
	uint64_t digest;
	unsigned long step, clear_from, clear_to;
	boolean_t end, states, entries;
	size_t used;
	char line[LINE];
} run;

/* ---- What is drawn: splitmix64. */

static inline uint64_t draw(void)
{
	uint64_t z = run.drawn += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline unsigned int below(unsigned int n)
{
	return (unsigned int)(draw() >> 33) % n;
}

static inline boolean_t percent(unsigned int n)
{
	return below(100) < n;
}

#define ONE_OF(array) ((array)[below(sizeof(array) / sizeof((array)[0]))])

/* ---- What is told. */

static inline void digest_bytes(const volatile void *data, size_t size)
{
	const volatile unsigned char *bytes = data;

	while (size-- > 0)
		run.digest = (run.digest ^ *bytes++) * 0x100000001b3;
}

static inline void write_text(const char *text)
{
	while (*text != '\0' && run.used < LINE - 1)
		run.line[run.used++] = *text++;
}

static inline void write_number(unsigned long n, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n != 0);
	write_text(digits + at);
}

static inline void say(const char *text)
{
	digest_bytes(text, strlen(text));
	write_text(text);
}

/* Numbers are hexadecimal. */
static inline void say_number(const char *what, unsigned long n)
{
	digest_bytes(&n, sizeof(n));
	write_text(" ");
	say(what);
	write_number(n, 16);
}

static inline void say_code(kern_return_t kr)
{
	digest_bytes(&kr, sizeof(kr));
	write_text(": ");
	write_text(mach_error_string(kr));
}

/* Bytes are told by their digest. */
static inline void say_bytes(const volatile void *data, size_t size)
{
	uint64_t before = run.digest;

	run.digest = size;
	digest_bytes(data, size);
	write_text(" bytes ");
	write_number(run.digest & 0xffffffff, 16);
	run.digest ^= before * 0x100000001b3;
}

/* The line ends; a line of the kernel's own never comes between its parts. */
static inline void end_line(boolean_t clear)
{
	run.line[run.used] = '\0';
	if (clear)
		mach_printf("%s\n", run.line);
	run.used = 0;
}

/* ---- A program. */

/* Runs the steps, each of which says one line; state says what there is then. */
static inline void random_run(unsigned long seed, unsigned long steps,
			      void (*step)(void), void (*state)(boolean_t clear))
{
	run.drawn = seed;
	run.digest = 0xcbf29ce484222325;
	for (run.step = 1; run.step <= steps; run.step++) {
		boolean_t window = run.step >= run.clear_from && run.step <= run.clear_to;

		run.end = run.step % DIGEST_STEPS == 0 || run.step == steps;
		run.used = 0;
		write_number(run.step, 10);
		step();
		if (window) {
			write_text(" #");
			write_number(run.digest & 0xffff, 16);
		}
		end_line(window || run.step + CLEAR_AT_THE_END > steps);
		if (run.end || (window && run.states))
			state(window && run.states);
		if (run.end)
			mach_printf("step %lu: %016lx\n", run.step, run.digest);
	}
}

static inline unsigned long number_after(const char *text, const char **rest)
{
	unsigned long n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (unsigned long)(*text - '0');
	*rest = text;
	return n;
}

/* The words of a random client; what is left runs the cases. */
static inline int random_main(int argc, char **argv, void (*program)(long, long, long))
{
	const char *value, *rest;
	unsigned long seed = 0, steps = 1000;
	boolean_t seeded = FALSE;
	int i;

	for (i = 1; i < argc; i++) {
		if ((value = suite_after(argv[i], "seed=")) != NULL) {
			seed = number_after(value, &rest);
			seeded = TRUE;
		} else if ((value = suite_after(argv[i], "steps=")) != NULL) {
			steps = number_after(value, &rest);
		} else if ((value = suite_after(argv[i], "clear=")) != NULL) {
			run.clear_from = number_after(value, &rest);
			run.clear_to = *rest == '-' ? number_after(rest + 1, &rest) : run.clear_from;
		} else if (strcmp(argv[i], "state") == 0) {
			run.states = TRUE;
		} else if (strcmp(argv[i], "entries") == 0) {
			run.entries = TRUE;
		}
	}
	if (!seeded)
		return suite_main(argc, argv);
	self = mach_task_self();
	fixture_init();
	program((long)seed, (long)steps, 0);
	mach_printf("-- done\n");
	return 0;
}

#endif
