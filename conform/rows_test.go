package conform

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/testdata"
)

// goTest is a Go test as rows name it: package.TestName.
var goTest = regexp.MustCompile(`^[a-z/]+\.Test[A-Z]\w*$`)

// rows*.tsv say of each fact of the reference which cases and Go tests show it,
// or why none does. All that they name is there, and every fact stands once.
func TestRows(t *testing.T) {
	dir, golden := testdata.Conformance()
	s, err := Load(dir, golden)
	require.NoError(t, err)
	var cases []string
	for _, r := range s.Recordings {
		for _, c := range r.Cases {
			cases = append(cases, c.Name)
		}
	}
	for name := range s.Skip {
		cases = append(cases, name)
	}
	files, err := fs.Glob(dir, "rows*.tsv")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	seen := map[string]bool{}
	tests := map[string]string{} // by package: all its test files
	for _, file := range files {
		rows, err := table(dir, file, 3)
		require.NoError(t, err)
		for _, r := range rows {
			require.False(t, seen[r[0]], "%s: %q twice", file, r[0])
			seen[r[0]] = true
			if r[1] == "" {
				require.NotEmpty(t, r[2], "%s: %q is neither shown nor said why", file, r[0])
				continue
			}
			for shown := range strings.SplitSeq(r[1], ",") {
				shown = strings.TrimSpace(shown)
				if goTest.MatchString(shown) {
					require.True(t, hasTest(t, tests, shown), "%s: %q: no Go test %s", file, r[0], shown)
					continue
				}
				require.True(t, matches(t, cases, shown), "%s: %q: no case %s", file, r[0], shown)
			}
		}
	}
}

// matches reports whether a case has the name, which may be a pattern.
func matches(t *testing.T, cases []string, pattern string) bool {
	for _, c := range cases {
		ok, err := path.Match(pattern, c)
		require.NoError(t, err, pattern)
		if ok {
			return true
		}
	}
	return false
}

// hasTest reports whether a package of this module has a test.
func hasTest(t *testing.T, tests map[string]string, name string) bool {
	dir, fn, _ := strings.Cut(name, ".")
	if _, ok := tests[dir]; !ok {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(dir), "*_test.go"))
		require.NoError(t, err)
		var all strings.Builder
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			all.Write(b)
		}
		tests[dir] = all.String()
	}
	return strings.Contains(tests[dir], "\nfunc "+fn+"(t *testing.T)")
}
