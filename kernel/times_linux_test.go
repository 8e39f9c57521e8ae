package kernel

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// runTimesOf are the times of a task's only thread.
func runTimesOf(t *testing.T, task *Task) (user, system time.Duration) {
	t.Helper()
	threads := task.threadList()
	require.Len(t, threads, 1)
	return threads[0].runTimes()
}

// A thread that only computes is in code, one that only waits nowhere; neither
// is ever for longer than the time that went by.
func TestTimesTellCodeFromKernel(t *testing.T) {
	const spin = "\xeb\xfe" // jmp .
	receive := append(
		binary.LittleEndian.AppendUint32([]byte{0xb8}, 0xffffffe6), // mov $-26,%eax: mach_reply_port
		0x0f, 0x05, // syscall
		0x41, 0x89, 0xc0, // mov %eax,%r8d: the port
		0x31, 0xff, // xor %edi,%edi: the message
		0xbe, 2, 0, 0, 0, // mov $MACH_RCV_MSG,%esi
		0x31, 0xd2, // xor %edx,%edx
		0x45, 0x31, 0xd2, // xor %r10d,%r10d
		0x45, 0x31, 0xc9, // xor %r9d,%r9d
		0xb8, 0xe7, 0xff, 0xff, 0xff, // mov $-25,%eax: mach_msg_trap
		0x0f, 0x05, // syscall
		0xcc, // int3
	)
	k := start(t, Config{})
	before := time.Now()
	computes := bootRaw(t, k, []byte(spin)...)
	waits := bootRaw(t, k, receive...)
	require.Eventually(t, func() bool {
		state, _ := waits.threadList()[0].runState()
		return state == runStateWaiting
	}, time.Minute, time.Millisecond)
	_, waitSystem := runTimesOf(t, waits)
	require.Eventually(t, func() bool {
		user, _ := runTimesOf(t, computes)
		return user >= 50*time.Millisecond
	}, time.Minute, time.Millisecond)
	user, system := runTimesOf(t, computes)
	require.Less(t, system, user)
	require.LessOrEqual(t, user+system, time.Since(before))
	_, later := runTimesOf(t, waits)
	require.Equal(t, waitSystem, later, "a thread that waits is nowhere")

	for _, task := range []*Task{computes, waits} {
		require.Zero(t, task.record.user.Load())
		task.Terminate()
		<-task.Done()
	}
	require.GreaterOrEqual(t, time.Duration(computes.record.user.Load()), user, "those of threads that ended are the task's")
	require.Positive(t, waits.record.system.Load())
}
