package search

// SaveEvery has the index go to disk after so many changes.
func (x *Index) SaveEvery(n int) { x.inHand = n }
