/*
 * vmread: the story of vm_read and its family, told by a program that sees
 * only return codes, counts and bytes. Every line is a fact that any GNU Mach
 * must agree with: no address, no port name, no time.
 */
#include <libmach/libmach.h>

#include "pattern.h"
#include "report.h"

#define PAGE vm_page_size

static mach_port_name_t self;

/* A read whose data nobody looks at; what it returned is given back. */
static void read_code(const char *what, mach_port_name_t task, vm_offset_t from,
		      vm_size_t size)
{
	vm_offset_t data = 0;
	mach_msg_type_number_t got = 0;
	kern_return_t kr = vm_read(task, from, size, &data, &got);

	code(what, kr);
	if (kr == KERN_SUCCESS)
		vm_deallocate(self, data, got);
}

static void own_memory(void)
{
	vm_offset_t memory = 0, data = 0;
	mach_msg_type_number_t got = 0;
	kern_return_t kr;

	chapter("a task reads its own memory");
	kr = vm_allocate(self, &memory, 4 * PAGE, TRUE);
	code("vm_allocate, 4 pages anywhere", kr);
	must("no memory, no story", kr);
	pattern_fill(memory, 4 * PAGE, 1);

	kr = vm_read(self, memory, 4 * PAGE, &data, &got);
	code("vm_read, 4 pages", kr);
	if (kr != KERN_SUCCESS)
		return;
	count("bytes returned", got);
	fact("the copy has an address of its own", data != memory);
	count("bytes of the copy that differ from the source",
	      bytes_differing(memory, data, 4 * PAGE));

	pattern_fill(memory + PAGE, PAGE, 2);
	count("after writing the source's second page, wrong bytes in the copy",
	      pattern_wrong(data, 4 * PAGE, 1));
	pattern_fill(data + 2 * PAGE, PAGE, 3);
	count("after writing the copy's third page, wrong bytes in the source's",
	      bytes_differing(memory, data, PAGE) +
	      pattern_wrong(memory + PAGE, PAGE, 2) +
	      bytes_differing(memory + 3 * PAGE, data + 3 * PAGE, PAGE));
	count("bytes in which both third pages differ",
	      bytes_differing(memory + 2 * PAGE, data + 2 * PAGE, PAGE));

	kr = vm_deallocate(self, memory, 4 * PAGE);
	code("vm_deallocate of the source", kr);
	count("wrong bytes in the copy's first page afterwards",
	      pattern_wrong(data, PAGE, 1));
	code("vm_deallocate of the copy", vm_deallocate(self, data, got));
	read_code("vm_read of what was deallocated", self, memory, PAGE);
}

static void odd_sizes(void)
{
	vm_offset_t memory = must_allocate(self, 2 * PAGE);
	vm_offset_t data = 1;
	mach_msg_type_number_t got = 1;
	kern_return_t kr;

	chapter("sizes and addresses that are no whole pages");
	pattern_fill(memory, 2 * PAGE, 4);
	kr = vm_read(self, memory + 100, PAGE, &data, &got);
	code("vm_read, one page from offset 100", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes returned", got);
		count("offset in the page", data % PAGE);
		count("bytes that differ", bytes_differing(memory + 100, data, PAGE));
		vm_deallocate(self, data, got);
	}
	kr = vm_read(self, memory + PAGE - 1, 3, &data, &got);
	code("vm_read, three bytes across a page boundary", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes returned", got);
		count("bytes that differ", bytes_differing(memory + PAGE - 1, data, 3));
		vm_deallocate(self, data, got);
	}
	kr = vm_read(self, memory, 0, &data, &got);
	code("vm_read, no bytes", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes returned", got);
		count("address returned", data);
	}
	vm_deallocate(self, memory, 2 * PAGE);
}

/* How many page frames the machine has left. */
static size_t free_frames(void)
{
	vm_statistics_data_t statistics;
	kern_return_t kr = vm_statistics(self, &statistics);

	if (kr != KERN_SUCCESS) {
		code("vm_statistics", kr);
		return 0;
	}
	return (size_t)statistics.free_count;
}

/* Writes one byte into each page. */
static void mark_pages(vm_offset_t memory, size_t pages, unsigned char mark)
{
	size_t i;

	for (i = 0; i < pages; i++)
		*(volatile unsigned char *)(memory + i * PAGE) = mark;
}

/* How many pages do not bear the mark. */
static size_t pages_unmarked(vm_offset_t memory, size_t pages, unsigned char mark)
{
	size_t i, unmarked = 0;

	for (i = 0; i < pages; i++)
		unmarked += *(volatile unsigned char *)(memory + i * PAGE) != mark;
	return unmarked;
}

static void laziness(void)
{
	/* Kernels take frames from their free list in lots: allow for some. */
	enum { PAGES = 1024, LOTS = 256 };
	vm_offset_t memory = must_allocate(self, PAGES * PAGE);
	vm_offset_t data = 0;
	mach_msg_type_number_t got = 0;
	size_t before, after_read, after_write;
	kern_return_t kr;

	chapter("reading copies nothing until somebody writes");
	mark_pages(memory, PAGES, 1);
	before = free_frames();
	kr = vm_read(self, memory, PAGES * PAGE, &data, &got);
	after_read = free_frames();
	code("vm_read, 1024 pages", kr);
	if (kr != KERN_SUCCESS)
		return;
	count("pages of the copy without the source's mark",
	      pages_unmarked(data, PAGES, 1));
	fact("reading took hardly any page frames", before < after_read + LOTS);

	mark_pages(data, PAGES, 2);
	after_write = free_frames();
	fact("writing every page of the copy took a frame for each",
	     before >= after_write + PAGES && before < after_write + PAGES + LOTS);
	count("pages of the source that lost their mark",
	      pages_unmarked(memory, PAGES, 1));
	code("vm_deallocate of the copy", vm_deallocate(self, data, got));
	code("vm_deallocate of the source", vm_deallocate(self, memory, PAGES * PAGE));
}

static void empty_task(void)
{
	mach_port_name_t task = MACH_PORT_NULL;
	vm_offset_t mine = must_allocate(self, 3 * PAGE);
	vm_offset_t theirs = 0, data = 0;
	mach_msg_type_number_t got = 0;
	kern_return_t kr;

	chapter("a second task that inherits nothing");
	kr = task_create(self, FALSE, &task);
	code("task_create, no inherited memory", kr);
	if (kr != KERN_SUCCESS)
		return;
	read_code("vm_read of an address that only we have", task, mine, PAGE);
	code("vm_allocate in the task", vm_allocate(task, &theirs, 3 * PAGE, TRUE));
	kr = vm_read(task, theirs, 3 * PAGE, &data, &got);
	code("vm_read of its fresh memory", kr);
	if (kr == KERN_SUCCESS) {
		count("bytes returned", got);
		count("bytes that are not zero", bytes_set(data, got));
		vm_deallocate(self, data, got);
	}

	pattern_fill(mine, 3 * PAGE, 5);
	code("vm_write into the task, 3 pages", vm_write(task, theirs, mine, 3 * PAGE));
	pattern_fill(mine, 3 * PAGE, 6);
	kr = vm_read(task, theirs, 3 * PAGE, &data, &got);
	code("vm_read back, after we changed ours", kr);
	if (kr == KERN_SUCCESS) {
		count("wrong bytes", pattern_wrong(data, 3 * PAGE, 5));
		pattern_fill(data, 3 * PAGE, 7);
		code("vm_write of the middle page only",
		     vm_write(task, theirs + PAGE, data + PAGE, PAGE));
		vm_deallocate(self, data, got);
	}
	code("vm_copy in the task, its second page over its third",
	     vm_copy(task, theirs + PAGE, PAGE, theirs + 2 * PAGE));
	kr = vm_read(task, theirs, 3 * PAGE, &data, &got);
	code("vm_read back", kr);
	if (kr == KERN_SUCCESS) {
		count("wrong bytes in its first page", pattern_wrong(data, PAGE, 5));
		count("bytes in which its second and third page differ",
		      bytes_differing(data + PAGE, data + 2 * PAGE, PAGE));
		count("bytes in which its first and second page agree",
		      PAGE - bytes_differing(data, data + PAGE, PAGE));
		vm_deallocate(self, data, got);
	}
	code("task_terminate", task_terminate(task));
	read_code("vm_read of the terminated task", task, theirs, PAGE);
	code("mach_port_deallocate of its name", mach_port_deallocate(self, task));
	vm_deallocate(self, mine, 3 * PAGE);
}

static void inheriting_task(void)
{
	mach_port_name_t task = MACH_PORT_NULL;
	vm_offset_t memory = must_allocate(self, 3 * PAGE);
	vm_offset_t data = 0;
	mach_msg_type_number_t got = 0;
	kern_return_t kr;

	chapter("a second task that inherits: a copy, a shared page, nothing");
	pattern_fill(memory, 3 * PAGE, 8);
	code("vm_inherit, second page shared",
	     vm_inherit(self, memory + PAGE, PAGE, VM_INHERIT_SHARE));
	code("vm_inherit, third page not at all",
	     vm_inherit(self, memory + 2 * PAGE, PAGE, VM_INHERIT_NONE));
	kr = task_create(self, TRUE, &task);
	code("task_create, inherited memory", kr);
	if (kr != KERN_SUCCESS)
		return;

	kr = vm_read(task, memory, 2 * PAGE, &data, &got);
	code("vm_read of what it inherited", kr);
	if (kr == KERN_SUCCESS) {
		count("wrong bytes", pattern_wrong(data, 2 * PAGE, 8));
		vm_deallocate(self, data, got);
	}
	read_code("vm_read of the page it did not inherit", task, memory + 2 * PAGE, PAGE);

	pattern_fill(memory, 2 * PAGE, 9);
	kr = vm_read(task, memory, 2 * PAGE, &data, &got);
	code("vm_read after we wrote both pages", kr);
	if (kr == KERN_SUCCESS) {
		count("wrong bytes in the copied page", pattern_wrong(data, PAGE, 8));
		count("wrong bytes in the shared page, as we wrote it",
		      bytes_differing(data + PAGE, memory + PAGE, PAGE));
		vm_deallocate(self, data, got);
	}

	data = must_allocate(self, 2 * PAGE);
	pattern_fill(data, 2 * PAGE, 10);
	code("vm_write into the task, both pages", vm_write(task, memory, data, 2 * PAGE));
	count("wrong bytes in our own copied page", pattern_wrong(memory, PAGE, 9));
	count("bytes of our shared page that are not the written ones",
	      bytes_differing(data + PAGE, memory + PAGE, PAGE));
	vm_deallocate(self, data, 2 * PAGE);

	code("task_terminate", task_terminate(task));
	mach_port_deallocate(self, task);
	vm_deallocate(self, memory, 3 * PAGE);
}

static void overlapping_copies(void)
{
	vm_offset_t memory = must_allocate(self, 6 * PAGE);
	vm_offset_t old = must_allocate(self, 6 * PAGE);

	chapter("vm_copy, also onto itself");
	pattern_fill(memory, 6 * PAGE, 11);
	pattern_fill(old, 6 * PAGE, 11);
	code("vm_copy, 2 pages to where nothing overlaps",
	     vm_copy(self, memory, 2 * PAGE, memory + 4 * PAGE));
	count("bytes that differ", bytes_differing(memory + 4 * PAGE, old, 2 * PAGE));

	pattern_fill(memory, 6 * PAGE, 11);
	code("vm_copy, 4 pages up by one", vm_copy(self, memory, 4 * PAGE, memory + PAGE));
	count("bytes that differ from the old ones",
	      bytes_differing(memory + PAGE, old, 4 * PAGE));
	count("wrong bytes before and after it",
	      bytes_differing(memory, old, PAGE) +
	      bytes_differing(memory + 5 * PAGE, old + 5 * PAGE, PAGE));

	pattern_fill(memory, 6 * PAGE, 11);
	code("vm_copy, 4 pages down by one",
	     vm_copy(self, memory + 2 * PAGE, 4 * PAGE, memory + PAGE));
	count("bytes that differ from the old ones",
	      bytes_differing(memory + PAGE, old + 2 * PAGE, 4 * PAGE));

	pattern_fill(memory, 6 * PAGE, 11);
	code("vm_copy, 6 pages onto themselves", vm_copy(self, memory, 6 * PAGE, memory));
	count("bytes that differ", bytes_differing(memory, old, 6 * PAGE));

	code("vm_copy, no bytes to nowhere", vm_copy(self, 0, 0, 0));
	code("vm_copy, source not on a page boundary",
	     vm_copy(self, memory + 8, PAGE, memory + 4 * PAGE));
	code("vm_copy, destination not on a page boundary",
	     vm_copy(self, memory, PAGE, memory + 4 * PAGE + 8));
	code("vm_copy, half a page", vm_copy(self, memory, PAGE / 2, memory + 4 * PAGE));
	count("bytes that differ after the refusals",
	      bytes_differing(memory, old, 6 * PAGE));
	vm_deallocate(self, memory, 6 * PAGE);
	vm_deallocate(self, old, 6 * PAGE);
}

static void protections(void)
{
	vm_offset_t memory = must_allocate(self, 3 * PAGE);
	vm_offset_t other = must_allocate(self, 3 * PAGE);

	chapter("protection");
	pattern_fill(memory, 3 * PAGE, 12);
	pattern_fill(other, 3 * PAGE, 13);
	code("vm_protect, middle page not readable",
	     vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_NONE));
	read_code("vm_read, only the page before it", self, memory, PAGE);
	read_code("vm_read, all three pages", self, memory, 3 * PAGE);
	code("vm_copy from all three pages", vm_copy(self, memory, 3 * PAGE, other));
	code("vm_write of all three pages as data",
	     vm_write(self, other, memory, 3 * PAGE));
	code("vm_write onto all three pages", vm_write(self, memory, other, 3 * PAGE));
	code("vm_protect, middle page read-only",
	     vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_READ));
	read_code("vm_read, all three pages", self, memory, 3 * PAGE);
	code("vm_write onto all three pages", vm_write(self, memory, other, 3 * PAGE));
	count("wrong bytes after the refusals", pattern_wrong(memory, 3 * PAGE, 12));
	code("vm_protect, maximum of the middle page read-only",
	     vm_protect(self, memory + PAGE, PAGE, TRUE, VM_PROT_READ));
	code("vm_protect, middle page writable again",
	     vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_READ | VM_PROT_WRITE));
	code("vm_protect, all three pages writable",
	     vm_protect(self, memory, 3 * PAGE, FALSE, VM_PROT_READ | VM_PROT_WRITE));
	code("vm_protect, bits that mean nothing",
	     vm_protect(self, memory, PAGE, FALSE, 0x100));
	vm_deallocate(self, memory, 3 * PAGE);
	vm_deallocate(self, other, 3 * PAGE);
}

static void holes(void)
{
	vm_offset_t memory = must_allocate(self, 3 * PAGE);
	vm_offset_t other = must_allocate(self, 3 * PAGE);

	chapter("holes");
	pattern_fill(memory, 3 * PAGE, 14);
	pattern_fill(other, 3 * PAGE, 15);
	code("vm_deallocate of the middle page", vm_deallocate(self, memory + PAGE, PAGE));
	read_code("vm_read, the first page", self, memory, PAGE);
	read_code("vm_read, the hole", self, memory + PAGE, PAGE);
	read_code("vm_read, all three pages", self, memory, 3 * PAGE);
	read_code("vm_read, no bytes in the hole", self, memory + PAGE, 0);
	read_code("vm_read, to the end of the address space and beyond", self, memory,
		  (vm_size_t)0 - memory);
	code("vm_copy from the hole", vm_copy(self, memory + PAGE, PAGE, other));
	code("vm_copy into the hole", vm_copy(self, other, 3 * PAGE, memory));
	code("vm_write into the hole", vm_write(self, memory, other, 3 * PAGE));
	code("vm_write of the hole as data", vm_write(self, other, memory, 3 * PAGE));
	code("vm_write, data not on a page boundary",
	     vm_write(self, memory, other + 8, PAGE));
	code("vm_write, no bytes into the hole", vm_write(self, memory + PAGE, other, 0));
	count("wrong bytes after the refusals",
	      pattern_wrong(memory, PAGE, 14) + pattern_wrong(other, 3 * PAGE, 15));
	code("vm_protect, all three pages read-only",
	     vm_protect(self, memory, 3 * PAGE, FALSE, VM_PROT_READ));
	code("vm_allocate of the hole where it was",
	     vm_allocate(self, &(vm_offset_t){ memory + PAGE }, PAGE, FALSE));
	code("vm_allocate of the occupied first page",
	     vm_allocate(self, &(vm_offset_t){ memory }, PAGE, FALSE));
	count("bytes of the new page that are not zero", bytes_set(memory + PAGE, PAGE));
	code("vm_deallocate of all three pages", vm_deallocate(self, memory, 3 * PAGE));
	code("vm_deallocate once more", vm_deallocate(self, memory, 3 * PAGE));
	vm_deallocate(self, other, 3 * PAGE);
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	self = mach_task_self();
	mach_printf("vmread: memory through messages\n");
	own_memory();
	odd_sizes();
	laziness();
	empty_task();
	inheriting_task();
	overlapping_copies();
	protections();
	holes();
	mach_printf("\nvmread: done\n");
	return 0;
}
