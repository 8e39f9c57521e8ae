package defs

// messageSizes computes the smallest request and reply of a typed target:
// the header, then a descriptor and a value for each argument in the body.
func (p *parser) messageSizes(r *Routine) {
	if !p.sub.Target.Typed() {
		return
	}
	word := roundUp(4, p.lay.align) // an integer and its padding
	r.RequestSize = roundUp(p.lay.header, p.lay.align)
	r.ReplySize = r.RequestSize
	r.ReplySize += p.lay.short + word // the return code
	if r.Return != nil {
		r.ReplySize += p.item(r.Return, r.Return.LongForm)
	}
	for _, a := range r.Args {
		if a.Dir.Sent() {
			r.RequestSize += p.item(a.Type, a.LongForm)
		}
		if a.Dir.Returned() {
			r.ReplySize += p.item(a.Type, a.LongForm)
		}
		if a.CountInOut {
			r.RequestSize += p.lay.short + word
		}
	}
}

// item is what an argument takes at least.
func (p *parser) item(t *Type, long bool) int {
	descriptor := p.lay.short
	if long {
		descriptor = p.lay.long
	}
	return roundUp(descriptor, p.lay.align) + t.MinSize
}
