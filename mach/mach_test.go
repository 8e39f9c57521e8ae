package mach

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCodesPrintTheirCNames(t *testing.T) {
	for _, c := range []struct {
		code interface{ String() string }
		want string
	}{
		{KernSuccess, "KERN_SUCCESS"},
		{KernInvalidAddress, "KERN_INVALID_ADDRESS"},
		{KernUrefsOverflow, "KERN_UREFS_OVERFLOW"},
		{KernReturn(11), "kern_return(11)"},
		{MigBadID, "MIG_BAD_ID"},
		{MigServerDied, "MIG_SERVER_DIED"},
		{KernReturn(SendInvalidDest), "MACH_SEND_INVALID_DEST"},
		{MsgSuccess, "MACH_MSG_SUCCESS"},
		{RcvBodyError | MsgVMSpace, "MACH_RCV_BODY_ERROR|MACH_MSG_VM_SPACE"},
		{RcvHeaderError | MsgIPCSpace | MsgIPCKernel, "MACH_RCV_HEADER_ERROR|MACH_MSG_IPC_SPACE|MACH_MSG_IPC_KERNEL"},
		{MsgVMKernel, "MACH_MSG_VM_KERNEL"},
		{MsgReturn(0x10000099), "mach_msg_return(0x10000099)"},
		{NameNull, "MACH_PORT_NULL"},
		{NameDead, "MACH_PORT_DEAD"},
		{Name(7), "7"},
		{TypeSend | TypeReceive | TypeDNRequest, "send+receive+dnrequest"},
		{ProtRead | ProtExecute, "r-x"},
		{ProtRead | ProtNotify, "r--|0x10"},
		{InheritNone, "none"},
		{TypeMakeSendOnce, "make_send_once"},
		{SendMsg | RcvLarge, "SEND_MSG|RCV_LARGE"},
	} {
		require.Equal(t, c.want, c.code.String())
	}
}

// The numbers are the C headers' (mach/kern_return.h, mach/message.h): every
// code of the two enumerations, so that none is missing or shifted.
func TestEveryCodeHasAName(t *testing.T) {
	for kr := KernSuccess; kr <= KernInterrupted; kr++ {
		switch kr {
		case 11, 25: // unassigned in GNU Mach
			continue
		}
		require.True(t, strings.HasPrefix(kr.String(), "KERN_"), "%d", kr)
	}
	for kr := MigDestroyRequest; kr <= MigTypeError; kr++ {
		require.True(t, strings.HasPrefix(kr.String(), "MIG_"), "%d", kr)
	}
	for mr := SendInProgress; mr <= SendInvalidHeader; mr++ {
		require.True(t, strings.HasPrefix(mr.String(), "MACH_SEND_"), "%#x", uint32(mr))
	}
	for mr := RcvInProgress; mr <= RcvBodyError; mr++ {
		require.True(t, strings.HasPrefix(mr.String(), "MACH_RCV_"), "%#x", uint32(mr))
	}
}

func TestPageRounding(t *testing.T) {
	require.Equal(t, Addr(0x1000), Addr(0x1fff).TruncPage())
	require.Equal(t, Addr(0x2000), Addr(0x1001).RoundPage())
	require.Equal(t, Addr(0x1000), Addr(0x1000).RoundPage())
	require.Zero(t, Addr(^uint64(0)).RoundPage(), "the last page of 64 bits rounds up to nothing")
}

// exchanged is what the kernel lays out or reads, by its C name.
var exchanged = map[string]reflect.Type{
	"mach_msg_header_t":                reflect.TypeFor[MsgHeader](),
	"mach_msg_type_t":                  reflect.TypeFor[MsgType](),
	"mach_msg_type_long_t":             reflect.TypeFor[MsgType](),
	"mig_reply_header_t":               reflect.TypeFor[MigReplyHeader](),
	"mach_port_deleted_notification_t": reflect.TypeFor[Notification](),
	"mach_msg_accepted_notification_t": reflect.TypeFor[Notification](),
	"mach_dead_name_notification_t":    reflect.TypeFor[Notification](),
	"mach_no_senders_notification_t":   reflect.TypeFor[Notification](),
	"mach_send_once_notification_t":    reflect.TypeFor[SendOnceNotification](),
	"mach_port_status_t":               reflect.TypeFor[PortStatus](),
	"vm_statistics":                    reflect.TypeFor[VMStatistics](),
	"i386_thread_state":                reflect.TypeFor[ThreadState](),
	"time_value":                       reflect.TypeFor[TimeValue](),
	"time_value64":                     reflect.TypeFor[TimeValue64](),
	"task_basic_info":                  reflect.TypeFor[TaskBasicInfo](),
	"task_events_info":                 reflect.TypeFor[TaskEventsInfo](),
	"task_thread_times_info":           reflect.TypeFor[TaskThreadTimesInfo](),
	"thread_basic_info":                reflect.TypeFor[ThreadBasicInfo](),
	"thread_sched_info":                reflect.TypeFor[ThreadSchedInfo](),
	"natural_t":                        reflect.TypeFor[uint32](),
	"boolean_t":                        reflect.TypeFor[uint32](),
	"kern_return_t":                    reflect.TypeFor[KernReturn](),
	"mach_port_name_t":                 reflect.TypeFor[Name](),
	"vm_address_t":                     reflect.TypeFor[Addr](),
	"vm_size_t":                        reflect.TypeFor[uint64](),
}

// other names of a field, where C has a union or a kin structure another word.
var aliases = map[string]string{
	"not_count":              "not_port",
	"msgh_protected_payload": "msgh_local_port",
}

var typeBits = map[string]uint64{
	"name": MsgTypeName, "size": MsgTypeSize, "unused": MsgTypeUnused, "inline": MsgTypeInline,
	"longform": MsgTypeLongform, "deallocate": MsgTypeDeallocate, "number": MsgTypeNumber,
}

// TestLayoutsAreTheCompilers compiles libmach's C declarations and compares
// what the compiler says with the Go structures.
func TestLayoutsAreTheCompilers(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI must have gcc")
		t.Skip("gcc is not installed")
	}
	out, err := exec.Command("../scripts/abi-table.sh", "--own").Output()
	require.NoError(t, err)
	checked := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		require.Len(t, f, 3, lines.Text())
		value, err := strconv.ParseUint(f[2], 0, 64)
		require.NoError(t, err)
		name, field, _ := strings.Cut(f[1], ".")
		typ, ok := exchanged[name]
		if !ok {
			continue
		}
		checked[name] = true
		switch f[0] {
		case "sizeof":
			require.EqualValues(t, value, typ.Size(), f[1])
		case "offsetof":
			require.EqualValues(t, value, fieldOf(t, typ, field).Offset, f[1])
		case "bits":
			_, part, _ := strings.Cut(field, "_")
			require.Equal(t, value, typeBits[part], f[1])
		default:
			t.Fatalf("a line of another kind: %q", lines.Text())
		}
	}
	require.Len(t, checked, len(exchanged), "structures that the C declarations lack")
}

func fieldOf(t *testing.T, typ reflect.Type, name string) reflect.StructField {
	t.Helper()
	if other, ok := aliases[name]; ok {
		name = other
	}
	for i := range typ.NumField() {
		if typ.Field(i).Tag.Get("c") == name {
			return typ.Field(i)
		}
	}
	t.Fatalf("%v has no field for %s", typ, name)
	return reflect.StructField{}
}
