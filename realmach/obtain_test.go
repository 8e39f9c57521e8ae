package realmach

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Fakes of the host's programs. The package that apt-get leaves is a file that
// dpkg-deb unpacks by copying the kernel in $FAKE_KERNEL.
const (
	fakeApt = `printf '%s\n' "$*" >>"$FAKE_LOG"
case "$*" in
*indextargets*) printf 'mirror:/good\nmirror:/bad\nmirror:/good\n' ;;
*update*) grep -q 'mirror:/good trixie main' sources.list || { echo 'E: no such suite' >&2; exit 100; } ;;
*download*) : >"gnumach-image-1.8-amd64-up_1_amd64.deb" ;;
esac
`
	fakeDpkg = `mkdir -p "$3/boot" && cp "$FAKE_KERNEL" "$3/boot/gnumach-1.8-amd64-up.gz"
`
)

// source is a host whose apt has a kernel.
type source struct {
	cache    string
	log      string // what apt-get was asked for
	keyrings []string
}

func newSource(t *testing.T, kernel []byte) *source {
	t.Helper()
	fake(t, map[string]string{"apt-get": fakeApt, "dpkg-deb": fakeDpkg})
	s := &source{
		cache:    filepath.Join(t.TempDir(), "a cache"),
		log:      writeFile(t, "log", nil),
		keyrings: []string{writeFile(t, "keys", nil)},
	}
	t.Setenv("FAKE_LOG", s.log)
	t.Setenv("FAKE_KERNEL", writeFile(t, "kernel.gz", kernel))
	t.Setenv(mirrorVariable, "")
	return s
}

func (s *source) obtain(t *testing.T) (*Kernel, error) {
	return obtain(t.Context(), s.cache, s.keyrings)
}

func TestObtainFetchesOnceAndReuses(t *testing.T) {
	s := newSource(t, zipped(t, image64(nil)))
	k, err := s.obtain(t)
	require.NoError(t, err)
	require.Equal(t, testVersion, k.Version)
	image, err := os.ReadFile(k.Image)
	require.NoError(t, err)
	want, err := repack(image64(nil))
	require.NoError(t, err)
	require.Equal(t, want, image)
	asked, err := os.ReadFile(s.log)
	require.NoError(t, err)
	require.Contains(t, string(asked), "Dir::Etc::sourceparts=/dev/null")

	emptyPath(t) // nothing is needed any more
	again, err := s.obtain(t)
	require.NoError(t, err)
	require.Equal(t, k.Image, again.Image)
	left, err := os.ReadDir(s.cache)
	require.NoError(t, err)
	require.Len(t, left, 1, "temporary files are left")
}

func TestObtainAtTheSameTime(t *testing.T) {
	s := newSource(t, zipped(t, image64(nil)))
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		all.Go(func() { _, errs[i] = s.obtain(t) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func TestObtainRefusesADamagedCache(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(entry string) error
		want   string
	}{
		{"a changed image", func(e string) error { return os.WriteFile(filepath.Join(e, imageName), []byte("x"), 0o600) }, "kernel.elf32 is not what kernel.sha256 says"},
		{"a truncated image", func(e string) error { return os.Truncate(filepath.Join(e, imageName), 100) }, "kernel.elf32 is not what"},
		{"no image", func(e string) error { return os.Remove(filepath.Join(e, imageName)) }, "kernel.elf32: no such file"},
		{"no checksum", func(e string) error { return os.Remove(filepath.Join(e, sumName)) }, "kernel.sha256: no such file"},
		{"an empty checksum", func(e string) error { return os.Truncate(filepath.Join(e, sumName), 0) }, "is not what"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSource(t, zipped(t, image64(nil)))
			k, err := s.obtain(t)
			require.NoError(t, err)
			entry := filepath.Dir(k.Image)
			require.NoError(t, c.damage(entry))
			_, err = s.obtain(t)
			require.ErrorContains(t, err, "the cached kernel is damaged")
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "remove "+entry)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestObtainRefusesADamagedPackage(t *testing.T) {
	for _, c := range []struct {
		name   string
		kernel []byte
		want   string
	}{
		{"not compressed", image64(nil), "not a gzip file"},
		{"truncated", zipped(t, image64(nil))[:60], "damaged gzip file"},
		{"no kernel", zipped(t, []byte("text")), "not an ELF file"},
		{"empty", nil, "not a gzip file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSource(t, c.kernel)
			_, err := s.obtain(t)
			require.ErrorContains(t, err, pkg)
			require.ErrorContains(t, err, c.want)
			left, err := os.ReadDir(s.cache)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestObtainSaysWhatIsMissing(t *testing.T) {
	s := newSource(t, nil)
	t.Run("keys", func(t *testing.T) {
		_, err := obtain(t.Context(), s.cache, []string{"/nonexistent/keys"})
		require.EqualError(t, err, "no real kernel: no keys of the Debian archive: install the package debian-archive-keyring")
	})
	t.Run("network", func(t *testing.T) {
		t.Setenv(mirrorVariable, "mirror:/bad")
		_, err := s.obtain(t)
		require.EqualError(t, err, "no real kernel: no mirror of the host's apt gives Debian trixie's gnumach-image-1.8-amd64-up: "+
			"apt-get: E: no such suite; check the network, or set MACHKERNEL_MIRROR")
	})
	t.Run("a cache that can be written", func(t *testing.T) {
		_, err := obtain(t.Context(), writeFile(t, "file", nil), s.keyrings)
		require.Error(t, err)
	})
	t.Run("apt", func(t *testing.T) {
		emptyPath(t)
		_, err := s.obtain(t)
		require.ErrorContains(t, err, "apt-get not found: install the package apt")
		require.Equal(t, 0, strings.Count(err.Error(), "\n"))
	})
}

func TestObtainEndsWithItsContext(t *testing.T) {
	s := newSource(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := obtain(ctx, s.cache, s.keyrings)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCacheDir(t *testing.T) {
	t.Setenv(cacheVariable, "")
	t.Setenv("XDG_CACHE_HOME", "/caches")
	dir, err := CacheDir()
	require.NoError(t, err)
	require.Equal(t, "/caches/machkernel", dir)
	t.Setenv(cacheVariable, "/mine")
	dir, err = CacheDir()
	require.NoError(t, err)
	require.Equal(t, "/mine", dir)
}
