package defs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Preprocess runs the C preprocessor over file and returns its output, with
// line markers. Flags are the preprocessor's: -D, -I, -nostdinc and so on. As
// with GNU MIG, CPP in the environment names the command; else CC does, with
// -E -x c; else cc. The context ends the command.
func Preprocess(ctx context.Context, file string, flags []string) ([]byte, error) {
	if strings.HasPrefix(file, "-") {
		file = "./" + file
	}
	words := preprocessor()
	args := append(append(words[1:len(words):len(words)], flags...), file)
	cmd := exec.CommandContext(ctx, words[0], args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("preprocessing %s: %w", file, ctx.Err())
		}
		if text := strings.TrimSpace(complaint.String()); text != "" {
			return nil, fmt.Errorf("preprocessing %s: %w\n%s", file, err, text)
		}
		return nil, fmt.Errorf("preprocessing %s with %s: %w", file, words[0], err)
	}
	return out.Bytes(), nil
}

// preprocessor is the command and its first arguments, never empty.
func preprocessor() []string {
	if words := strings.Fields(os.Getenv("CPP")); len(words) > 0 {
		return words
	}
	words := strings.Fields(os.Getenv("CC"))
	if len(words) == 0 {
		words = []string{"cc"}
	}
	return append(words, "-E", "-x", "c")
}
