package main

import (
	"cmp"
	"go/ast"
	"slices"
	"strings"
)

// pointPackage is what the rewritten files call.
const pointPackage = "machkernel/conform/mutants/point"

// rewrite is a file's text with all its points in it. Where points lie in each
// other the wider one is the outer one. Line numbers stay.
func rewrite(src []byte, file *ast.File, offset func(ast.Node) int, points []*Point) string {
	type insertion struct {
		at, rank, width, nth int
		text                 string
	}
	end := offset(file.Name) + len(file.Name.Name)
	all := []insertion{{end, 0, 0, 0, "; import \"" + pointPackage + "\""}}
	for _, p := range points {
		for _, w := range p.wraps {
			// At one offset, what closes comes before what opens; the inner
			// closes first, the outer opens first.
			n, width := len(all), w.end-w.start
			if width == 0 {
				all = append(all, insertion{w.start, 1, 0, n, w.open})
				continue
			}
			all = append(all,
				insertion{w.start, 2, -width, n, w.open},
				insertion{w.end, 0, width, -n, w.close})
		}
	}
	slices.SortFunc(all, func(a, b insertion) int {
		return cmp.Or(a.at-b.at, a.rank-b.rank, a.width-b.width, a.nth-b.nth)
	})
	var b strings.Builder
	done := 0
	for _, i := range all {
		b.Write(src[done:i.at])
		b.WriteString(i.text)
		done = i.at
	}
	b.Write(src[done:])
	return b.String()
}
