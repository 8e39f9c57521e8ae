package gen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mig/defs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// prelude declares what the tests' interfaces use, on one line.
const prelude = `type mach_port_t = MACH_MSG_TYPE_COPY_SEND;
type any_t = polymorphic ctype: mach_port_t;
type stated_t = polymorphic | MACH_MSG_TYPE_PORT_SEND ctype: mach_port_t;
type learnt_t = MACH_MSG_TYPE_MAKE_SEND | polymorphic ctype: mach_port_t;
type natural_t = MACH_MSG_TYPE_INTEGER_32;
`

func parse(t *testing.T, target defs.Target, head, body string) *defs.Subsystem {
	t.Helper()
	text := head + " " + strings.ReplaceAll(prelude, "\n", " ") + "\n" + body
	s, err := defs.Parse("test.defs", []byte(text), target)
	require.NoError(t, err)
	return s
}

// What the back end cannot write it refuses, at the place where it stands.
func TestRefusals(t *testing.T) {
	const object = `routine r(o : object_t = mach_port_t intran: object_t to_object(mach_port_t));`
	for _, c := range []struct {
		name   string
		target defs.Target
		head   string
		body   string
		want   string
	}{
		{"another target", defs.XNU64, "subsystem x 1;", "routine r(p : mach_port_t);", "for the target gnu64 only, not for xnu64"},
		{"32 bits", defs.GNU32, "subsystem x 1;", "routine r(p : mach_port_t);", "for the target gnu64 only, not for gnu32"},
		{"a translation nobody named", defs.GNU64, "subsystem KernelServer x 1;", object, "test.defs:2:11: o: no Go type is known for object_t; name it in the file of types"},
		{"rights in an array of fixed size", defs.GNU64, "subsystem x 1;", "routine r(p : mach_port_t;\n  a : list_t = array[3] of mach_port_t);", "test.defs:3:3: a: an array of rights inline"},
		{"an array of rights of any kind", defs.GNU64, "subsystem x 1;", "routine r(p : mach_port_t; a : list_t = array[*:3] of any_t);", "test.defs:2:28: a: an array of rights of any kind"},
		{"rights anywhere, in the kernel", defs.GNU64, "subsystem KernelServer x 1;", "routine r(p : mach_port_t; a : list_t = array[] of mach_port_t);", "test.defs:2:28: a: an array of rights inline or out of line"},
		{"an expression that is not constant", defs.GNU64, "subsystem x 1;", "waittime ticks;\nroutine r(p : mach_port_t);", "test.defs:3:9: r: the Go back end cannot compute ticks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parse(t, c.target, c.head, c.body)
			_, err := Server(s, Options{Package: "x"})
			require.ErrorContains(t, err, c.want)
			var place *defs.Error
			require.ErrorAs(t, err, &place)
		})
	}
}

// Today's language has no procedures; a tree from elsewhere may.
func TestProceduresAreRefused(t *testing.T) {
	s := parse(t, defs.GNU64, "subsystem x 1;", "routine r(p : mach_port_t);")
	for _, kind := range []defs.RoutineKind{defs.KindProcedure, defs.KindSimpleProcedure, defs.KindFunction} {
		s.Routines[0].Kind = kind
		for _, write := range []func(*defs.Subsystem, Options) ([]byte, error){Table, User, Server} {
			_, err := write(s, Options{Package: "x"})
			require.EqualError(t, err, "test.defs:2:9: r is a procedure or function, which the Go back end does not write")
		}
	}
}

// The kind of a right is an argument where somebody chooses it, and a result
// where somebody learns it.
func TestKindOfRightIsStatedOrLearnt(t *testing.T) {
	s := parse(t, defs.GNU64, "subsystem x 1;",
		"routine any(p : mach_port_t; a : any_t);\nroutine stated(p : mach_port_t; a : stated_t);\nroutine learnt(p : mach_port_t; a : learnt_t);\n"+
			"routine any_back(p : mach_port_t; out a : any_t);\nroutine stated_back(p : mach_port_t; out a : stated_t);\nroutine learnt_back(p : mach_port_t; out a : learnt_t);")
	user, err := User(s, Options{Package: "x"})
	require.NoError(t, err)
	for _, line := range []string{
		"func Any(m mig.Messenger, p, a mach.Name, aPoly mach.TypeName) (kr mach.KernReturn) {",
		"func Stated(m mig.Messenger, p, a mach.Name, aPoly mach.TypeName) (kr mach.KernReturn) {",
		"func Learnt(m mig.Messenger, p, a mach.Name) (kr mach.KernReturn) {",
		"func AnyBack(m mig.Messenger, p mach.Name) (a mach.Name, aPoly mach.TypeName, kr mach.KernReturn) {",
		"func StatedBack(m mig.Messenger, p mach.Name) (a mach.Name, kr mach.KernReturn) {",
		"func LearntBack(m mig.Messenger, p mach.Name) (a mach.Name, aPoly mach.TypeName, kr mach.KernReturn) {",
	} {
		require.Contains(t, string(user), line)
	}
	server, err := Server(s, Options{Package: "x"})
	require.NoError(t, err)
	for _, line := range []string{
		"Any(c *mig.Incoming, p, a mach.Name, aPoly mach.TypeName) mach.KernReturn",
		"Stated(c *mig.Incoming, p, a mach.Name) mach.KernReturn",
		"Learnt(c *mig.Incoming, p, a mach.Name, aPoly mach.TypeName) mach.KernReturn",
		"StatedBack(c *mig.Incoming, p mach.Name) (a mach.Name, aPoly mach.TypeName, kr mach.KernReturn)",
		"LearntBack(c *mig.Incoming, p mach.Name) (a mach.Name, kr mach.KernReturn)",
	} {
		require.Contains(t, string(server), line)
	}
}

// A time-out bounds the wait for a reply, so a simpleroutine has none; an
// option that a statement names is added to mach_msg's.
func TestTimeoutsAndOptions(t *testing.T) {
	s := parse(t, defs.GNU64, "subsystem x 1;", `
		waittime 1000; msgoption MACH_SEND_NOTIFY;
		routine asks(p : mach_port_t);
		simpleroutine tells(p : mach_port_t);
		nowaittime; msgoption MACH_MSG_OPTION_NONE;
		routine plain(p : mach_port_t);`)
	user, err := User(s, Options{Package: "x"})
	require.NoError(t, err)
	text := string(user)
	require.Contains(t, text, "ID: 1, Dest: p, DestType: mach.TypeCopySend, Timeout: 1000, Option: mach.SendNotify | mach.RcvTimeout}")
	require.Contains(t, text, "ID: 2, Dest: p, DestType: mach.TypeCopySend, Option: mach.SendNotify}")
	require.Contains(t, text, "ID: 3, Dest: p, DestType: mach.TypeCopySend}")
}

// A line of the list has the id 0 where there is no reply.
func TestList(t *testing.T) {
	s := parse(t, defs.GNU64, "subsystem x 40;", "routine a(p : mach_port_t);\nskip;\nsimpleroutine b(p : mach_port_t);")
	list, err := List(s, Options{})
	require.NoError(t, err)
	require.Equal(t, "x 40 a 0 40 140\nx 40 b 2 42 0\n", string(list))
}

func TestFileOfTypes(t *testing.T) {
	types, err := ReadTypes("mig.types", strings.NewReader("# ours\n\ntask_t *Task # a comment\n"))
	require.NoError(t, err)
	require.Equal(t, Types{"task_t": "*Task"}, types)
	_, err = ReadTypes("mig.types", strings.NewReader("task_t *Task\nmap_t\n"))
	require.EqualError(t, err, "mig.types:2: a line has a C type and a Go type")
}

// A name of an argument never hides what generated code needs.
func TestNamesOfArguments(t *testing.T) {
	for c, want := range map[string]string{
		"target_task": "targetTask", "new_vm_id": "newVMID", "type": "typeArg", "kr": "krArg", "ID": "iD", "mach": "machArg",
	} {
		require.Equal(t, want, variable(c))
	}
	require.Equal(t, "VMRead", camel("vm_read", true))
	require.Equal(t, "vmRead", camel("vm_read", false))
}
