/*
 * a8calls: each routine of mach_port, with each of its arguments, on each kind of
 * name, in this task, in another, and where there is no space of names.
 */
#include "suite.h"

#include "kinds.h"

/* ---- What is asked of a name. */

static kern_return_t op_type(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_type_t type = 0;
	kern_return_t kr = mach_port_type(task, name, &type);

	(void)a;
	gave(type);
	return kr;
}

static kern_return_t op_refs(mach_port_name_t task, mach_port_name_t name, long right)
{
	mach_port_urefs_t refs = 77;
	kern_return_t kr = mach_port_get_refs(task, name, (mach_port_right_t)right, &refs);

	gave(refs);
	return kr;
}

static kern_return_t op_mod_refs(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_mod_refs(task, name, (mach_port_right_t)((a >> 32) & 0xff),
				  (mach_port_delta_t)a);
}
#define MOD(right, delta) (((long)(right) << 32) | (unsigned)(delta))

static kern_return_t op_rename(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_t to = a == 1 ? fresh_name() : a == 2 ? name :
		a == 3 ? allocated(task, MACH_PORT_RIGHT_RECEIVE) :
		a == 4 ? 0xfffffffe : (mach_port_name_t)a;
	kern_return_t kr = mach_port_rename(task, name, to);

	if (kr == KERN_SUCCESS) {
		gave_name("to", to);
		also_there = TRUE;
	}
	return kr;
}

static kern_return_t op_allocate_name(mach_port_name_t task, mach_port_name_t name, long right)
{
	kern_return_t kr = mach_port_allocate_name(task, (mach_port_right_t)right, name);

	if (kr == KERN_SUCCESS)
		keep_name(name);
	return kr;
}

static kern_return_t op_destroy(mach_port_name_t task, mach_port_name_t name, long a)
{
	(void)a;
	return mach_port_destroy(task, name);
}

static kern_return_t op_deallocate(mach_port_name_t task, mach_port_name_t name, long a)
{
	(void)a;
	return mach_port_deallocate(task, name);
}

static kern_return_t op_set_qlimit(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_set_qlimit(task, name, (mach_port_msgcount_t)a);
}

static kern_return_t op_set_mscount(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_set_mscount(task, name, (mach_port_mscount_t)a);
}

static kern_return_t op_set_seqno(mach_port_name_t task, mach_port_name_t name, long a)
{
	return mach_port_set_seqno(task, name, (mach_port_seqno_t)a);
}

static kern_return_t op_set_status(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_array_t members = NULL;
	mach_msg_type_number_t n = 77;
	kern_return_t kr = mach_port_get_set_status(task, name, &members, &n);

	(void)a;
	gave(n);
	if (kr == KERN_SUCCESS)
		keep_memory((vm_offset_t)members, n * sizeof(*members));
	return kr;
}

static kern_return_t op_status(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_status_t s = { 0 };
	kern_return_t kr = mach_port_get_receive_status(task, name, &s);

	(void)a;
	gave(s.mps_pset != MACH_PORT_NULL);
	gave(s.mps_seqno);
	gave(s.mps_mscount);
	gave(s.mps_qlimit);
	gave(s.mps_msgcount);
	gave(s.mps_sorights);
	gave((unsigned)s.mps_srights);
	gave((unsigned)s.mps_pdrequest);
	gave((unsigned)s.mps_nsrequest);
	return kr;
}

/* 0: out of its set; 1: into a set; 2: into itself; 3: a port into it; 4: nothing into it. */
static kern_return_t op_move_member(mach_port_name_t task, mach_port_name_t name, long a)
{
	switch (a) {
	case 0: return mach_port_move_member(task, name, MACH_PORT_NULL);
	case 1: return mach_port_move_member(task, name, allocated(task, MACH_PORT_RIGHT_PORT_SET));
	case 2: return mach_port_move_member(task, name, name);
	case 3: return mach_port_move_member(task, allocated(task, MACH_PORT_RIGHT_RECEIVE), name);
	case 4: return mach_port_move_member(task, FREE_NAME + 5, name);
	}
	return mach_port_move_member(task, allocated(task, MACH_PORT_RIGHT_DEAD_NAME), name);
}

static kern_return_t op_request(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_t previous = MACH_PORT_NULL;
	kern_return_t kr;

	kr = mach_port_request_notification(task, name, (mach_msg_id_t)(a & 0xff),
					    (mach_port_mscount_t)(a >> 8), watch,
					    MACH_MSG_TYPE_MAKE_SEND_ONCE, &previous);
	if (previous != MACH_PORT_NULL)
		gave_name("before", keep_name(previous));
	return kr;
}

static kern_return_t op_cancel(mach_port_name_t task, mach_port_name_t name, long a)
{
	mach_port_name_t previous = MACH_PORT_NULL;
	kern_return_t kr;

	kr = mach_port_request_notification(task, name, (mach_msg_id_t)(a & 0xff),
					    (mach_port_mscount_t)(a >> 8), MACH_PORT_NULL,
					    MACH_MSG_TYPE_MOVE_SEND_ONCE, &previous);
	if (previous != MACH_PORT_NULL)
		gave_name("before", keep_name(previous));
	return kr;
}

/* A right of another port, put under the name. */
static kern_return_t op_insert(mach_port_name_t task, mach_port_name_t name, long type)
{
	mach_port_name_t right = type == 19 || type == 17 ? make_port() : type == 18 ?
		send_once_to(watch) : make_receive();

	if (name == NO_NAME)
		keep_name(name);
	return mach_port_insert_right(task, name, right, (mach_msg_type_name_t)type);
}

static kern_return_t op_insert_none(mach_port_name_t task, mach_port_name_t name, long right)
{
	return mach_port_insert_right(task, name, (mach_port_name_t)right, MACH_MSG_TYPE_MOVE_SEND);
}

static kern_return_t op_extract(mach_port_name_t task, mach_port_name_t name, long how)
{
	mach_port_name_t right = MACH_PORT_NULL;
	mach_msg_type_name_t type = 77;
	kern_return_t kr = mach_port_extract_right(task, name, (mach_msg_type_name_t)how, &right,
						   &type);

	gave(type);
	if (kr == KERN_SUCCESS)
		gave_name(task == self && right == name ? "under its name" : "got",
			  keep_name(right));
	return kr;
}

SWEEP("mach_port_type/each-kind", op_type, 0)
NOBODY("mach_port_type/of-no-space", op_type, 0)
SWEEP("mach_port_get_refs/each-kind-send", op_refs, 0)
SWEEP("mach_port_get_refs/each-kind-receive", op_refs, 1)
SWEEP("mach_port_get_refs/each-kind-send-once", op_refs, 2)
SWEEP("mach_port_get_refs/each-kind-port-set", op_refs, 3)
SWEEP("mach_port_get_refs/each-kind-dead-name", op_refs, 4)
SWEEP("mach_port_get_refs/each-kind-right-5", op_refs, 5)
NOBODY("mach_port_get_refs/of-no-space", op_refs, 0)
NOBODY("mach_port_get_refs/of-no-space-right-5", op_refs, 5)
SWEEP("mach_port_mod_refs/each-kind-send-same", op_mod_refs, MOD(0, 0))
SWEEP("mach_port_mod_refs/each-kind-send-up", op_mod_refs, MOD(0, 1))
SWEEP("mach_port_mod_refs/each-kind-send-down", op_mod_refs, MOD(0, -1))
SWEEP("mach_port_mod_refs/each-kind-send-down-2", op_mod_refs, MOD(0, -2))
SWEEP("mach_port_mod_refs/each-kind-send-up-65533", op_mod_refs, MOD(0, 65533))
SWEEP("mach_port_mod_refs/each-kind-receive-same", op_mod_refs, MOD(1, 0))
SWEEP("mach_port_mod_refs/each-kind-receive-up", op_mod_refs, MOD(1, 1))
SWEEP("mach_port_mod_refs/each-kind-receive-down", op_mod_refs, MOD(1, -1))
SWEEP("mach_port_mod_refs/each-kind-send-once-same", op_mod_refs, MOD(2, 0))
SWEEP("mach_port_mod_refs/each-kind-send-once-up", op_mod_refs, MOD(2, 1))
SWEEP("mach_port_mod_refs/each-kind-send-once-down", op_mod_refs, MOD(2, -1))
SWEEP("mach_port_mod_refs/each-kind-send-once-down-2", op_mod_refs, MOD(2, -2))
SWEEP("mach_port_mod_refs/each-kind-port-set-down", op_mod_refs, MOD(3, -1))
SWEEP("mach_port_mod_refs/each-kind-port-set-up", op_mod_refs, MOD(3, 1))
SWEEP("mach_port_mod_refs/each-kind-dead-name-up", op_mod_refs, MOD(4, 1))
SWEEP("mach_port_mod_refs/each-kind-dead-name-down", op_mod_refs, MOD(4, -1))
SWEEP("mach_port_mod_refs/each-kind-dead-name-down-3", op_mod_refs, MOD(4, -3))
SWEEP("mach_port_mod_refs/each-kind-right-5", op_mod_refs, MOD(5, -1))
NOBODY("mach_port_mod_refs/of-no-space", op_mod_refs, MOD(0, 0))
NOBODY("mach_port_mod_refs/of-no-space-right-5", op_mod_refs, MOD(5, 0))
SWEEP("mach_port_rename/each-kind-to-a-free-name", op_rename, 1)
SWEEP("mach_port_rename/each-kind-to-the-last-name", op_rename, 4)
SWEEP("mach_port_rename/each-kind-to-itself", op_rename, 2)
SWEEP("mach_port_rename/each-kind-to-anothers", op_rename, 3)
SWEEP("mach_port_rename/each-kind-to-null", op_rename, 0)
SWEEP("mach_port_rename/each-kind-to-dead", op_rename, -1)
NOBODY("mach_port_rename/of-no-space", op_rename, 1)
NOBODY("mach_port_rename/of-no-space-to-null", op_rename, 0)
SWEEP("mach_port_allocate_name/each-kind-send", op_allocate_name, 0)
SWEEP("mach_port_allocate_name/each-kind-receive", op_allocate_name, 1)
SWEEP("mach_port_allocate_name/each-kind-send-once", op_allocate_name, 2)
SWEEP("mach_port_allocate_name/each-kind-port-set", op_allocate_name, 3)
SWEEP("mach_port_allocate_name/each-kind-dead-name", op_allocate_name, 4)
SWEEP("mach_port_allocate_name/each-kind-right-5", op_allocate_name, 5)
SWEEP("mach_port_allocate_name/each-kind-right-minus-1", op_allocate_name, -1)
NOBODY("mach_port_allocate_name/of-no-space", op_allocate_name, 1)
NOBODY("mach_port_allocate_name/of-no-space-right-5", op_allocate_name, 5)
SWEEP("mach_port_destroy/each-kind", op_destroy, 0)
NOBODY("mach_port_destroy/of-no-space", op_destroy, 0)
SWEEP("mach_port_deallocate/each-kind", op_deallocate, 0)
NOBODY("mach_port_deallocate/of-no-space", op_deallocate, 0)
SWEEP("mach_port_set_qlimit/each-kind-0", op_set_qlimit, 0)
SWEEP("mach_port_set_qlimit/each-kind-16", op_set_qlimit, 16)
SWEEP("mach_port_set_qlimit/each-kind-17", op_set_qlimit, 17)
SWEEP("mach_port_set_qlimit/each-kind-minus-1", op_set_qlimit, -1)
NOBODY("mach_port_set_qlimit/of-no-space", op_set_qlimit, 0)
NOBODY("mach_port_set_qlimit/of-no-space-17", op_set_qlimit, 17)
SWEEP("mach_port_set_mscount/each-kind-minus-1", op_set_mscount, -1)
NOBODY("mach_port_set_mscount/of-no-space", op_set_mscount, 0)
SWEEP("mach_port_set_seqno/each-kind-minus-1", op_set_seqno, -1)
NOBODY("mach_port_set_seqno/of-no-space", op_set_seqno, 0)
SWEEP("mach_port_get_set_status/each-kind", op_set_status, 0)
NOBODY("mach_port_get_set_status/of-no-space", op_set_status, 0)
SWEEP("mach_port_get_receive_status/each-kind", op_status, 0)
NOBODY("mach_port_get_receive_status/of-no-space", op_status, 0)
SWEEP("mach_port_move_member/each-kind-out", op_move_member, 0)
SWEEP("mach_port_move_member/each-kind-into-a-set", op_move_member, 1)
SWEEP("mach_port_move_member/each-kind-into-itself", op_move_member, 2)
SWEEP("mach_port_move_member/a-port-into-each-kind", op_move_member, 3)
SWEEP("mach_port_move_member/nothing-into-each-kind", op_move_member, 4)
SWEEP("mach_port_move_member/a-dead-name-into-each-kind", op_move_member, 5)
NOBODY("mach_port_move_member/of-no-space", op_move_member, 0)
SWEEP("mach_port_request_notification/each-kind-dead-name-sync-0", op_request, 72)
SWEEP("mach_port_request_notification/each-kind-dead-name-sync-1", op_request, 72 + 256)
SWEEP("mach_port_request_notification/each-kind-no-senders-sync-0", op_request, 70)
SWEEP("mach_port_request_notification/each-kind-no-senders-sync-1", op_request, 70 + 256)
SWEEP("mach_port_request_notification/each-kind-no-senders-sync-minus-1", op_request, 70 + 256 * 0xffffffff)
SWEEP("mach_port_request_notification/each-kind-port-destroyed", op_request, 69)
SWEEP("mach_port_request_notification/each-kind-port-destroyed-sync-1", op_request, 69 + 256)
SWEEP("mach_port_request_notification/each-kind-id-0", op_request, 0)
SWEEP("mach_port_request_notification/each-kind-port-deleted", op_request, 65)
SWEEP("mach_port_request_notification/each-kind-dead-name-none", op_cancel, 72)
SWEEP("mach_port_request_notification/each-kind-dead-name-none-sync-1", op_cancel, 72 + 256)
SWEEP("mach_port_request_notification/each-kind-no-senders-none", op_cancel, 70)
SWEEP("mach_port_request_notification/each-kind-port-destroyed-none", op_cancel, 69)
NOBODY("mach_port_request_notification/of-no-space", op_request, 72)
NOBODY("mach_port_request_notification/of-no-space-id-0", op_request, 0)
SWEEP("mach_port_insert_right/under-each-kind-moved-receive", op_insert, 16)
SWEEP("mach_port_insert_right/under-each-kind-moved-send", op_insert, 17)
SWEEP("mach_port_insert_right/under-each-kind-moved-send-once", op_insert, 18)
SWEEP("mach_port_insert_right/under-each-kind-copied-send", op_insert, 19)
SWEEP("mach_port_insert_right/under-each-kind-made-send", op_insert, 20)
SWEEP("mach_port_insert_right/under-each-kind-made-send-once", op_insert, 21)
SWEEP("mach_port_insert_right/under-each-kind-null", op_insert_none, 0)
SWEEP("mach_port_insert_right/under-each-kind-dead-port", op_insert_none, -1)
NOBODY("mach_port_insert_right/of-no-space", op_insert, 20)
NOBODY("mach_port_insert_right/of-no-space-null", op_insert_none, 0)
SWEEP("mach_port_extract_right/each-kind-type-0", op_extract, 0)
SWEEP("mach_port_extract_right/each-kind-move-receive", op_extract, 16)
SWEEP("mach_port_extract_right/each-kind-move-send", op_extract, 17)
SWEEP("mach_port_extract_right/each-kind-move-send-once", op_extract, 18)
SWEEP("mach_port_extract_right/each-kind-copy-send", op_extract, 19)
SWEEP("mach_port_extract_right/each-kind-make-send", op_extract, 20)
SWEEP("mach_port_extract_right/each-kind-make-send-once", op_extract, 21)
SWEEP("mach_port_extract_right/each-kind-type-22", op_extract, 22)
NOBODY("mach_port_extract_right/of-no-space", op_extract, 20)
NOBODY("mach_port_extract_right/of-no-space-type-0", op_extract, 0)
