/* vmnotask: which of two faults is found first: no task, no bytes, far too many. */
#include "suite.h"

CASE("vm_allocate/host-no-bytes")
{
	vm_offset_t at = 5;

	code("anywhere", vm_allocate(host, &at, 0, TRUE));
	code("fixed", vm_allocate(host, &at, 0, FALSE));
}

CASE("vm_deallocate/host-no-bytes")
{
	code("vm_deallocate", vm_deallocate(host, 0, 0));
	code("unaligned", vm_deallocate(host, 5, 0));
}

CASE("vm_protect/host-no-bytes")
{
	code("vm_protect", vm_protect(host, 0, 0, FALSE, VM_PROT_READ));
	code("the maximum", vm_protect(host, 5, 0, TRUE, VM_PROT_READ));
	code("bad bits", vm_protect(host, 0, 0, FALSE, 0x40));
}

CASE("vm_inherit/host-no-bytes")
{
	code("vm_inherit", vm_inherit(host, 0, 0, VM_INHERIT_COPY));
	code("a bad value", vm_inherit(host, 0, 0, 7));
}

CASE("vm_read/host-no-bytes")
{
	vm_offset_t data = 0;
	mach_msg_type_number_t count = 3;

	code("vm_read", vm_read(host, 0, 0, &data, &count));
	code("unaligned", vm_read(host, 5, 0, &data, &count));
}

CASE("vm_copy/host-no-bytes")
{
	code("vm_copy", vm_copy(host, 0, 0, PAGE));
	code("unaligned", vm_copy(host, 5, 0, 7));
}

/* A page without access, and sizes that no memory has. */
static vm_offset_t no_access(void)
{
	vm_offset_t at = island(1);

	must("vm_protect", vm_protect(self, at, PAGE, FALSE, VM_PROT_NONE));
	return at;
}

CASE("vm_copy/no-access-over-48-bits")
{
	vm_offset_t at = no_access();

	code("vm_copy", vm_copy(self, at, (vm_size_t)1 << 48, at));
	code("up to 48 bits", vm_copy(self, at, ((vm_size_t)1 << 48) - at, at));
}

CASE("vm_read/no-access-over-48-bits")
{
	vm_offset_t at = no_access(), data;
	mach_msg_type_number_t count;

	code("vm_read", vm_read(self, at, (vm_size_t)1 << 48, &data, &count));
}

CASE("vm_protect/from-zero-rounded-end-is-zero")
{
	code("vm_protect", vm_protect(self, 5, (vm_size_t)0 - 10, FALSE, VM_PROT_ALL));
	code("no such bits", vm_protect(self, 5, (vm_size_t)0 - 10, FALSE, 0x40));
}
