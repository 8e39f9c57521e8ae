/*
 * The x86-64 GNU Mach ABI's structures, as libmach knows them: what a client
 * and the kernel must agree on, in the fewest words. Used to check the Go side
 * where the kernel's own headers are not at hand; where they are, the table
 * made from them must be the same (scripts/abi-table.sh --compare).
 */
#ifndef LIBMACH_ABI_H
#define LIBMACH_ABI_H

#include <stdint.h>

typedef uint32_t natural_t;
typedef int32_t integer_t;
typedef uintptr_t vm_offset_t;
typedef uintptr_t vm_address_t;
typedef uintptr_t vm_size_t;
typedef int32_t boolean_t;
typedef int32_t kern_return_t;
typedef uint32_t mach_port_t;
typedef uint32_t mach_port_name_t;

/* A port name in a header or an inline item has the room of a pointer. */
typedef union {
	mach_port_name_t name;
	uintptr_t room;
} mach_port_name_inlined_t;

typedef struct {
	uint32_t msgh_bits;
	uint32_t msgh_size;
	union {
		mach_port_t msgh_remote_port;
		uintptr_t msgh_remote_room;
	};
	union {
		mach_port_t msgh_local_port;
		uintptr_t msgh_protected_payload;
	};
	natural_t msgh_seqno;
	integer_t msgh_id;
} mach_msg_header_t;

typedef struct {
	uint32_t msgt_name : 8, msgt_size : 16, msgt_unused : 5, msgt_inline : 1,
		msgt_longform : 1, msgt_deallocate : 1;
	natural_t msgt_number;
} __attribute__((aligned(8))) mach_msg_type_t;

typedef struct {
	uint32_t msgtl_name : 8, msgtl_size : 16, msgtl_unused : 5, msgtl_inline : 1,
		msgtl_longform : 1, msgtl_deallocate : 1;
	natural_t msgtl_number;
} __attribute__((aligned(8))) mach_msg_type_long_t;

typedef struct {
	mach_msg_header_t Head;
	mach_msg_type_t RetCodeType;
	kern_return_t RetCode;
} mig_reply_header_t;

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type;
	mach_port_name_t not_port;
} mach_port_deleted_notification_t, mach_msg_accepted_notification_t,
	mach_port_destroyed_notification_t, mach_dead_name_notification_t;

typedef struct {
	mach_msg_header_t not_header;
	mach_msg_type_t not_type;
	uint32_t not_count;
} mach_no_senders_notification_t;

typedef struct {
	mach_msg_header_t not_header;
} mach_send_once_notification_t;

typedef struct {
	mach_port_name_t mps_pset;
	natural_t mps_seqno;
	uint32_t mps_mscount, mps_qlimit, mps_msgcount, mps_sorights;
	boolean_t mps_srights, mps_pdrequest, mps_nsrequest;
} mach_port_status_t;

struct vm_statistics {
	integer_t pagesize;
	integer_t free_count, active_count, inactive_count, wire_count;
	integer_t zero_fill_count, reactivations, pageins, pageouts;
	integer_t faults, cow_faults, lookups, hits;
};

struct i386_thread_state {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rsp, rbx, rdx, rcx, rax, rip;
	uint32_t cs;
	uint64_t rfl, ursp;
	uint32_t ss;
};

struct i386_float_state {
	int32_t fpkind, initialized;
	uint8_t hw_state[28 + 80];
	int32_t exc_status;
};

struct i386_xfloat_state {
	int32_t fpkind, initialized, exc_status, fp_save_kind;
	uint8_t hw_state[];
};

struct i386_isa_port_map_state {
	uint8_t pm[0x400 / 8];
};

struct i386_debug_state {
	uint32_t dr[8];
};

struct i386_fsgs_base_state {
	uint64_t fs_base, gs_base;
};

struct time_value {
	int64_t seconds;
	integer_t microseconds;
};

struct time_value64 {
	int64_t seconds, nanoseconds;
};

struct task_basic_info {
	integer_t suspend_count, base_priority;
	vm_size_t virtual_size, resident_size;
	struct time_value user_time, system_time, creation_time;
	struct time_value64 user_time64, system_time64, creation_time64;
};

struct task_events_info {
	uint64_t faults, zero_fills, reactivations, pageins, cow_faults;
	uint64_t messages_sent, messages_received;
};

struct task_thread_times_info {
	struct time_value user_time, system_time;
	struct time_value64 user_time64, system_time64;
};

struct thread_basic_info {
	struct time_value user_time, system_time;
	integer_t cpu_usage, base_priority, cur_priority, run_state, flags;
	integer_t suspend_count, sleep_time;
	struct time_value creation_time;
	struct time_value64 user_time64, system_time64, creation_time64;
};

struct thread_sched_info {
	integer_t policy, data, base_priority, max_priority, cur_priority;
	integer_t depressed, depress_priority, last_processor;
};

struct host_basic_info {
	integer_t max_cpus, avail_cpus;
	vm_size_t memory_size;
	integer_t cpu_type, cpu_subtype;
};

struct host_sched_info {
	integer_t min_timeout, min_quantum;
};

struct host_load_info {
	integer_t avenrun[3], mach_factor[3];
};

#endif
