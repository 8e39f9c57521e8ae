// Package machkernel carries what the command needs of the source tree to
// build clients: the C run-time and the scripts that fetch the real MIG.
package machkernel

import "embed"

// Build is libmach/ and scripts/.
//
//go:embed libmach scripts
var Build embed.FS
