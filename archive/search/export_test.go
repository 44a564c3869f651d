package search

// SaveEvery has the index go to disk after so many changes.
func (x *Index) SaveEvery(n int) { x.inHand = n }

// ReadAtMost has a query give up after so many bytes of postings.
func (x *Index) ReadAtMost(n int64) { x.maxRead = n }

// Occupy is as many queries as may run at one time, until release is called.
func (x *Index) Occupy() (release func()) {
	for range cap(x.running) {
		x.running <- struct{}{}
	}
	return func() {
		for range cap(x.running) {
			<-x.running
		}
	}
}

// Excerpt is ExcerptOf for a text.
func Excerpt(q *Query, text string) []Piece {
	pieces, _ := q.excerpt(text)
	return pieces
}
