/*
 * stubs: every routine of the kernel asked with far too much behind the header,
 * of a port that is nothing it works on and of one that may be. What a request
 * is made of is looked at before what it is asked of. (What the recorded kernel
 * does not have yet is in newer.)
 */
#include "suite.h"

#include "message.h"

enum { BODY = 4096 };

struct request {
	struct message message;
	unsigned char more[BODY - 3 * ITEM];
};

static void ask(const char *of, struct request *request, mach_msg_size_t size)
{
	union {
		mig_reply_header_t reply;
		unsigned char room[HEADER + BODY];
	} answer;
	mach_port_name_t reply = mig_get_reply_port();
	mach_msg_header_t *head = &request->message.head;
	kern_return_t kr;

	head->msgh_bits |= MACH_MSGH_BITS(0, MACH_MSG_TYPE_MAKE_SEND_ONCE);
	head->msgh_local_port = reply;
	kr = mach_msg(head, MACH_SEND_MSG, size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
	if (kr == MACH_MSG_SUCCESS)
		kr = mach_msg(&answer.reply.Head, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0,
			      sizeof(answer), reply, 1000, MACH_PORT_NULL);
	code(of, kr == MACH_MSG_SUCCESS ? answer.reply.RetCode : kr);
}

static void ask_too_long(const char *of, mach_port_name_t object, mach_msg_id_t id)
{
	static struct request request;

	request.message = message_to(object);
	request.message.head.msgh_id = id;
	ask(of, &request, sizeof(request));
}

static void too_long(long id, long unused, long more_unused)
{
	(void)unused;
	(void)more_unused;
	ask_too_long("a task", make_task(FALSE), (mach_msg_id_t)id);
	ask_too_long("a thread", keep_name(mach_thread_self()), (mach_msg_id_t)id);
	ask_too_long("the host", host, (mach_msg_id_t)id);
}

#define TOO_LONG(routine, id) EACH(#routine "/far-too-much", too_long, id, 0, 0)
TOO_LONG(task_create, 2007)
TOO_LONG(task_terminate, 2008)
TOO_LONG(task_get_emulation_vector, 2009)
TOO_LONG(task_set_emulation_vector, 2010)
TOO_LONG(task_threads, 2011)
TOO_LONG(task_info, 2012)
TOO_LONG(thread_terminate, 2016)
TOO_LONG(thread_get_state, 2017)
TOO_LONG(thread_set_state, 2018)
TOO_LONG(thread_info, 2019)
TOO_LONG(vm_allocate, 2021)
TOO_LONG(vm_deallocate, 2023)
TOO_LONG(vm_protect, 2024)
TOO_LONG(vm_inherit, 2025)
TOO_LONG(vm_read, 2026)
TOO_LONG(vm_write, 2027)
TOO_LONG(vm_copy, 2028)
TOO_LONG(vm_region, 2029)
TOO_LONG(vm_statistics, 2030)
TOO_LONG(mach_ports_register, 2033)
TOO_LONG(mach_ports_lookup, 2034)
TOO_LONG(task_suspend, 2056)
TOO_LONG(vm_map, 2089)
TOO_LONG(vm_machine_attribute, 2099)
TOO_LONG(vm_wire, 2636)
TOO_LONG(task_resume, 2057)
TOO_LONG(task_get_special_port, 2058)
TOO_LONG(task_set_special_port, 2059)
TOO_LONG(thread_create, 2061)
TOO_LONG(thread_suspend, 2062)
TOO_LONG(thread_resume, 2063)
TOO_LONG(thread_abort, 2064)
TOO_LONG(thread_get_special_port, 2067)
TOO_LONG(thread_set_special_port, 2068)
TOO_LONG(task_set_emulation, 2070)
TOO_LONG(task_ras_control, 2071)
TOO_LONG(host_processors, 2600)
TOO_LONG(processor_start, 2603)
TOO_LONG(processor_exit, 2604)
TOO_LONG(processor_set_default, 2606)
TOO_LONG(processor_set_create, 2608)
TOO_LONG(processor_set_destroy, 2609)
TOO_LONG(processor_assign, 2611)
TOO_LONG(processor_get_assignment, 2612)
TOO_LONG(thread_assign, 2613)
TOO_LONG(thread_assign_default, 2614)
TOO_LONG(thread_get_assignment, 2615)
TOO_LONG(task_assign, 2616)
TOO_LONG(task_assign_default, 2617)
TOO_LONG(task_get_assignment, 2618)
TOO_LONG(thread_priority, 2620)
TOO_LONG(thread_max_priority, 2621)
TOO_LONG(task_priority, 2622)
TOO_LONG(processor_set_max_priority, 2623)
TOO_LONG(thread_policy, 2624)
TOO_LONG(processor_set_policy_enable, 2625)
TOO_LONG(processor_set_policy_disable, 2626)
TOO_LONG(processor_set_tasks, 2627)
TOO_LONG(processor_set_threads, 2628)
TOO_LONG(host_processor_sets, 2629)
TOO_LONG(host_processor_set_priv, 2630)
TOO_LONG(thread_depress_abort, 2631)
TOO_LONG(host_set_time, 2632)
TOO_LONG(host_adjust_time, 2633)
TOO_LONG(host_get_time, 2634)
TOO_LONG(host_reboot, 2635)
TOO_LONG(thread_wire, 2637)
TOO_LONG(host_info, 2638)
TOO_LONG(processor_info, 2639)
TOO_LONG(processor_set_info, 2640)
TOO_LONG(processor_control, 2641)
TOO_LONG(host_get_time64, 2643)
TOO_LONG(host_set_time64, 2644)
TOO_LONG(host_adjust_time64, 2645)
TOO_LONG(host_get_kernel_version, 2646)
TOO_LONG(host_get_uptime64, 2647)
TOO_LONG(mach_port_names, 3200)
TOO_LONG(mach_port_type, 3201)
TOO_LONG(mach_port_rename, 3202)
TOO_LONG(mach_port_allocate_name, 3203)
TOO_LONG(mach_port_allocate, 3204)
TOO_LONG(mach_port_destroy, 3205)
TOO_LONG(mach_port_deallocate, 3206)
TOO_LONG(mach_port_get_refs, 3207)
TOO_LONG(mach_port_mod_refs, 3208)
TOO_LONG(mach_port_set_qlimit, 3210)
TOO_LONG(mach_port_set_mscount, 3211)
TOO_LONG(mach_port_get_set_status, 3212)
TOO_LONG(mach_port_move_member, 3213)
TOO_LONG(mach_port_request_notification, 3214)
TOO_LONG(mach_port_insert_right, 3215)
TOO_LONG(mach_port_extract_right, 3216)
TOO_LONG(mach_port_get_receive_status, 3217)
TOO_LONG(mach_port_set_seqno, 3218)
TOO_LONG(i386_get_xstate_size, 3809)
TOO_LONG(task_enable_pc_sampling, 4000)
TOO_LONG(task_disable_pc_sampling, 4001)
TOO_LONG(task_get_sampled_pcs, 4002)
TOO_LONG(thread_enable_pc_sampling, 4003)
TOO_LONG(thread_disable_pc_sampling, 4004)
TOO_LONG(thread_get_sampled_pcs, 4005)
TOO_LONG(memory_object_create_proxy, 4010)
TOO_LONG(vm_region_create_proxy, 4011)
TOO_LONG(thread_terminate_release, 4201)
TOO_LONG(task_set_name, 4202)
TOO_LONG(register_new_task_notification, 4203)
TOO_LONG(gsync_wait, 4204)
TOO_LONG(vm_cache_statistics, 4200)
TOO_LONG(vm_wire_all, 4207)
TOO_LONG(vm_object_sync, 4208)
TOO_LONG(vm_msync, 4209)
TOO_LONG(vm_allocate_contiguous, 4210)
TOO_LONG(vm_pages_phys, 4212)
TOO_LONG(gsync_wake, 4205)
TOO_LONG(gsync_requeue, 4206)
TOO_LONG(task_set_essential, 4211)
TOO_LONG(thread_set_name, 4213)
TOO_LONG(thread_get_name, 4214)

/* Rights as they should be, and something behind them. */
static void register_and_more(const char *of, mach_port_name_t object)
{
	static struct request request;
	mach_port_name_t port = make_port();

	request.message = message_with(object,
				       TYPE(.msgt_name = MACH_MSG_TYPE_COPY_SEND, .msgt_size = 32,
					    .msgt_number = 1),
				       (vm_offset_t)&port);
	request.message.item[1].type = TYPE_INTEGER;
	request.message.head.msgh_id = 2033;
	ask(of, &request, HEADER + 2 * ITEM);
	tell_name("the port", port);
}

CASE("mach_ports_register/rights-and-more")
{
	register_and_more("a task", make_task(FALSE));
	register_and_more("the host", host);
}

/* A request of five items, one of them of another type or with a number too large. */
static void proxy_request(long wrong, long another_type, long unused)
{
	static struct request request;
	struct item *item = (struct item *)(&request.message.head + 1);
	mach_port_name_t object = make_port(), of[2] = {make_task(FALSE), host};
	int i, k;

	(void)unused;
	for (k = 0; k < 2; k++) {
		memset(&request, 0, sizeof(request));
		request.message = message_with(of[k], TYPE_INTEGER, VM_PROT_ALL);
		request.message.head.msgh_id = 4010;
		item[1].type = TYPE_PORT(MACH_MSG_TYPE_MAKE_SEND);
		item[1].port.name = object;
		for (i = 2; i < 5; i++)
			item[i].type = TYPE(.msgt_name = MACH_MSG_TYPE_INTEGER_64, .msgt_size = 64,
					    .msgt_number = 1, .msgt_inline = TRUE);
		if (!another_type)
			item[wrong].type.msgt_number = 2;
		else if (wrong == 0)
			item[wrong].type = item[2].type;
		else
			item[wrong].type = TYPE_INTEGER;
		ask(k == 0 ? "a task" : "the host", &request, HEADER + 5 * ITEM);
	}
}
EACH("memory_object_create_proxy/protection-of-another-type", proxy_request, 0, 1, 0)
EACH("memory_object_create_proxy/objects-of-another-type", proxy_request, 1, 1, 0)
EACH("memory_object_create_proxy/offsets-of-another-type", proxy_request, 2, 1, 0)
EACH("memory_object_create_proxy/starts-of-another-type", proxy_request, 3, 1, 0)
EACH("memory_object_create_proxy/lengths-of-another-type", proxy_request, 4, 1, 0)
EACH("memory_object_create_proxy/more-offsets-than-said", proxy_request, 2, 0, 0)
EACH("memory_object_create_proxy/more-starts-than-said", proxy_request, 3, 0, 0)
EACH("memory_object_create_proxy/more-lengths-than-said", proxy_request, 4, 0, 0)
