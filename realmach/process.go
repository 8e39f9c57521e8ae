package realmach

import (
	"context"
	"os/exec"
	"time"
)

// drainTime is how long a program that has ended, or was killed, may still have
// its output read. Only a reader who does not read makes it pass.
const drainTime = 5 * time.Second

// command is a program that gets no input and is killed, with all it has
// started, when ctx is done. Run it with runGroup.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.WaitDelay = drainTime
	ownGroup(c)
	return c
}
