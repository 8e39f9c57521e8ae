package defs

import "fmt"

// CheckOverlap refuses subsystems that share message ids, as those of one
// server or of one trace must not. The error, if any, is an ErrorList.
func CheckOverlap(subsystems ...*Subsystem) error {
	type use struct {
		what string
		sub  *Subsystem
		pos  Pos
	}
	used := map[int]use{}
	var list ErrorList
	take := func(id int, u use) {
		if old, taken := used[id]; taken && old.sub != u.sub {
			list = append(list, &Error{u.pos, fmt.Sprintf("%s has the id %d of %s of subsystem %s, at %v",
				u.what, id, old.what, old.sub.Name, old.pos)})
			return
		}
		used[id] = u
	}
	for _, s := range subsystems {
		for _, r := range s.Routines {
			take(r.ID, use{fmt.Sprintf("%v %s", r.Kind, r.Name), s, r.Pos})
			if r.ReplyID != 0 {
				take(r.ReplyID, use{"the reply to " + r.Name, s, r.Pos})
			}
		}
	}
	if len(list) > 0 {
		return list
	}
	return nil
}
