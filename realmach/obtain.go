package realmach

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
)

// What the kernel is called, as a package and in it.
const (
	suite     = "trixie"
	pkg       = "gnumach-image-1.8-amd64-up"
	pkgKernel = "boot/gnumach-1.8-amd64-up.gz"
)

// An entry of the cache is a directory with two files.
const (
	entryName = "gnumach-1.8-amd64-up"
	imageName = "kernel.elf32"
	sumName   = "kernel.sha256" // one line, as sha256sum writes it
)

// cacheVariable names the environment's cache directory.
const cacheVariable = "MACHKERNEL_CACHE"

// Kernel is a bootable real kernel.
type Kernel struct {
	Version string // as the kernel prints it: "GNU Mach 1.8+git20250702-up-amd64"
	Image   string // path of the ELF32 file that QEMU boots

	probe sync.Mutex // one probe of KVM at a time
	kvm   *bool      // what it found, nil before; guarded by probe
}

// CacheDir is the user's cache directory of this project: what the environment
// has as MACHKERNEL_CACHE, else "machkernel" in the user's cache directory.
func CacheDir() (string, error) {
	if dir := os.Getenv(cacheVariable); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: set %s: %w", cacheVariable, err)
	}
	return filepath.Join(dir, "machkernel"), nil
}

// Obtain returns the packaged kernel from cacheDir ("": CacheDir), where it
// puts it first if it is not there: some 25 MB of package lists and 250 kB of
// package are then downloaded. The mirror is the environment's
// MACHKERNEL_MIRROR, else what the host's apt names. The error is one line
// that says what is missing and what to install, or which file is damaged.
// Concurrent calls, also of other processes, do not disturb each other.
func Obtain(ctx context.Context, cacheDir string) (*Kernel, error) {
	return obtain(ctx, cacheDir, debianKeyrings)
}

// obtain is Obtain with the files of which one must hold Debian's keys.
func obtain(ctx context.Context, cacheDir string, keyrings []string) (*Kernel, error) {
	if cacheDir == "" {
		var err error
		if cacheDir, err = CacheDir(); err != nil {
			return nil, err
		}
	}
	cacheDir, err := filepath.Abs(cacheDir) // the programs run elsewhere
	if err != nil {
		return nil, err
	}
	entry := filepath.Join(cacheDir, entryName)
	k, err := open(entry)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := fetchInto(ctx, cacheDir, entry, keyrings); err != nil {
		return nil, fmt.Errorf("no real kernel: %w", err)
	}
	return open(entry)
}

// open checks and returns the kernel in entry. fs.ErrNotExist means that the
// entry is not there at all.
func open(entry string) (*Kernel, error) {
	if _, err := os.Stat(entry); err != nil {
		return nil, err
	}
	k := &Kernel{Image: filepath.Join(entry, imageName)}
	image, err := os.ReadFile(k.Image)
	if err != nil {
		return nil, damaged(entry, err.Error())
	}
	sum, err := os.ReadFile(filepath.Join(entry, sumName))
	if err != nil {
		return nil, damaged(entry, err.Error())
	}
	if string(sum) != checksum(image) {
		return nil, damaged(entry, imageName+" is not what "+sumName+" says")
	}
	if k.Version = versionIn(image); k.Version == "" {
		return nil, damaged(entry, imageName+" does not name its version")
	}
	return k, nil
}

// damaged says what is wrong with an entry; %s, not %w, because a file that is
// missing in an entry is not a missing entry.
func damaged(entry, why string) error {
	return fmt.Errorf("the cached kernel is damaged: %s; remove %s to obtain it again", why, entry)
}

// checksum is the line for image in the checksum file.
func checksum(image []byte) string {
	return fmt.Sprintf("%x  %s\n", sha256.Sum256(image), imageName)
}

var versionPattern = regexp.MustCompile(`GNU Mach [0-9][0-9A-Za-z.+~_-]*`)

// versionIn finds what an image will print as its version, "" if it is not
// there.
func versionIn(image []byte) string { return string(versionPattern.Find(image)) }

// fetchInto downloads the kernel and makes the entry of it.
func fetchInto(ctx context.Context, cacheDir, entry string, keyrings []string) error {
	if err := os.MkdirAll(cacheDir, 0o755); err != nil {
		return fmt.Errorf("cannot make the cache: %w; set %s", err, cacheVariable)
	}
	work, err := os.MkdirTemp(cacheDir, "obtain-")
	if err != nil {
		return fmt.Errorf("cannot write to the cache: %w; set %s", err, cacheVariable)
	}
	defer os.RemoveAll(work)
	root, err := unpackPackage(ctx, work, keyrings)
	if err != nil {
		return err
	}
	image, err := convert(filepath.Join(root, pkgKernel))
	if err != nil {
		return fmt.Errorf("package %s: %s: %w", pkg, pkgKernel, err)
	}
	made := filepath.Join(work, entryName)
	if err := writeEntry(made, image); err != nil {
		return err
	}
	if err := os.Rename(made, entry); err != nil {
		if _, there := os.Stat(entry); there == nil {
			return nil // another process was faster; its entry is as good
		}
		return err
	}
	return nil
}

// convert reads a compressed 64-bit kernel and repacks it.
func convert(path string) ([]byte, error) {
	data, err := readBounded(path, maxImage)
	if err != nil {
		return nil, err
	}
	raw, err := gunzip(data, maxImage)
	if err != nil {
		return nil, err
	}
	image, err := repack(raw)
	if err != nil {
		return nil, err
	}
	if versionIn(image) == "" {
		return nil, errors.New("the kernel does not name its version")
	}
	return image, nil
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	if st.Size() > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB", path, limit>>20)
	}
	return os.ReadFile(path)
}

// writeEntry makes a directory with an image and its checksum, on the disk
// when it returns.
func writeEntry(dir string, image []byte) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return errors.Join(
		writeSynced(filepath.Join(dir, imageName), image),
		writeSynced(filepath.Join(dir, sumName), []byte(checksum(image))),
	)
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = bytes.NewReader(data).WriteTo(f)
	return errors.Join(err, f.Sync(), f.Close())
}
