//go:build !linux

package realmach

import "os/exec"

// ownGroup does nothing here: c alone is killed.
func ownGroup(*exec.Cmd) {}

// runGroup runs c and waits for its end.
func runGroup(c *exec.Cmd) error { return c.Run() }
