package mach

// The structures that clients and kernel exchange, field by field as C lays
// them out on x86_64 GNU Mach. The tag is the C field's name; a test compiles
// the C declarations and compares sizes and offsets.

// MsgHeader is a message's header (C: mach_msg_header_t). The ports are 32-bit
// names in slots of pointer size.
type MsgHeader struct {
	Bits   MsgBits `c:"msgh_bits"`
	Size   uint32  `c:"msgh_size"`
	Remote Name    `c:"msgh_remote_port"`
	_      uint32
	Local  Name `c:"msgh_local_port"`
	_      uint32
	Seqno  uint32 `c:"msgh_seqno"`
	ID     MsgID  `c:"msgh_id"`
}

// MsgType is an item's type descriptor (C: mach_msg_type_t): a word of bit
// fields and the number of elements.
type MsgType struct {
	Word   uint32
	Number uint32
}

// Bit fields of a MsgType's 64 bits.
const (
	MsgTypeName       = 0x00000000000000ff // C: msgt_name
	MsgTypeSize       = 0x0000000000ffff00 // C: msgt_size, bits of an element
	MsgTypeUnused     = 0x000000001f000000 // C: msgt_unused
	MsgTypeInline     = 0x0000000020000000 // C: msgt_inline
	MsgTypeLongform   = 0x0000000040000000 // C: msgt_longform
	MsgTypeDeallocate = 0x0000000080000000 // C: msgt_deallocate
	MsgTypeNumber     = 0xffffffff00000000 // C: msgt_number
)

// MigReplyHeader is the start of every reply, and all of an error reply
// (C: mig_reply_header_t).
type MigReplyHeader struct {
	Head        MsgHeader  `c:"Head"`
	RetCodeType MsgType    `c:"RetCodeType"`
	RetCode     KernReturn `c:"RetCode"`
	_           uint32
}

// PortStatus is the state of a receive right (C: mach_port_status_t).
type PortStatus struct {
	PortSet       Name   `c:"mps_pset"`
	Seqno         uint32 `c:"mps_seqno"`
	MakeSendCount uint32 `c:"mps_mscount"`
	QueueLimit    uint32 `c:"mps_qlimit"`
	MsgCount      uint32 `c:"mps_msgcount"`
	SendOnceCount uint32 `c:"mps_sorights"`
	SendRights    uint32 `c:"mps_srights"`
	PDRequest     uint32 `c:"mps_pdrequest"`
	NSRequest     uint32 `c:"mps_nsrequest"`
}

// VMStatistics counts pages and events of a host (C: struct vm_statistics).
type VMStatistics struct {
	PageSize      int32 `c:"pagesize"`
	FreeCount     int32 `c:"free_count"`
	ActiveCount   int32 `c:"active_count"`
	InactiveCount int32 `c:"inactive_count"`
	WireCount     int32 `c:"wire_count"`
	ZeroFillCount int32 `c:"zero_fill_count"`
	Reactivations int32 `c:"reactivations"`
	Pageins       int32 `c:"pageins"`
	Pageouts      int32 `c:"pageouts"`
	Faults        int32 `c:"faults"`
	CowFaults     int32 `c:"cow_faults"`
	CacheLookups  int32 `c:"lookups"`
	CacheHits     int32 `c:"hits"`
}

// ThreadState is the general registers of a thread (C: struct
// i386_thread_state in its x86_64 form). Of its two stack pointers URSP is the
// one that counts.
type ThreadState struct {
	R8   uint64 `c:"r8"`
	R9   uint64 `c:"r9"`
	R10  uint64 `c:"r10"`
	R11  uint64 `c:"r11"`
	R12  uint64 `c:"r12"`
	R13  uint64 `c:"r13"`
	R14  uint64 `c:"r14"`
	R15  uint64 `c:"r15"`
	RDI  uint64 `c:"rdi"`
	RSI  uint64 `c:"rsi"`
	RBP  uint64 `c:"rbp"`
	RSP  uint64 `c:"rsp"`
	RBX  uint64 `c:"rbx"`
	RDX  uint64 `c:"rdx"`
	RCX  uint64 `c:"rcx"`
	RAX  uint64 `c:"rax"`
	RIP  uint64 `c:"rip"`
	CS   uint32 `c:"cs"`
	_    uint32
	RFL  uint64 `c:"rfl"`
	URSP uint64 `c:"ursp"`
	SS   uint32 `c:"ss"`
	_    uint32
}

// ThreadStateCount is the size of a ThreadState in 32-bit words
// (C: i386_THREAD_STATE_COUNT).
const ThreadStateCount = 42

// TimeValue is a time or a duration (C: rpc_time_value_t, time_value_t).
type TimeValue struct {
	Seconds      int64 `c:"seconds"`
	Microseconds int32 `c:"microseconds"`
	_            uint32
}

// TimeValue64 is the same, finer (C: time_value64_t).
type TimeValue64 struct {
	Seconds     int64 `c:"seconds"`
	Nanoseconds int64 `c:"nanoseconds"`
}

// Flavors of task_info (C: TASK_*_INFO), and how many 32-bit words each has.
const (
	TaskBasicInfoFlavor       = 1 // C: TASK_BASIC_INFO
	TaskEventsInfoFlavor      = 2 // C: TASK_EVENTS_INFO
	TaskThreadTimesInfoFlavor = 3 // C: TASK_THREAD_TIMES_INFO

	TaskBasicInfoCount       = 30 // C: TASK_BASIC_INFO_COUNT
	TaskEventsInfoCount      = 14 // C: TASK_EVENTS_INFO_COUNT
	TaskThreadTimesInfoCount = 16 // C: TASK_THREAD_TIMES_INFO_COUNT
)

// TaskBasicInfo is a task in short (C: struct task_basic_info). The times are
// of threads that have ended.
type TaskBasicInfo struct {
	SuspendCount   int32       `c:"suspend_count"`
	BasePriority   int32       `c:"base_priority"`
	VirtualSize    uint64      `c:"virtual_size"`
	ResidentSize   uint64      `c:"resident_size"`
	UserTime       TimeValue   `c:"user_time"`
	SystemTime     TimeValue   `c:"system_time"`
	CreationTime   TimeValue   `c:"creation_time"`
	UserTime64     TimeValue64 `c:"user_time64"`
	SystemTime64   TimeValue64 `c:"system_time64"`
	CreationTime64 TimeValue64 `c:"creation_time64"`
}

// TaskEventsInfo counts what a task's threads did (C: struct task_events_info).
type TaskEventsInfo struct {
	Faults           uint64 `c:"faults"`
	ZeroFills        uint64 `c:"zero_fills"`
	Reactivations    uint64 `c:"reactivations"`
	Pageins          uint64 `c:"pageins"`
	CowFaults        uint64 `c:"cow_faults"`
	MessagesSent     uint64 `c:"messages_sent"`
	MessagesReceived uint64 `c:"messages_received"`
}

// TaskThreadTimesInfo is the times of a task's living threads (C: struct
// task_thread_times_info).
type TaskThreadTimesInfo struct {
	UserTime     TimeValue   `c:"user_time"`
	SystemTime   TimeValue   `c:"system_time"`
	UserTime64   TimeValue64 `c:"user_time64"`
	SystemTime64 TimeValue64 `c:"system_time64"`
}

// Flavors of thread_info (C: THREAD_*_INFO), and how many 32-bit words each has.
const (
	ThreadBasicInfoFlavor = 1 // C: THREAD_BASIC_INFO
	ThreadSchedInfoFlavor = 2 // C: THREAD_SCHED_INFO

	ThreadBasicInfoCount = 32 // C: THREAD_BASIC_INFO_COUNT
	ThreadSchedInfoCount = 8  // C: THREAD_SCHED_INFO_COUNT
)

// ThreadBasicInfo is a thread in short (C: struct thread_basic_info).
type ThreadBasicInfo struct {
	UserTime       TimeValue `c:"user_time"`
	SystemTime     TimeValue `c:"system_time"`
	CPUUsage       int32     `c:"cpu_usage"`
	BasePriority   int32     `c:"base_priority"`
	CurPriority    int32     `c:"cur_priority"`
	RunState       int32     `c:"run_state"`
	Flags          int32     `c:"flags"`
	SuspendCount   int32     `c:"suspend_count"`
	SleepTime      int32     `c:"sleep_time"`
	_              uint32
	CreationTime   TimeValue   `c:"creation_time"`
	UserTime64     TimeValue64 `c:"user_time64"`
	SystemTime64   TimeValue64 `c:"system_time64"`
	CreationTime64 TimeValue64 `c:"creation_time64"`
}

// ThreadSchedInfo is how a thread is scheduled (C: struct thread_sched_info).
type ThreadSchedInfo struct {
	Policy          int32 `c:"policy"`
	Data            int32 `c:"data"`
	BasePriority    int32 `c:"base_priority"`
	MaxPriority     int32 `c:"max_priority"`
	CurPriority     int32 `c:"cur_priority"`
	Depressed       int32 `c:"depressed"`
	DepressPriority int32 `c:"depress_priority"`
	LastProcessor   int32 `c:"last_processor"`
}

// Notification is a notification with one word to tell: port-deleted,
// msg-accepted, no-senders and dead-name (C: mach_dead_name_notification_t and
// its kin).
type Notification struct {
	Header MsgHeader `c:"not_header"`
	Type   MsgType   `c:"not_type"`
	Word   uint32    `c:"not_port"`
	_      uint32
}

// SendOnceNotification has nothing to tell but that it came
// (C: mach_send_once_notification_t).
type SendOnceNotification struct {
	Header MsgHeader `c:"not_header"`
}
