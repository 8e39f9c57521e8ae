package realmach

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of what is booted, in bytes.
const (
	maxClient = 256 << 20
	maxName   = 64
	maxWords  = 1024
)

// The words of a boot module that the kernel expands: to the client's names of
// two ports, and to nothing, creating the task and starting it.
const (
	wordHostPort   = "${host-port}"
	wordDevicePort = "${device-port}"
	wordCreate     = "$(task-create)"
	wordResume     = "$(task-resume)"
)

// moduleName is what the client will see as argv[0].
func moduleName(client string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("._+-", r):
			return r
		}
		return '_'
	}, filepath.Base(client))
	return name[:min(len(name), maxName)]
}

// moduleLine is QEMU's description of the boot module: file, words of the
// client, what the kernel shall do. QEMU takes a comma for the end of a module
// unless it is doubled.
func moduleLine(name string, args []string) (string, error) {
	if len(args) == 0 {
		args = []string{wordHostPort, wordDevicePort}
	}
	words := 0
	for _, a := range args {
		if words += len(a) + 1; words > maxWords {
			return "", fmt.Errorf("the arguments take more than %d bytes: the boot loader has no room", maxWords)
		}
		if a == wordHostPort || a == wordDevicePort {
			continue
		}
		if a == "" || strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '$' }) {
			return "", fmt.Errorf("argument %q: the boot loader passes no empty words, spaces, control characters or dollar signs", a)
		}
	}
	line := append([]string{name}, args...)
	line = append(line, wordCreate, wordResume)
	return strings.ReplaceAll(strings.Join(line, " "), ",", ",,"), nil
}

// stage copies the client, as name, into a new temporary directory.
func stage(client, name string) (dir string, err error) {
	image, err := readBounded(client, maxClient)
	if err != nil {
		return "", fmt.Errorf("cannot read the client: %w", err)
	}
	if err := checkClient(image); err != nil {
		return "", fmt.Errorf("%s: %w", client, err)
	}
	if dir, err = os.MkdirTemp("", "realmach-"); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, name), image, 0o600); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, nil
}

// checkClient refuses a file that the kernel cannot load.
func checkClient(image []byte) error {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return fmt.Errorf("not an ELF file: %w", err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 || f.Type != elf.ET_EXEC {
		return fmt.Errorf("not a static x86-64 ELF file: %v, %v, %v", f.Class, f.Machine, f.Type)
	}
	return nil
}
