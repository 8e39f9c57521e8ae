package rules

import "machkernel/mach"

// TaskCreateNoTask is answered after the port was found to be no task's.
var TaskCreateNoTask = define(Rule[mach.KernReturn]{
	Name:    "task_create/no-task",
	About:   "the parent's port is no task's",
	GNUMach: says(argument, mach.KernInvalidTask),
	XNU:     absent(argument),
	Sources: "GNU Mach Reference Manual, Task Creation; the recordings; XNU's kernel has no task_create for clients",
})
