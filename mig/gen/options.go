package gen

import (
	"strconv"
	"strings"

	"machkernel/mig/defs"
)

// named are the constants that .defs files may use in expressions.
var named = map[string]string{
	"MACH_MSG_OPTION_NONE":  "0",
	"MACH_MSG_TIMEOUT_NONE": "0",
	"MACH_SEND_TIMEOUT":     "mach.SendTimeout",
	"MACH_SEND_NOTIFY":      "mach.SendNotify",
	"MACH_SEND_INTERRUPT":   "mach.SendInterrupt",
	"MACH_SEND_CANCEL":      "mach.SendCancel",
	"MACH_RCV_TIMEOUT":      "mach.RcvTimeout",
	"MACH_RCV_NOTIFY":       "mach.RcvNotify",
	"MACH_RCV_INTERRUPT":    "mach.RcvInterrupt",
	"MACH_RCV_LARGE":        "mach.RcvLarge",
}

// expression is a C expression in Go: constants and numbers joined by |. An
// empty one is empty.
func expression(c string) (text string, ok bool) {
	if c == "" {
		return "", true
	}
	var list []string
	for _, word := range strings.Split(c, "|") {
		word = strings.Trim(word, " \t()")
		if n := named[word]; n != "" {
			list = append(list, n)
			continue
		}
		n, err := strconv.ParseUint(strings.TrimRight(word, "uUlL"), 0, 32)
		if err != nil {
			return "", false
		}
		list = append(list, strconv.FormatUint(n, 10))
	}
	return strings.Join(list, "|"), true
}

// waitTime is the time-out that a statement asks for. A simpleroutine has none:
// it waits for no reply.
func waitTime(r *defs.Routine) string {
	if r.Kind.OneWay() {
		return ""
	}
	return r.WaitTime
}

// timeout is the expression for mach_msg's time-out; empty is none.
func timeout(r *defs.Routine) string {
	if a := r.WaitTimeArg; a != nil && !r.Kind.OneWay() {
		return variable(a.Name)
	}
	text, _ := expression(waitTime(r))
	return text
}

// options is the expression for the bits added to mach_msg's option.
func options(r *defs.Routine) string {
	var list []string
	if a := r.MsgOptionArg; a != nil {
		list = append(list, variable(a.Name))
	} else if text, _ := expression(r.MsgOption); text != "" {
		list = append(list, text)
	}
	if timeout(r) != "" {
		list = append(list, "mach.RcvTimeout")
	}
	return strings.Join(list, "|")
}
