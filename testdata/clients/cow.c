/*
 * cow: copies a large region, writes every second page of the copy and then of
 * the source, and looks at every page of both.
 *
 *	usage: cow [SIZE [read | copy [half]]]
 *
 * SIZE takes a suffix: K, M or G; the default is 64M. The copy is made by
 * vm_read or by vm_copy. With "half" the source is not written, which takes
 * half as much memory again as the source and not twice as much.
 */
#include <libmach/libmach.h>

#include "report.h"

#define PAGE vm_page_size

static mach_port_name_t self;

static size_t parse_size(const char *text)
{
	size_t size = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		size = size * 10 + (size_t)(*text - '0');
	switch (*text) {
	case 'G':
		size *= 1024;
		/* fall through */
	case 'M':
		size *= 1024;
		/* fall through */
	case 'K':
		size *= 1024;
	}
	return size;
}

/* The first and the last word of a page carry its number and a mark. */
static void mark(vm_offset_t memory, size_t page, uint64_t mark)
{
	volatile uint64_t *words = (volatile uint64_t *)(memory + page * PAGE);

	words[0] = page << 8 | mark;
	words[PAGE / 8 - 1] = ~(page << 8 | mark);
}

static boolean_t marked(vm_offset_t memory, size_t page, uint64_t mark)
{
	volatile uint64_t *words = (volatile uint64_t *)(memory + page * PAGE);

	return words[0] == (page << 8 | mark) &&
	       words[PAGE / 8 - 1] == ~(page << 8 | mark);
}

/* How many pages do not bear their mark: even ones, and odd ones. */
static size_t wrong(vm_offset_t memory, size_t pages, uint64_t even, uint64_t odd)
{
	size_t page, n = 0;

	for (page = 0; page < pages; page++)
		n += !marked(memory, page, page % 2 == 0 ? even : odd);
	return n;
}

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? parse_size(argv[1]) : 64UL << 20;
	boolean_t by_copy = argc > 2 && strcmp(argv[2], "copy") == 0;
	boolean_t half = argc > 3 && strcmp(argv[3], "half") == 0;
	size_t pages = size / PAGE;
	vm_offset_t source, copy = 0;
	mach_msg_type_number_t got = 0;
	size_t page;

	self = mach_task_self();
	mach_printf("cow: %zu pages by %s\n", pages, by_copy ? "vm_copy" : "vm_read");
	source = must_allocate(self, pages * PAGE);
	for (page = 0; page < pages; page++)
		mark(source, page, 1);

	if (by_copy) {
		copy = must_allocate(self, pages * PAGE);
		code("vm_copy", vm_copy(self, source, pages * PAGE, copy));
	} else {
		code("vm_read", vm_read(self, source, pages * PAGE, &copy, &got));
		count("pages returned", got / PAGE);
	}
	count("wrong pages in the copy", wrong(copy, pages, 1, 1));

	for (page = 0; page < pages; page += 2)
		mark(copy, page, 2);
	mach_printf("every second page of the copy written\n");
	count("wrong pages in the copy", wrong(copy, pages, 2, 1));
	count("wrong pages in the source", wrong(source, pages, 1, 1));

	for (page = 0; page < pages && !half; page += 2)
		mark(source, page, 3);
	mach_printf("%s of the source written\n", half ? "no page" : "the same pages");
	count("wrong pages in the copy", wrong(copy, pages, 2, 1));
	count("wrong pages in the source", wrong(source, pages, half ? 1 : 3, 1));

	code("vm_deallocate of the source", vm_deallocate(self, source, pages * PAGE));
	count("wrong pages in the copy", wrong(copy, pages, 2, 1));
	code("vm_deallocate of the copy", vm_deallocate(self, copy, pages * PAGE));
	mach_printf("cow: done\n");
	return 0;
}
