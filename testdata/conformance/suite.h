/*
 * The conformance suite's harness. A suite client is one C file of cases:
 *
 *	CASE("vm_read/zero-size") { ... a few lines that print facts ... }
 *
 *	static void read_at(long page, long size, long seed) { ... }
 *	EACH("vm_read/first-page", read_at, 0, 4096, 1)
 *
 * Facts are lines that depend on neither addresses nor port names nor time.
 * What a case makes with the functions of fixture.h goes when the case ends.
 *
 * Output: "== NAME", the facts, "leaked N names" if the task has more or fewer
 * names than before, and after the last case "-- done". Words: list, skip=NAME,
 * from=NAME, only=NAME.
 */
#ifndef SUITE_H
#define SUITE_H

#include <libmach/libmach.h>

#include "../clients/pattern.h"
#include "../clients/report.h"
#include "fixture.h"

struct suite_case {
	const char *name;
	void (*plain)(void);
	void (*with)(long, long, long);
	long a, b, c;
};

/*
 * The table is a section of pointers, in the order of the file: with no_reorder
 * the compiler keeps that order, and pointers leave no gaps between them.
 */
#define SUITE_ENTRY(n, ...) SUITE_ENTRY_(n, __VA_ARGS__)
#define SUITE_ENTRY_(n, ...)							\
	static const struct suite_case suite_case_##n = { __VA_ARGS__ };	\
	static const struct suite_case *const suite_entry_##n			\
		__attribute__((section("suite_cases"), used, no_reorder)) =	\
			&suite_case_##n;

#define CASE(name) SUITE_PLAIN(name, __COUNTER__)
#define SUITE_PLAIN(name, n) SUITE_PLAIN_(name, n)
#define SUITE_PLAIN_(name, n)							\
	static void suite_body_##n(void);					\
	SUITE_ENTRY(n, name, suite_body_##n, NULL, 0, 0, 0)			\
	static void suite_body_##n(void)

#define EACH(name, function, a, b, c)						\
	SUITE_ENTRY(__COUNTER__, name, NULL, function, (long)(a), (long)(b), (long)(c))

extern const struct suite_case *const __start_suite_cases[];
extern const struct suite_case *const __stop_suite_cases[];

/* What follows a prefix of a word, or null. */
static inline const char *suite_after(const char *word, const char *prefix)
{
	size_t n = strlen(prefix);

	return strlen(word) >= n && memcmp(word, prefix, n) == 0 ? word + n : NULL;
}

static inline boolean_t suite_named(int argc, char **argv, const char *prefix,
				    const char *name)
{
	const char *value;
	int i;

	for (i = 1; i < argc; i++) {
		value = suite_after(argv[i], prefix);
		if (value != NULL && strcmp(value, name) == 0)
			return TRUE;
	}
	return FALSE;
}

static inline boolean_t suite_word(int argc, char **argv, const char *prefix)
{
	int i;

	for (i = 1; i < argc; i++)
		if (suite_after(argv[i], prefix) != NULL)
			return TRUE;
	return FALSE;
}

static inline void suite_run(const struct suite_case *c)
{
	static struct name_list before, after;

	mach_printf("== %s\n", c->name);
	list_names(&before);
	if (c->plain != NULL)
		c->plain();
	else
		c->with(c->a, c->b, c->c);
	release_fixtures();
	list_names(&after);
	if (after.count != before.count)
		mach_printf("leaked %d names\n", (int)after.count - (int)before.count);
	/* One case's leak is not the next one's surprise. */
	destroy_new_names(&before, &after);
}

int main(int argc, char **argv)
{
	boolean_t one = suite_word(argc, argv, "only=");
	boolean_t waiting = suite_word(argc, argv, "from=");
	boolean_t listing = suite_word(argc, argv, "list");
	const struct suite_case *const *c;

	self = mach_task_self();
	fixture_init();
	for (c = __start_suite_cases; c < __stop_suite_cases; c++) {
		const char *name = (*c)->name;

		if (listing) {
			mach_printf("%s\n", name);
			continue;
		}
		if (waiting && suite_named(argc, argv, "from=", name))
			waiting = FALSE;
		if (waiting || (one && !suite_named(argc, argv, "only=", name)) ||
		    suite_named(argc, argv, "skip=", name))
			continue;
		suite_run(*c);
	}
	mach_printf("-- done\n");
	return 0;
}

#endif
