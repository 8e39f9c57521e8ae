package defs

import "errors"

type parser struct{}

func newParser(string, []byte, Target) *parser { return &parser{} }

func (p *parser) parse() (*Subsystem, error) {
	return nil, errors.New("not yet")
}
