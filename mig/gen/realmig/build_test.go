package realmig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	_ "machkernel/mig" // what is built is made of it, so its changes have this test run again
	"machkernel/mig/defs"
	"machkernel/mig/gen"
)

// subject is an interface under comparison.
type subject struct {
	*defs.Subsystem
	file string
	text []byte // preprocessed
}

// toolchain is where the real MIG and the kernel's headers are.
type toolchain struct{ include, migcom string }

// findToolchain looks where scripts/mig-toolchain.sh puts it.
func findToolchain(t *testing.T) toolchain {
	t.Helper()
	cache := os.Getenv("MACHKERNEL_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		require.NoError(t, err)
		cache = filepath.Join(dir, "machkernel")
	}
	root := filepath.Join(cache, "toolchain")
	for _, p := range []string{"gnumach-dev", "mig-x86-64-gnu"} {
		if _, err := os.Stat(filepath.Join(root, "versions", p)); err != nil {
			require.Empty(t, os.Getenv("CI"), "CI must have the real MIG")
			t.Skipf("needs the real MIG, which scripts/mig-toolchain.sh obtains: %v", err)
		}
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI must have gcc")
		t.Skip("needs gcc")
	}
	return toolchain{filepath.Join(root, "usr/include/x86_64-linux-gnu"), filepath.Join(root, "usr/lib/mig/x86_64-gnu-migcom")}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// command runs one and returns what it printed.
func command(t *testing.T, dir, stdin, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Stdin = dir, strings.NewReader(stdin)
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), "%s %s: %s", name, strings.Join(args, " "), errs.String())
	return out.String()
}

// interfaces are all .defs files that the packages have. Those of types alone
// are apart: they parse where an interface would include them.
func (tc toolchain) interfaces(t *testing.T) (subjects []*subject, types []string) {
	t.Helper()
	err := filepath.WalkDir(tc.include, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".defs" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !statement.Match(text) {
			types = append(types, path)
			user := filepath.Join(t.TempDir(), "user.defs")
			text := fmt.Sprintf("subsystem user 1;\n#include <mach/mach_types.defs>\n#include %q\n", path)
			require.NoError(t, os.WriteFile(user, []byte(text), 0o600))
			_, err = tc.parse(t.Context(), user)
			return err
		}
		s, err := tc.parse(t.Context(), path)
		subjects = append(subjects, s)
		return err
	})
	require.NoError(t, err)
	return subjects, types
}

// statement is what makes an interface of a file.
var statement = regexp.MustCompile(`(?m)^\s*subsystem\b`)

func (tc toolchain) parse(ctx context.Context, path string) (*subject, error) {
	text, err := defs.Preprocess(ctx, path, []string{"-nostdinc", "-I" + tc.include})
	if err != nil {
		return nil, err
	}
	s, err := defs.Parse(path, text, defs.GNU64)
	if err != nil {
		return nil, err
	}
	return &subject{Subsystem: s, file: path, text: text}, nil
}

// overlayPath is the import path of the generated Go, which is nowhere on disk.
const overlayPath = "machkernel/mig/gen/realmig/overlay"

// drivers are the two programs that are compared.
type drivers struct{ c, goo string }

// jobs run beside each other, as many as there are processors.
type jobs struct {
	free chan struct{}
	all  sync.WaitGroup
	mu   sync.Mutex
	errs []error // guarded by mu
}

func (j *jobs) start(f func() error) {
	j.all.Go(func() {
		j.free <- struct{}{}
		defer func() { <-j.free }()
		if err := f(); err != nil {
			j.mu.Lock()
			j.errs = append(j.errs, err)
			j.mu.Unlock()
		}
	})
}

func (j *jobs) wait() error {
	j.all.Wait()
	return errors.Join(j.errs...)
}

func build(t *testing.T, tc toolchain, subjects []*subject) drivers {
	t.Helper()
	dir := t.TempDir()
	group := &jobs{free: make(chan struct{}, runtime.NumCPU())}
	d := drivers{filepath.Join(dir, "c"), filepath.Join(dir, "go")}
	flags := tc.flags(t, dir)
	var objects []string
	for _, s := range subjects {
		buildC(t, tc, group, dir, flags, s)
		objects = append(objects, s.Name+".user.o", s.Name+".server.o")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tables.c"), []byte(cTables(subjects)), 0o600))
	buildGo(t, dir, d.goo, subjects)
	require.NoError(t, group.wait())
	here := absolute(t, "testdata")
	args := append([]string{"-O1", "-w", "-I" + here, "-o", d.c, filepath.Join(here, "driver.c"), "tables.c"}, objects...)
	command(t, dir, "", "gcc", args...)
	return d
}

// buildC has the real MIG write stubs, and compiles the drivers behind them.
func buildC(t *testing.T, tc toolchain, group *jobs, dir string, flags []string, s *subject) {
	t.Helper()
	user, server := s.Name+".user.c", s.Name+".server.c"
	command(t, dir, string(withoutMarkers(s.text)), tc.migcom, "-user", user, "-server", server, "-header", s.Name+".h", "-list", s.Name+".list")
	stubs, err := os.ReadFile(filepath.Join(dir, server))
	require.NoError(t, err)
	stubs = repaired.ReplaceAll(stubs, []byte("(void *) In0P->$1, $2"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, server), stubs, 0o600))
	serve, err := cServer(s.Subsystem, server, string(stubs))
	require.NoError(t, err, s.Name)
	for name, text := range map[string]string{"driver_" + user: cUser(s.Subsystem, user), "driver_" + server: serve} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		group.start(func() error {
			out := strings.TrimSuffix(strings.TrimPrefix(name, "driver_"), ".c") + ".o"
			c := exec.CommandContext(t.Context(), "gcc", slices.Concat(flags, []string{"-c", name, "-o", out})...)
			c.Dir = dir
			if text, err := c.CombinedOutput(); err != nil {
				return fmt.Errorf("gcc %s: %w\n%s", name, err, text)
			}
			return nil
		})
	}
}

// repaired is where the real MIG writes C that does not compile: an array of
// rights inline in the request to a task's server (memory_object_create_proxy).
var repaired = regexp.MustCompile(`In0P->(\w+)\.name, (In0P->\w+Type\.msgt_number)`)

// flags are as for clients: no header of the host's C library.
func (tc toolchain) flags(t *testing.T, dir string) []string {
	t.Helper()
	std := command(t, dir, "", "gcc", "-print-file-name=include")
	here := absolute(t, "testdata")
	return []string{
		"-std=gnu11", "-O0", "-w", "-ffreestanding", "-fno-stack-protector", "-fno-strict-aliasing", "-Werror=incompatible-pointer-types",
		"-Werror=int-conversion", "-Werror=implicit-function-declaration", "-nostdinc",
		"-isystem", strings.TrimSpace(std), "-I" + here, "-I" + absolute(t, "../../../libmach/include"), "-I" + filepath.Join(here, "include"), "-I" + dir, "-isystem", tc.include,
	}
}

// withoutMarkers is preprocessed text without line markers, which the real MIG
// reads too, but for flags behind them.
func withoutMarkers(text []byte) []byte {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "# ") {
			b.WriteString(line)
		}
	}
	return []byte(b.String())
}

// buildGo has our MIG write stubs, and compiles them as if they were in this
// module.
func buildGo(t *testing.T, dir, out string, subjects []*subject) {
	t.Helper()
	top := absolute(t, "../../..")
	virtual := filepath.Join(top, strings.TrimPrefix(overlayPath, "machkernel/"))
	replace := map[string]string{}
	add := func(path string, text []byte) {
		real := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		require.NoError(t, os.WriteFile(real, text, 0o600))
		replace[filepath.Join(virtual, path)] = real
	}
	for _, s := range subjects {
		o := gen.Options{Package: goPackage(s.Subsystem), Source: filepath.Base(s.file)}
		texts := map[string][]byte{}
		for name, write := range map[string]func(*defs.Subsystem, gen.Options) ([]byte, error){"table": gen.Table, "user": gen.User, "server": gen.Server} {
			text, err := write(s.Subsystem, o)
			require.NoError(t, err, s.file)
			texts[name] = text
			add(o.Package+"/"+name+".go", text)
		}
		methods, err := goMethods(s.Subsystem, texts["server"], texts["user"])
		require.NoError(t, err, s.file)
		add(o.Package+"/driver.go", []byte(methods))
	}
	add("driver/tables.go", []byte(goTables(subjects)))
	driver, err := os.ReadFile("testdata/driver.go.txt")
	require.NoError(t, err)
	add("driver/main.go", driver)
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(file, overlay, 0o600))
	command(t, top, "", "go", "build", "-overlay", file, "-o", out, overlayPath+"/driver")
}
