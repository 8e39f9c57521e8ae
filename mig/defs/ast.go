package defs

import "machkernel/mach"

// Subsystem is one .defs file, resolved.
type Subsystem struct {
	Pos    Pos
	Target Target
	Name   string
	Base   int // message id of routine 0

	KernelUser   bool // the user stubs run inside the kernel: ports are pointers there
	KernelServer bool // the same for the server's

	ServerPrefix string // as the last statement has it; see Routine.ServerName
	UserPrefix   string // the same
	ServerDemux  string // the demultiplexer's name; default: Name + "_server"
	ErrorProc    string // XNU's and historic
	WaitTime     string // as the last statement has it; see Routine.WaitTime
	SendTime     string // the same, XNU's
	MsgOption    string // the same
	RCSID        string

	UserTypeLimit int // XNU's: bytes; 0 where not stated
	OnStackLimit  int // XNU's: bytes; 0 where not stated

	Imports  []Import
	Types    []*Type    // declared by type statements, in order
	Routines []*Routine // in order of their ids
	End      int        // the id after the last one used or skipped

	Warnings ErrorList // what the real generator warns of and goes on
}

// ImportKind says which generated files include an import.
type ImportKind uint8

// Kinds of import.
const (
	ImportAll    ImportKind = iota // import
	ImportUser                     // uimport
	ImportServer                   // simport
	ImportHeader                   // iimport, XNU's: the internal header
	ImportDefs                     // dimport, XNU's: the server's defines
)

// Import is an #include that goes into generated code.
type Import struct {
	Pos  Pos
	Kind ImportKind
	File string // with its quotes or angle brackets
}

// RoutineKind is the keyword that declares a routine.
type RoutineKind uint8

// Kinds of routine. The last three are historic: today's generators know the
// first two only.
const (
	KindRoutine         RoutineKind = iota // answers a return code
	KindSimpleRoutine                      // no reply message
	KindProcedure                          // answers nothing; errors go to ErrorProc
	KindSimpleProcedure                    // no reply message, returns nothing
	KindFunction                           // answers a value
)

// OneWay reports whether there is no reply message.
func (k RoutineKind) OneWay() bool { return k == KindSimpleRoutine || k == KindSimpleProcedure }

// Routine is one message, or one pair of request and reply.
type Routine struct {
	Pos        Pos
	Kind       RoutineKind
	Name       string // as in the file
	UserName   string // UserPrefix + Name
	ServerName string // ServerPrefix + Name
	Number     int    // counted from the subsystem's base, skips included
	ID         int    // of the request
	ReplyID    int    // of the reply, ReplyOffset more; 0 for a one-way routine

	Args   []*Arg // in order, with their directions resolved
	Return *Type  // of a function; else nil

	// Distinguished arguments. RequestPort is never nil, the others may be.
	RequestPort     *Arg
	UserReplyPort   *Arg // replyport or ureplyport
	ServerReplyPort *Arg // replyport or sreplyport
	WaitTimeArg     *Arg // waittime or sendtime
	MsgOptionArg    *Arg
	MsgSeqnoArg     *Arg
	RetCodeArg      *Arg // XNU's: the argument of a simpleroutine flagged retcode

	// Bytes of the smallest legal messages, of typed targets; else 0. The reply
	// of a one-way routine is the one that carries an error.
	RequestSize int
	ReplySize   int

	// What statements above the routine ask for, where no argument does;
	// expressions in C, empty where nothing was asked for.
	WaitTime  string
	SendTime  string
	MsgOption string

	SpecialReplyPort   bool   // XNU's UseSpecialReplyPort is in force
	ConsumeOnSendError string // XNU's, in lower case: "", "timeout" or "any"
}

// ReplyOffset is the distance from a request's id to its reply's.
const ReplyOffset = 100

// Dir is what an argument is for.
type Dir uint8

// Directions. In, Out and InOut travel in the body; the others are fields of
// the header, arguments of mach_msg, or parts of XNU's trailer.
const (
	DirNone Dir = iota // never in a resolved Arg
	In
	Out
	InOut
	RequestPort
	ReplyPort
	UReplyPort // the user's side only
	SReplyPort // the server's side only
	WaitTime
	SendTime
	MsgOption
	MsgSeqno
	SecToken
	ServerSecToken
	UserSecToken
	AuditToken
	ServerAuditToken
	UserAuditToken
	ServerContextToken
	ServerImpl // an implicit trailer argument of the server
	UserImpl   // the same of the user
)

// Sent reports whether the value travels in the request's body.
func (d Dir) Sent() bool { return d == In || d == InOut }

// Returned reports whether the value travels in the reply's body.
func (d Dir) Returned() bool { return d == Out || d == InOut }

// Dealloc says what becomes of the sender's memory or right.
type Dealloc uint8

// Values of Dealloc.
const (
	DeallocNo    Dealloc = iota
	DeallocYes           // dealloc
	DeallocMaybe         // dealloc[]: an extra argument decides
)

// Arg is an argument of a routine. Its flags are those in force: what the
// argument says, else what its type says.
type Arg struct {
	Pos  Pos
	Name string
	Dir  Dir
	Type *Type

	Stated       Flags // what the text asks for
	Dealloc      Dealloc
	LongForm     bool // the descriptor takes the long form (typed targets)
	ServerCopy   bool // the server gets an extra argument: is it inline?
	CountInOut   bool // the user states the room for an inline out array
	SameCount    bool // XNU's: shares the count of the argument before it
	PhysicalCopy bool // XNU's
	Overwrite    bool // XNU's: the reply goes to memory that the user names
	RetCode      bool // XNU's
	Auto         bool // XNU's
	Const        bool // XNU's
}

// Wire is a message type name, as sent or as received.
type Wire struct {
	C    string        // in C, "MACH_MSG_TYPE_COPY_SEND"; a number where the file has one
	Name mach.TypeName // meaningless where Poly
	Poly bool          // stated or learned at run-time
}

// IsPort reports whether the wire type is a right of a known kind.
func (w Wire) IsPort() bool { return !w.Poly && w.Name.IsPort() }

// Type is a type of the .defs language, resolved.
type Type struct {
	Pos  Pos
	Name string // empty for a part of another type

	In  Wire // what the sender states
	Out Wire // what the receiver gets

	Bits   int // of an element (C: msgt_size)
	Number int // elements; of Variable inline ones the most; 0 out of line

	Inline     bool
	Variable   bool // a count goes with it: array[], array[*:n], c_string[*:n]
	Indefinite bool // array[] without ^: inline up to 2048 bytes, else out of line
	ByValue    bool // C assigns it with =: scalars, structs, pointers; not arrays and strings
	String     bool // zero-terminated
	Pointer    bool // declared with ^

	Elem   *Type   // what it was made from: an array's element, the other type of a plain alias
	Fields []Field // of struct { … }

	Stated   Flags // what the text asks for
	Dealloc  Dealloc
	LongForm bool

	Size    int // bytes of the value in C; of a pointer where out of line
	Pad     int // bytes after it in a message
	MinSize int // bytes in the smallest message: 0 where Variable inline (typed targets)
	Align   int // bytes

	UserType   string // C type in the user stub
	ServerType string // C type in the server stub's message
	TransType  string // C type that the server's function gets

	InTran        string // function ServerType → TransType, or empty
	InTranPayload string // function from a protected payload → TransType, or empty
	OutTran       string // function TransType → ServerType, or empty
	Destructor    string // function of TransType, or empty

	KernelPort   bool // a port pointer on the kernel's side of the interface
	UserlandPort bool // a right in an interface between user programs

	Native      *Native // XNU's PointerTo and the like, else nil
	Descriptors int     // XNU: descriptors in the message's first part; 0: plain data
	Emulated    bool    // XNU: array[] without ^: out of line, though it does not look so

	stated struct{ user, server, trans string } // C types before defaults
	before int                                  // routines that stand before it
	spec   string                               // the type in the language, without clauses
	broken bool                                 // an error was reported: no more about it
	local  bool                                 // declared inside an argument
}

// Field is a member of a struct type.
type Field struct {
	Pos    Pos
	Name   string
	Type   *Type
	Offset int // bytes
}

// Native is a C type that goes into the stubs as it stands (XNU's).
type Native struct {
	C         string // the type
	Pointer   bool   // PointerTo, PointerToIfNot; else ValueOf
	Otherwise string // PointerToIfNot: the value that stands for nothing
}

// IsPort reports whether items are rights, of any kind.
func (t *Type) IsPort() bool { return t.In.IsPort() || t.Out.IsPort() || t.In.Poly && t.Out.Poly }

// Poly reports whether a type name goes as an argument beside the value.
func (t *Type) Poly() bool { return t.In.Poly || t.Out.Poly }

// Scale is by how much a count argument is multiplied to get the number of
// wire elements: 1 but for arrays of arrays or structs.
func (t *Type) Scale() int {
	if t.Elem == nil {
		return 1
	}
	return t.Elem.Number
}
