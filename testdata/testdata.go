// Package testdata holds the built C clients, so that the demo and the tests
// need no compiler. Their sources lie in clients/; clients/bin/TOOLCHAIN says
// what built them. It imports nothing of this project.
package testdata

import (
	"embed"
	"fmt"
)

//go:embed clients/bin
var bin embed.FS

// Client returns the ELF of the client with this name.
func Client(name string) (string, error) {
	b, err := bin.ReadFile("clients/bin/" + name)
	if err != nil {
		return "", fmt.Errorf("no built-in client %q", name)
	}
	return string(b), nil
}
