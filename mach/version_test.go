package mach

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	for _, v := range []Version{VersionPackaged, VersionSizeLimit, VersionPortKType, VersionNewest} {
		got, err := ParseVersion(v.String())
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	require.Equal(t, "1.8+git20250702", VersionPackaged.String())
	for _, s := range []string{"", "1.8", "1.8+git", "20250702", "1.8+git20250701", "1.8+git20270101", "1.8+git20250702-up-amd64", "1.8+git99999999999"} {
		_, err := ParseVersion(s)
		require.ErrorContains(t, err, "must be from 1.8+git20250702 to")
	}
}
