package web

import "kairan/archive"

// mask is archive.MaskText for the pages of the request's list.
func (q *request) mask(s string) string { return archive.MaskText(s, q.list.Address) }

// show returns a text that may hold addresses as this reader may see it.
func (q *request) show(s string) string {
	if q.stranger() {
		return q.mask(s)
	}
	return s
}
