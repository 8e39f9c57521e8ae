package gen

import (
	"bytes"
	"fmt"

	"machkernel/mig/defs"
)

// List writes the message ids of a subsystem as text, a line for each routine:
//
//	subsystem base routine number request-id reply-id
//
// as GNU MIG does, with the reply id 0 where there is no reply; readers of traces know the form (.msgids).
func List(s *defs.Subsystem, _ Options) ([]byte, error) {
	var b bytes.Buffer
	for _, r := range s.Routines {
		fmt.Fprintf(&b, "%s %d %s %d %d %d\n", s.Name, s.Base, r.Name, r.Number, r.ID, r.ReplyID)
	}
	return b.Bytes(), nil
}
