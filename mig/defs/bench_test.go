package defs

import "testing"

// BenchmarkParse parses all packaged .defs files, preprocessed.
func BenchmarkParse(b *testing.B) {
	include, _ := toolchain(b)
	var all [][]byte
	size := 0
	for _, file := range packaged(b, include) {
		text, err := Preprocess(b.Context(), file, []string{"-nostdinc", "-I" + include})
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, text)
		size += len(text)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range all {
			if _, err := Parse("b", text, GNU64); err != nil {
				b.Fatal(err)
			}
		}
	}
}
