/*
 * Prints the layout of every structure that crosses the border between client
 * and kernel, one "name value" a line: sizes, offsets, and for bit fields the
 * word that has only that field's bits set. Built by scripts/abi-table.sh for
 * the host, with the kernel's headers (-DKERNEL_HEADERS) or with our own.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef KERNEL_HEADERS
#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/notify.h>
#include <mach/port.h>
#include <mach/std_types.h>
#include <mach/vm_statistics.h>
#else
#include "abi.h"
#endif

#define SIZE(name, type) printf("sizeof %s %zu\n", name, sizeof(type))
#define FIELD(name, type, field) \
	printf("offsetof %s.%s %zu\n", name, #field, offsetof(type, field))
#define BITS(name, type, field)                                           \
	do {                                                              \
		type value;                                               \
		uint64_t word;                                            \
		memset(&value, 0, sizeof(value));                         \
		value.field--;                                            \
		memcpy(&word, &value, sizeof(word));                      \
		printf("bits %s.%s 0x%016jx\n", name, #field, (uintmax_t)word); \
	} while (0)

static void scalars(void)
{
	SIZE("natural_t", natural_t);
	SIZE("integer_t", integer_t);
	SIZE("boolean_t", boolean_t);
	SIZE("kern_return_t", kern_return_t);
	SIZE("mach_port_t", mach_port_t);
	SIZE("mach_port_name_t", mach_port_name_t);
	SIZE("vm_offset_t", vm_offset_t);
	SIZE("vm_address_t", vm_address_t);
	SIZE("vm_size_t", vm_size_t);
}

static void messages(void)
{
	SIZE("mach_port_name_inlined_t", mach_port_name_inlined_t);
	FIELD("mach_port_name_inlined_t", mach_port_name_inlined_t, name);

	SIZE("mach_msg_header_t", mach_msg_header_t);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_bits);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_size);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_remote_port);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_local_port);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_protected_payload);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_seqno);
	FIELD("mach_msg_header_t", mach_msg_header_t, msgh_id);

	SIZE("mach_msg_type_t", mach_msg_type_t);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_name);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_size);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_unused);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_inline);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_longform);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_deallocate);
	BITS("mach_msg_type_t", mach_msg_type_t, msgt_number);

	SIZE("mach_msg_type_long_t", mach_msg_type_long_t);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_name);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_size);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_unused);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_inline);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_longform);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_deallocate);
	BITS("mach_msg_type_long_t", mach_msg_type_long_t, msgtl_number);

	SIZE("mig_reply_header_t", mig_reply_header_t);
	FIELD("mig_reply_header_t", mig_reply_header_t, Head);
	FIELD("mig_reply_header_t", mig_reply_header_t, RetCodeType);
	FIELD("mig_reply_header_t", mig_reply_header_t, RetCode);
}

static void notifications(void)
{
	SIZE("mach_port_deleted_notification_t", mach_port_deleted_notification_t);
	FIELD("mach_port_deleted_notification_t", mach_port_deleted_notification_t, not_header);
	FIELD("mach_port_deleted_notification_t", mach_port_deleted_notification_t, not_type);
	FIELD("mach_port_deleted_notification_t", mach_port_deleted_notification_t, not_port);

	SIZE("mach_msg_accepted_notification_t", mach_msg_accepted_notification_t);
	FIELD("mach_msg_accepted_notification_t", mach_msg_accepted_notification_t, not_port);

	SIZE("mach_port_destroyed_notification_t", mach_port_destroyed_notification_t);
	FIELD("mach_port_destroyed_notification_t", mach_port_destroyed_notification_t, not_port);

	SIZE("mach_no_senders_notification_t", mach_no_senders_notification_t);
	FIELD("mach_no_senders_notification_t", mach_no_senders_notification_t, not_count);

	SIZE("mach_send_once_notification_t", mach_send_once_notification_t);
	FIELD("mach_send_once_notification_t", mach_send_once_notification_t, not_header);

	SIZE("mach_dead_name_notification_t", mach_dead_name_notification_t);
	FIELD("mach_dead_name_notification_t", mach_dead_name_notification_t, not_port);
}

static void status_and_statistics(void)
{
	SIZE("mach_port_status_t", mach_port_status_t);
	FIELD("mach_port_status_t", mach_port_status_t, mps_pset);
	FIELD("mach_port_status_t", mach_port_status_t, mps_seqno);
	FIELD("mach_port_status_t", mach_port_status_t, mps_mscount);
	FIELD("mach_port_status_t", mach_port_status_t, mps_qlimit);
	FIELD("mach_port_status_t", mach_port_status_t, mps_msgcount);
	FIELD("mach_port_status_t", mach_port_status_t, mps_sorights);
	FIELD("mach_port_status_t", mach_port_status_t, mps_srights);
	FIELD("mach_port_status_t", mach_port_status_t, mps_pdrequest);
	FIELD("mach_port_status_t", mach_port_status_t, mps_nsrequest);

	SIZE("vm_statistics", struct vm_statistics);
	FIELD("vm_statistics", struct vm_statistics, pagesize);
	FIELD("vm_statistics", struct vm_statistics, free_count);
	FIELD("vm_statistics", struct vm_statistics, active_count);
	FIELD("vm_statistics", struct vm_statistics, inactive_count);
	FIELD("vm_statistics", struct vm_statistics, wire_count);
	FIELD("vm_statistics", struct vm_statistics, zero_fill_count);
	FIELD("vm_statistics", struct vm_statistics, reactivations);
	FIELD("vm_statistics", struct vm_statistics, pageins);
	FIELD("vm_statistics", struct vm_statistics, pageouts);
	FIELD("vm_statistics", struct vm_statistics, faults);
	FIELD("vm_statistics", struct vm_statistics, cow_faults);
	FIELD("vm_statistics", struct vm_statistics, lookups);
	FIELD("vm_statistics", struct vm_statistics, hits);
}

static void thread_states(void)
{
	SIZE("i386_thread_state", struct i386_thread_state);
	FIELD("i386_thread_state", struct i386_thread_state, r8);
	FIELD("i386_thread_state", struct i386_thread_state, r9);
	FIELD("i386_thread_state", struct i386_thread_state, r10);
	FIELD("i386_thread_state", struct i386_thread_state, r11);
	FIELD("i386_thread_state", struct i386_thread_state, r12);
	FIELD("i386_thread_state", struct i386_thread_state, r13);
	FIELD("i386_thread_state", struct i386_thread_state, r14);
	FIELD("i386_thread_state", struct i386_thread_state, r15);
	FIELD("i386_thread_state", struct i386_thread_state, rdi);
	FIELD("i386_thread_state", struct i386_thread_state, rsi);
	FIELD("i386_thread_state", struct i386_thread_state, rbp);
	FIELD("i386_thread_state", struct i386_thread_state, rsp);
	FIELD("i386_thread_state", struct i386_thread_state, rbx);
	FIELD("i386_thread_state", struct i386_thread_state, rdx);
	FIELD("i386_thread_state", struct i386_thread_state, rcx);
	FIELD("i386_thread_state", struct i386_thread_state, rax);
	FIELD("i386_thread_state", struct i386_thread_state, rip);
	FIELD("i386_thread_state", struct i386_thread_state, cs);
	FIELD("i386_thread_state", struct i386_thread_state, rfl);
	FIELD("i386_thread_state", struct i386_thread_state, ursp);
	FIELD("i386_thread_state", struct i386_thread_state, ss);

	SIZE("i386_float_state", struct i386_float_state);
	FIELD("i386_float_state", struct i386_float_state, fpkind);
	FIELD("i386_float_state", struct i386_float_state, initialized);
	FIELD("i386_float_state", struct i386_float_state, hw_state);
	FIELD("i386_float_state", struct i386_float_state, exc_status);

	SIZE("i386_xfloat_state", struct i386_xfloat_state);
	FIELD("i386_xfloat_state", struct i386_xfloat_state, fpkind);
	FIELD("i386_xfloat_state", struct i386_xfloat_state, initialized);
	FIELD("i386_xfloat_state", struct i386_xfloat_state, exc_status);
	FIELD("i386_xfloat_state", struct i386_xfloat_state, fp_save_kind);
	FIELD("i386_xfloat_state", struct i386_xfloat_state, hw_state);

	SIZE("i386_isa_port_map_state", struct i386_isa_port_map_state);
	FIELD("i386_isa_port_map_state", struct i386_isa_port_map_state, pm);

	SIZE("i386_debug_state", struct i386_debug_state);
	FIELD("i386_debug_state", struct i386_debug_state, dr);

	SIZE("i386_fsgs_base_state", struct i386_fsgs_base_state);
	FIELD("i386_fsgs_base_state", struct i386_fsgs_base_state, fs_base);
	FIELD("i386_fsgs_base_state", struct i386_fsgs_base_state, gs_base);
}

static void times_and_infos(void)
{
	SIZE("time_value", struct time_value);
	FIELD("time_value", struct time_value, seconds);
	FIELD("time_value", struct time_value, microseconds);

	SIZE("time_value64", struct time_value64);
	FIELD("time_value64", struct time_value64, seconds);
	FIELD("time_value64", struct time_value64, nanoseconds);

	SIZE("task_basic_info", struct task_basic_info);
	FIELD("task_basic_info", struct task_basic_info, suspend_count);
	FIELD("task_basic_info", struct task_basic_info, base_priority);
	FIELD("task_basic_info", struct task_basic_info, virtual_size);
	FIELD("task_basic_info", struct task_basic_info, resident_size);
	FIELD("task_basic_info", struct task_basic_info, user_time);
	FIELD("task_basic_info", struct task_basic_info, system_time);
	FIELD("task_basic_info", struct task_basic_info, creation_time);
	FIELD("task_basic_info", struct task_basic_info, user_time64);
	FIELD("task_basic_info", struct task_basic_info, system_time64);
	FIELD("task_basic_info", struct task_basic_info, creation_time64);

	SIZE("task_events_info", struct task_events_info);
	FIELD("task_events_info", struct task_events_info, faults);
	FIELD("task_events_info", struct task_events_info, zero_fills);
	FIELD("task_events_info", struct task_events_info, reactivations);
	FIELD("task_events_info", struct task_events_info, pageins);
	FIELD("task_events_info", struct task_events_info, cow_faults);
	FIELD("task_events_info", struct task_events_info, messages_sent);
	FIELD("task_events_info", struct task_events_info, messages_received);

	SIZE("task_thread_times_info", struct task_thread_times_info);
	FIELD("task_thread_times_info", struct task_thread_times_info, user_time);
	FIELD("task_thread_times_info", struct task_thread_times_info, system_time);
	FIELD("task_thread_times_info", struct task_thread_times_info, user_time64);
	FIELD("task_thread_times_info", struct task_thread_times_info, system_time64);

	SIZE("thread_basic_info", struct thread_basic_info);
	FIELD("thread_basic_info", struct thread_basic_info, user_time);
	FIELD("thread_basic_info", struct thread_basic_info, system_time);
	FIELD("thread_basic_info", struct thread_basic_info, cpu_usage);
	FIELD("thread_basic_info", struct thread_basic_info, base_priority);
	FIELD("thread_basic_info", struct thread_basic_info, cur_priority);
	FIELD("thread_basic_info", struct thread_basic_info, run_state);
	FIELD("thread_basic_info", struct thread_basic_info, flags);
	FIELD("thread_basic_info", struct thread_basic_info, suspend_count);
	FIELD("thread_basic_info", struct thread_basic_info, sleep_time);
	FIELD("thread_basic_info", struct thread_basic_info, creation_time);
	FIELD("thread_basic_info", struct thread_basic_info, user_time64);
	FIELD("thread_basic_info", struct thread_basic_info, system_time64);
	FIELD("thread_basic_info", struct thread_basic_info, creation_time64);

	SIZE("thread_sched_info", struct thread_sched_info);
	FIELD("thread_sched_info", struct thread_sched_info, policy);
	FIELD("thread_sched_info", struct thread_sched_info, data);
	FIELD("thread_sched_info", struct thread_sched_info, base_priority);
	FIELD("thread_sched_info", struct thread_sched_info, max_priority);
	FIELD("thread_sched_info", struct thread_sched_info, cur_priority);
	FIELD("thread_sched_info", struct thread_sched_info, depressed);
	FIELD("thread_sched_info", struct thread_sched_info, depress_priority);
	FIELD("thread_sched_info", struct thread_sched_info, last_processor);

	SIZE("host_basic_info", struct host_basic_info);
	FIELD("host_basic_info", struct host_basic_info, max_cpus);
	FIELD("host_basic_info", struct host_basic_info, avail_cpus);
	FIELD("host_basic_info", struct host_basic_info, memory_size);
	FIELD("host_basic_info", struct host_basic_info, cpu_type);
	FIELD("host_basic_info", struct host_basic_info, cpu_subtype);

	SIZE("host_sched_info", struct host_sched_info);
	FIELD("host_sched_info", struct host_sched_info, min_timeout);
	FIELD("host_sched_info", struct host_sched_info, min_quantum);

	SIZE("host_load_info", struct host_load_info);
	FIELD("host_load_info", struct host_load_info, avenrun);
	FIELD("host_load_info", struct host_load_info, mach_factor);
}

int main(void)
{
	scalars();
	messages();
	notifications();
	status_and_statistics();
	thread_states();
	times_and_infos();
	return 0;
}
