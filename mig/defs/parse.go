package defs

// Parse reads one .defs text that went through a C preprocessor; name is what
// positions say until the text's own line markers say otherwise. The error,
// if any, is an ErrorList.
func Parse(name string, src []byte, target Target) (*Subsystem, error) {
	p := newParser(name, src, target)
	return p.parse()
}
