package realmach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// mirrorVariable names the environment's Debian mirror.
const mirrorVariable = "MACHKERNEL_MIRROR"

// debianKeyrings are where Debian's package debian-archive-keyring puts the keys
// that sign the archive; the name depends on the release.
var debianKeyrings = []string{
	"/usr/share/keyrings/debian-archive-keyring.gpg",
	"/usr/share/keyrings/debian-archive-keyring.pgp",
}

// program finds a program of the host; the error says which package has it.
func program(name, in string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s not found: install the package %s", name, in)
	}
	return path, nil
}

// apt is the host's apt with a state directory of its own, and what else it
// takes to have a package of another suite. Nothing of the host is changed.
type apt struct {
	get, unpack string // the programs
	keyring     string
	dir         string // state, lists, what was downloaded
}

// newApt finds the programs and the keys, and makes the state in dir.
func newApt(dir string, keyrings []string) (*apt, error) {
	a := &apt{dir: dir}
	var err error
	if a.get, err = program("apt-get", "apt (the packaged kernel is fetched with it)"); err != nil {
		return nil, err
	}
	if a.unpack, err = program("dpkg-deb", "dpkg"); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(keyrings, func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	})
	if i < 0 {
		return nil, errors.New("no keys of the Debian archive: install the package debian-archive-keyring")
	}
	a.keyring = keyrings[i]
	return a, errors.Join(
		os.MkdirAll(filepath.Join(dir, "lists/partial"), 0o755),
		os.MkdirAll(filepath.Join(dir, "archives/partial"), 0o755),
		os.WriteFile(filepath.Join(dir, "status"), nil, 0o644),
	)
}

// unpackPackage downloads the kernel's package and unpacks it in a directory
// below work, which it returns.
func unpackPackage(ctx context.Context, work string, keyrings []string) (root string, err error) {
	a, err := newApt(filepath.Join(work, "apt"), keyrings)
	if err != nil {
		return "", err
	}
	mirrors, err := a.mirrors(ctx)
	if err != nil {
		return "", err
	}
	var last error // the first mirror that carries the suite wins: a security mirror, say, does not
	for _, m := range mirrors {
		if last = a.download(ctx, m); last == nil {
			break
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
	if last != nil {
		return "", fmt.Errorf("no mirror of the host's apt gives Debian %s's %s: %w; check the network, or set %s",
			suite, pkg, last, mirrorVariable)
	}
	debs, err := filepath.Glob(filepath.Join(a.dir, pkg+"_*.deb"))
	if err != nil || len(debs) != 1 {
		return "", fmt.Errorf("apt-get download %s left %d files, not 1", pkg, len(debs))
	}
	root = filepath.Join(work, "root")
	if _, err := output(ctx, a.dir, a.unpack, "-x", debs[0], root); err != nil {
		return "", fmt.Errorf("unpacking %s: %w", filepath.Base(debs[0]), err)
	}
	return root, nil
}

// mirrors returns the addresses that the user or the host's apt names.
func (a *apt) mirrors(ctx context.Context) ([]string, error) {
	if m := os.Getenv(mirrorVariable); m != "" {
		return strings.Fields(m), nil
	}
	out, err := output(ctx, a.dir, a.get, "indextargets", "--format", "$(REPO_URI)")
	if err != nil {
		return nil, fmt.Errorf("asking apt for its mirrors: %w", err)
	}
	mirrors := strings.Fields(out)
	slices.Sort(mirrors)
	if mirrors = slices.Compact(mirrors); len(mirrors) == 0 {
		return nil, fmt.Errorf("the host's apt names no mirror: set %s to a Debian mirror's address", mirrorVariable)
	}
	return mirrors, nil
}

// download gets the suite's list of packages from mirror and the kernel's
// package into a.dir; apt checks the signature and the package's hash.
func (a *apt) download(ctx context.Context, mirror string) error {
	line := fmt.Sprintf("deb [signed-by=%s arch=amd64] %s %s main\n", a.keyring, mirror, suite)
	if err := os.WriteFile(filepath.Join(a.dir, "sources.list"), []byte(line), 0o644); err != nil {
		return err
	}
	if _, err := output(ctx, a.dir, a.get, a.args("update", "-o", "APT::Update::Error-Mode=any")...); err != nil {
		return err
	}
	_, err := output(ctx, a.dir, a.get, a.args("download", pkg)...)
	return err
}

// args are apt-get's options for the private state, and then what it shall do.
func (a *apt) args(do ...string) []string {
	options := []string{
		"Dir::Etc::sourcelist=" + filepath.Join(a.dir, "sources.list"),
		"Dir::Etc::sourceparts=/dev/null",
		"Dir::Etc::preferences=/dev/null",
		"Dir::Etc::preferencesparts=/dev/null",
		"Dir::State=" + a.dir,
		"Dir::State::Lists=" + filepath.Join(a.dir, "lists"),
		"Dir::State::status=" + filepath.Join(a.dir, "status"),
		"Dir::Cache=" + a.dir,
		"APT::Architecture=amd64",
		"APT::Architectures=amd64",
		"APT::Sandbox::User=",
		"Acquire::Languages=none",
		"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"Acquire::Retries=3",
	}
	args := []string{"-qq"}
	for _, o := range options {
		args = append(args, "-o", o)
	}
	return append(args, do...)
}

// maxChatter bounds what is kept of a program's output, in bytes.
const maxChatter = 64 << 10

// output runs a program in dir and returns its standard output, up to
// maxChatter. The error holds the last line of what it complained about.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	var out, errs head
	c := command(ctx, dir, name, args...)
	c.Env = append(os.Environ(), "LC_ALL=C")
	c.Stdout, c.Stderr = &out, &errs
	err := runGroup(c)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		if why := errs.lastLine(); why != "" {
			return "", fmt.Errorf("%s: %s", filepath.Base(name), why)
		}
		return "", fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return string(out.b), nil
}

// head keeps the first maxChatter bytes of what is written to it.
type head struct{ b []byte }

func (h *head) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), maxChatter-len(h.b))]...)
	return len(p), nil
}

func (h *head) lastLine() string {
	lines := strings.Split(strings.TrimSpace(string(h.b)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func (h *head) firstLine() string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(h.b)), "\n")
	return strings.TrimSpace(line)
}
