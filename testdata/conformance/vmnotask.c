/* vmnotask: no bytes, asked of a port that is no task's: which is found first. */
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
