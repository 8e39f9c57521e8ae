// Package testdata holds the built C clients and the conformance suite with its
// recordings, so that the demo, the suite and the tests need no compiler. The
// sources lie in clients/ and conformance/; bin/TOOLCHAIN says what built them.
// It imports nothing of this project.
package testdata

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed clients/bin
var clients embed.FS

//go:embed conformance/bin conformance/*.tsv golden
var conformance embed.FS

// Client returns the ELF of the client with this name.
func Client(name string) (string, error) {
	b, err := clients.ReadFile("clients/bin/" + name)
	if err != nil {
		return "", fmt.Errorf("no built-in client %q", name)
	}
	return string(b), nil
}

// Conformance returns the conformance suite's directory and that of its
// recordings.
func Conformance() (suite, golden fs.FS) {
	return sub("conformance"), sub("golden")
}

func sub(dir string) fs.FS {
	f, err := fs.Sub(conformance, dir)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return f
}
