/*
 * badvm: what the vm_* calls answer to arguments that are wrong or at the edge
 * of being right.
 */
#include <libmach/libmach.h>

#include "pattern.h"
#include "report.h"

#define PAGE vm_page_size
#define RW (VM_PROT_READ | VM_PROT_WRITE)

/* Where the user's part of the address space ends. */
#define MAP_END ((vm_offset_t)0x800000000000)
/* The last page of all 64 bits: adding to it wraps. */
#define LAST_PAGE ((vm_offset_t)0 - PAGE)

static mach_port_name_t self;
static mach_port_name_t no_task;	/* a kernel object that is not a task */
static mach_port_name_t no_send;	/* a receive right without a send right */
static mach_port_name_t dead;		/* a dead name */
static mach_port_name_t no_name;	/* a name that means nothing */

static void make_names(void)
{
	no_task = mach_host_self();
	must("mach_port_allocate",
	     mach_port_allocate(self, MACH_PORT_RIGHT_RECEIVE, &no_send));
	must("mach_port_allocate",
	     mach_port_allocate(self, MACH_PORT_RIGHT_DEAD_NAME, &dead));
	no_name = 1000000;
}

static void allocate(void)
{
	vm_offset_t page = must_allocate(self, PAGE);
	vm_offset_t at;

	chapter("vm_allocate");
	at = page;
	code("no bytes", vm_allocate(self, &at, 0, TRUE));
	fact("address is zero", at == 0);
	at = page;
	code("no bytes, at an occupied address", vm_allocate(self, &at, 0, FALSE));
	fact("address is zero", at == 0);
	at = 0;
	code("a size that rounds to nothing", vm_allocate(self, &at, LAST_PAGE + 1, TRUE));
	code("more than the address space", vm_allocate(self, &at, MAP_END + PAGE, TRUE));
	at = page;
	code("an occupied page", vm_allocate(self, &at, PAGE, FALSE));
	at = page + 8;
	code("inside an occupied page", vm_allocate(self, &at, 8, FALSE));
	at = MAP_END;
	code("at the end of the address space", vm_allocate(self, &at, PAGE, FALSE));
	at = MAP_END - PAGE;
	code("across the end of the address space", vm_allocate(self, &at, 2 * PAGE, FALSE));
	at = LAST_PAGE;
	code("at the last page of 64 bits", vm_allocate(self, &at, PAGE, FALSE));
	code("the page again, given back", vm_deallocate(self, page, PAGE));
	at = page + 8;
	code("inside a free page", vm_allocate(self, &at, 8, FALSE));
	fact("address is the page's", at == page);
	at = 0;
	code("page zero", vm_allocate(self, &at, PAGE, FALSE));
	fact("address is zero", at == 0);
	code("page zero, given back", vm_deallocate(self, 0, PAGE));
	at = 0;
	code("no task: a host", vm_allocate(no_task, &at, PAGE, TRUE));
	code("no task: null", vm_allocate(MACH_PORT_NULL, &at, PAGE, TRUE));
	code("no task: the dead port", vm_allocate(MACH_PORT_DEAD, &at, PAGE, TRUE));
	code("no task: a dead name", vm_allocate(dead, &at, PAGE, TRUE));
	code("no task: a name of nothing", vm_allocate(no_name, &at, PAGE, TRUE));
	code("no task: a receive right", vm_allocate(no_send, &at, PAGE, TRUE));
	vm_deallocate(self, page, PAGE);
}

static void deallocate(void)
{
	vm_offset_t memory = must_allocate(self, 2 * PAGE);

	chapter("vm_deallocate");
	code("no bytes", vm_deallocate(self, memory, 0));
	code("no bytes, nowhere", vm_deallocate(self, LAST_PAGE, 0));
	code("around the end of 64 bits", vm_deallocate(self, memory, LAST_PAGE));
	code("the last page of 64 bits", vm_deallocate(self, LAST_PAGE, PAGE));
	code("beyond the address space", vm_deallocate(self, MAP_END, PAGE));
	*(volatile char *)memory = 1;
	fact("our pages are still there", *(volatile char *)memory == 1);
	code("one byte of the first page", vm_deallocate(self, memory + 8, 1));
	code("the first page, allocated again",
	     vm_allocate(self, &(vm_offset_t){ memory }, PAGE, FALSE));
	code("the second page, allocated again",
	     vm_allocate(self, &(vm_offset_t){ memory + PAGE }, PAGE, FALSE));
	code("both pages", vm_deallocate(self, memory, 2 * PAGE));
	code("both pages again", vm_deallocate(self, memory, 2 * PAGE));
	code("no task: a host", vm_deallocate(no_task, memory, PAGE));
	code("no task: null", vm_deallocate(MACH_PORT_NULL, memory, PAGE));
}

/*
 * Pages with a hole on either side: where the kernel puts memory, and with
 * which neighbour it shares an entry, is its own affair.
 */
static vm_offset_t island(size_t pages)
{
	vm_offset_t memory = must_allocate(self, (pages + 2) * PAGE);

	must("vm_deallocate", vm_deallocate(self, memory, PAGE));
	must("vm_deallocate",
	     vm_deallocate(self, memory + (pages + 1) * PAGE, PAGE));
	return memory + PAGE;
}

struct region {
	vm_offset_t start;
	vm_size_t size;
	vm_prot_t current;
	vm_prot_t maximum;
	vm_inherit_t inheritance;
	boolean_t shared;
	mach_port_name_t object;
	vm_offset_t offset;
};

static kern_return_t find_region(mach_port_name_t task, vm_offset_t at,
				 struct region *found)
{
	found->start = at;
	return vm_region(task, &found->start, &found->size, &found->current,
			 &found->maximum, &found->inheritance, &found->shared,
			 &found->object, &found->offset);
}

/* What vm_region says of a page, in letters. */
static void region(const char *what, vm_offset_t page)
{
	struct region r;
	kern_return_t kr = find_region(self, page, &r);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	if (MACH_PORT_VALID(r.object))
		mach_port_deallocate(self, r.object);
	mach_printf("%s: current %c%c%c, maximum %c%c%c, inheritance %u, shared %u\n",
		    what,
		    r.current & VM_PROT_READ ? 'r' : '-',
		    r.current & VM_PROT_WRITE ? 'w' : '-',
		    r.current & VM_PROT_EXECUTE ? 'x' : '-',
		    r.maximum & VM_PROT_READ ? 'r' : '-',
		    r.maximum & VM_PROT_WRITE ? 'w' : '-',
		    r.maximum & VM_PROT_EXECUTE ? 'x' : '-',
		    r.inheritance, r.shared);
}

static void protect(void)
{
	vm_offset_t memory = island(3);

	chapter("vm_protect");
	code("bits that mean nothing", vm_protect(self, memory, PAGE, FALSE, 0x100));
	code("all bits", vm_protect(self, memory, PAGE, FALSE, -1));
	code("bits that mean nothing, no bytes", vm_protect(self, memory, 0, FALSE, 0x100));
	code("notify", vm_protect(self, memory, PAGE, FALSE, RW | 0x10));
	code("no bytes on a page boundary",
	     vm_protect(self, memory, 0, FALSE, VM_PROT_READ));
	region("the page", memory);
	code("no bytes inside a page", vm_protect(self, memory + 8, 0, FALSE, VM_PROT_READ));
	region("the page", memory);
	code("one byte across a page boundary, made two pages",
	     vm_protect(self, memory + 2 * PAGE - 1, 2, FALSE, VM_PROT_READ));
	region("the second page", memory + PAGE);
	region("the third page", memory + 2 * PAGE);
	code("around the end of 64 bits",
	     vm_protect(self, memory, LAST_PAGE, FALSE, VM_PROT_NONE));
	region("the page", memory);
	code("beyond the address space",
	     vm_protect(self, MAP_END, PAGE, FALSE, VM_PROT_NONE));
	code("maximum of the second page read-only",
	     vm_protect(self, memory + PAGE, PAGE, TRUE, VM_PROT_READ));
	region("the second page", memory + PAGE);
	code("maximum raised again", vm_protect(self, memory + PAGE, PAGE, TRUE, RW));
	code("all three writable", vm_protect(self, memory, 3 * PAGE, FALSE, RW));
	region("the first page", memory);
	code("second page given back", vm_deallocate(self, memory + PAGE, PAGE));
	code("across the hole", vm_protect(self, memory, 3 * PAGE, FALSE, RW));
	region("the first page", memory);
	region("the third page", memory + 2 * PAGE);
	code("only the hole", vm_protect(self, memory + PAGE, PAGE, FALSE, RW));
	code("only the hole, bits that mean nothing",
	     vm_protect(self, memory + PAGE, PAGE, FALSE, 0x100));
	code("no task: a host", vm_protect(no_task, memory, PAGE, FALSE, RW));
	vm_deallocate(self, memory, 3 * PAGE);
}

static void inherit(void)
{
	vm_offset_t memory = island(3);

	chapter("vm_inherit");
	code("a value that means nothing", vm_inherit(self, memory, PAGE, 3));
	code("a negative value", vm_inherit(self, memory, PAGE, (vm_inherit_t)-1));
	code("a value that means nothing, no bytes", vm_inherit(self, memory, 0, 4));
	code("second page shared",
	     vm_inherit(self, memory + PAGE, PAGE, VM_INHERIT_SHARE));
	region("the first page", memory);
	region("the second page", memory + PAGE);
	code("second page given back", vm_deallocate(self, memory + PAGE, PAGE));
	code("across the hole", vm_inherit(self, memory, 3 * PAGE, VM_INHERIT_NONE));
	region("the third page", memory + 2 * PAGE);
	code("around the end of 64 bits",
	     vm_inherit(self, memory, LAST_PAGE, VM_INHERIT_SHARE));
	region("the first page", memory);
	code("no task: a host", vm_inherit(no_task, memory, PAGE, VM_INHERIT_NONE));
	vm_deallocate(self, memory, 3 * PAGE);
}

/* Where the region that vm_region finds lies, seen from a place. */
static void extent(const char *what, vm_offset_t place)
{
	struct region r;
	kern_return_t kr = find_region(self, place, &r);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	if (MACH_PORT_VALID(r.object))
		mach_port_deallocate(self, r.object);
	mach_printf("%s: starts at %ld, %zu pages\n", what, (long)(r.start - place),
		    r.size / PAGE);
}

static void regions(void)
{
	vm_offset_t memory = island(3);
	mach_port_name_t empty = MACH_PORT_NULL;
	struct region r;

	chapter("vm_region");
	extent("the first page", memory);
	extent("the last byte", memory + 3 * PAGE - 1);
	vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_READ);
	extent("the first page, the second made read-only", memory);
	extent("inside the second page", memory + PAGE + 8);
	region("the second page", memory + PAGE);
	vm_deallocate(self, memory + PAGE, PAGE);
	extent("the second page, given back", memory + PAGE);
	region("the second page, given back", memory + PAGE);
	code("the end of the address space", find_region(self, MAP_END, &r));
	code("the last page of 64 bits", find_region(self, LAST_PAGE, &r));
	code("no task: a host", find_region(no_task, memory, &r));
	must("task_create", task_create(self, FALSE, &empty));
	code("an empty task", find_region(empty, 0, &r));
	task_terminate(empty);
	mach_port_deallocate(self, empty);
	vm_deallocate(self, memory, 3 * PAGE);
}

static void read(const char *what, mach_port_name_t task, vm_offset_t from,
		 vm_size_t size)
{
	vm_offset_t data = 0;
	mach_msg_type_number_t got = 0;
	kern_return_t kr = vm_read(task, from, size, &data, &got);

	if (kr != KERN_SUCCESS) {
		code(what, kr);
		return;
	}
	mach_printf("%s: %s, %u bytes, address %s\n", what, mach_error_string(kr), got,
		    data == 0 ? "zero" : "not zero");
	vm_deallocate(self, data, got);
}

static void reads(void)
{
	vm_offset_t memory = island(6);

	chapter("vm_read");
	/* Pages: readable, none, hole, readable, hole, readable. */
	vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_NONE);
	vm_deallocate(self, memory + 2 * PAGE, PAGE);
	vm_deallocate(self, memory + 4 * PAGE, PAGE);
	read("no bytes", self, memory, 0);
	read("no bytes of a hole", self, memory + 2 * PAGE, 0);
	read("no bytes beyond the address space", self, LAST_PAGE + 5, 0);
	read("one byte", self, memory + 5, 1);
	read("fresh pages never touched", self, memory + 5 * PAGE, PAGE);
	read("a page that is not readable", self, memory + PAGE, PAGE);
	read("up to a page that is not readable", self, memory, PAGE);
	read("one byte into a page that is not readable", self, memory, PAGE + 1);
	read("a hole", self, memory + 2 * PAGE, PAGE);
	read("one byte into a hole", self, memory + 3 * PAGE, PAGE + 1);
	read("from the byte before a hole", self, memory + 4 * PAGE - 1, 1);
	read("not readable, then a hole", self, memory, 3 * PAGE);
	read("a hole, then not readable", self, memory + 2 * PAGE, 2 * PAGE);
	read("beyond the address space", self, MAP_END, PAGE);
	read("around the end of 64 bits", self, memory, LAST_PAGE);
	read("to the end of 64 bits", self, LAST_PAGE, PAGE);
	read("to one byte before it", self, LAST_PAGE, PAGE - 1);
	read("no task: a host", no_task, memory, PAGE);
	read("no task: null", MACH_PORT_NULL, memory, PAGE);
	read("no task: a dead name", dead, memory, PAGE);
	vm_protect(self, memory + PAGE, PAGE, TRUE, VM_PROT_NONE);
	read("maximum protection none too", self, memory + PAGE, PAGE);
	vm_deallocate(self, memory, 6 * PAGE);
}

static void writes(void)
{
	vm_offset_t memory = island(4);
	vm_offset_t data = must_allocate(self, 4 * PAGE);

	chapter("vm_write");
	/* Pages: writable, read-only, hole, writable. */
	pattern_fill(memory, 4 * PAGE, 1);
	pattern_fill(data, 4 * PAGE, 2);
	vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_READ);
	vm_deallocate(self, memory + 2 * PAGE, PAGE);
	code("no bytes", vm_write(self, memory, data, 0));
	code("no bytes into a hole, nothing aligned",
	     vm_write(self, memory + 2 * PAGE + 3, data + 5, 0));
	code("no bytes from nowhere", vm_write(self, memory, LAST_PAGE, 0));
	code("data not on a page boundary", vm_write(self, memory, data + 8, PAGE));
	code("half a page", vm_write(self, memory, data, PAGE / 2));
	code("address not on a page boundary", vm_write(self, memory + 8, data, PAGE));
	code("address not on a page boundary, in a hole",
	     vm_write(self, memory + 2 * PAGE + 8, data, PAGE));
	code("a read-only page", vm_write(self, memory + PAGE, data, PAGE));
	code("a hole", vm_write(self, memory + 2 * PAGE, data, PAGE));
	code("up to a read-only page and into it", vm_write(self, memory, data, 2 * PAGE));
	code("read-only, then a hole", vm_write(self, memory + PAGE, data, 2 * PAGE));
	code("a hole, then writable", vm_write(self, memory + 2 * PAGE, data, 2 * PAGE));
	code("beyond the address space", vm_write(self, MAP_END, data, PAGE));
	code("the last page of 64 bits", vm_write(self, LAST_PAGE, data, PAGE));
	code("data from a hole", vm_write(self, memory, memory + 2 * PAGE, PAGE));
	code("data from beyond the address space", vm_write(self, memory, MAP_END, PAGE));
	code("data around the end of 64 bits", vm_write(self, memory, LAST_PAGE, 2 * PAGE));
	count("bytes changed by all that", pattern_wrong(memory, 2 * PAGE, 1));
	vm_protect(self, data, PAGE, FALSE, VM_PROT_NONE);
	code("data that is not readable", vm_write(self, memory, data, PAGE));
	code("no task: a host", vm_write(no_task, memory, data + PAGE, PAGE));
	code("no task: a dead name", vm_write(dead, memory, data + PAGE, PAGE));
	vm_deallocate(self, memory, 4 * PAGE);
	vm_deallocate(self, data, 4 * PAGE);
}

static void copies(void)
{
	vm_offset_t memory = island(4);
	vm_offset_t other = must_allocate(self, 4 * PAGE);

	chapter("vm_copy");
	/* Pages: writable, read-only, hole, not readable. */
	pattern_fill(memory, 4 * PAGE, 1);
	pattern_fill(other, 4 * PAGE, 2);
	vm_protect(self, memory + PAGE, PAGE, FALSE, VM_PROT_READ);
	vm_deallocate(self, memory + 2 * PAGE, PAGE);
	vm_protect(self, memory + 3 * PAGE, PAGE, FALSE, VM_PROT_NONE);
	code("no bytes, nowhere", vm_copy(self, LAST_PAGE + 1, 0, MAP_END + 3));
	code("from a hole", vm_copy(self, memory + 2 * PAGE, PAGE, other));
	code("from a page that is not readable", vm_copy(self, memory + 3 * PAGE, PAGE, other));
	code("from a hole, not aligned", vm_copy(self, memory + 2 * PAGE + 8, 8, other));
	code("from a page that is not readable, not aligned",
	     vm_copy(self, memory + 3 * PAGE + 8, 8, other));
	code("from a hole into a hole", vm_copy(self, memory + 2 * PAGE, PAGE,
						memory + 2 * PAGE));
	code("source not aligned", vm_copy(self, other + 8, PAGE, memory));
	code("half a page", vm_copy(self, other, PAGE / 2, memory));
	code("destination not aligned, in a hole",
	     vm_copy(self, other, PAGE, memory + 2 * PAGE + 8));
	code("into a hole", vm_copy(self, other, PAGE, memory + 2 * PAGE));
	code("into a read-only page", vm_copy(self, other, PAGE, memory + PAGE));
	code("into a page that is not readable", vm_copy(self, other, PAGE,
							 memory + 3 * PAGE));
	code("up to a read-only page and into it", vm_copy(self, other, 2 * PAGE, memory));
	code("read-only, then a hole", vm_copy(self, other, 2 * PAGE, memory + PAGE));
	code("beyond the address space", vm_copy(self, other, PAGE, MAP_END));
	code("from beyond the address space", vm_copy(self, MAP_END, PAGE, other));
	code("around the end of 64 bits", vm_copy(self, other, LAST_PAGE, memory));
	count("bytes changed by all that", pattern_wrong(memory, 2 * PAGE, 1) +
	      pattern_wrong(other, 4 * PAGE, 2));
	code("no task: a host", vm_copy(no_task, other, PAGE, memory));
	vm_deallocate(self, memory, 4 * PAGE);
	vm_deallocate(self, other, 4 * PAGE);
}

static void statistics(void)
{
	vm_statistics_data_t now;

	chapter("vm_statistics");
	code("a task", vm_statistics(self, &now));
	count("page size", (size_t)now.pagesize);
	code("no task: a host", vm_statistics(no_task, &now));
	code("no task: null", vm_statistics(MACH_PORT_NULL, &now));
}

static void traps(void)
{
	vm_offset_t at = 0;

	chapter("traps");
	code("vm_allocate, a page", syscall_vm_allocate(self, &at, PAGE, TRUE));
	*(volatile char *)at = 1;
	code("vm_allocate, an occupied page", syscall_vm_allocate(self, &at, PAGE, FALSE));
	code("vm_deallocate", syscall_vm_deallocate(self, at, PAGE));
	code("vm_deallocate again", syscall_vm_deallocate(self, at, PAGE));
	at = 1;
	code("vm_allocate, no bytes", syscall_vm_allocate(self, &at, 0, TRUE));
	fact("address is zero", at == 0);
	code("vm_allocate, no task: a host", syscall_vm_allocate(no_task, &at, PAGE, TRUE));
	code("vm_allocate, no task: null",
	     syscall_vm_allocate(MACH_PORT_NULL, &at, PAGE, TRUE));
	code("vm_allocate, no task: a dead name",
	     syscall_vm_allocate(dead, &at, PAGE, TRUE));
	code("vm_deallocate, no task: null",
	     syscall_vm_deallocate(MACH_PORT_NULL, at, PAGE));
	code("vm_allocate, address not readable",
	     syscall_vm_allocate(self, (vm_offset_t *)MAP_END, PAGE, TRUE));
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	self = mach_task_self();
	make_names();
	mach_printf("badvm: wrong arguments to vm calls\n");
	allocate();
	deallocate();
	protect();
	inherit();
	regions();
	reads();
	writes();
	copies();
	statistics();
	traps();
	mach_printf("\nbadvm: done\n");
	return 0;
}
