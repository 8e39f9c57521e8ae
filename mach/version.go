package mach

import (
	"fmt"
	"strconv"
	"strings"
)

// Version names a GNU Mach by the day of its sources, as its packages do
// ("1.8+git20250702"): the digits of that day. Later ones are larger.
type Version int32

// Versions that something hangs on.
const (
	// VersionPackaged is the kernel of the recordings.
	VersionPackaged Version = 20250702

	// VersionPortKType and VersionSizeLimit are the first packaged snapshots
	// with mach_port_set_ktype (sources of 2025-08-31) and with vm_set_size_limit
	// and vm_get_size_limit (2025-09-21).
	VersionPortKType Version = 20251228
	VersionSizeLimit Version = 20251228

	// VersionSetProcessors has processor_set_processors (sources of 2026-03-26);
	// no packaged snapshot has it yet.
	VersionSetProcessors Version = 20260426

	// VersionNewest is the last state of the sources that was read.
	VersionNewest Version = 20260426
)

const versionPrefix = "1.8+git"

func (v Version) String() string { return versionPrefix + strconv.Itoa(int(v)) }

// ParseVersion reads what String writes, for a version from VersionPackaged to
// VersionNewest.
func ParseVersion(s string) (Version, error) {
	day, ok := strings.CutPrefix(s, versionPrefix)
	n, err := strconv.ParseInt(day, 10, 32)
	if v := Version(n); ok && err == nil && v >= VersionPackaged && v <= VersionNewest {
		return v, nil
	}
	return 0, fmt.Errorf("kernel version %q: must be from %v to %v", s, VersionPackaged, VersionNewest)
}
