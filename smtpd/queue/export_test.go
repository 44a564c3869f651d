package queue

import "kairan/storage"

// Texts returns the renditions whose text is a row.
func Texts(tx *storage.Tx) (ids []string) {
	for id := range texts.Scan(tx, storage.Range[string]{}) {
		ids = append(ids, id)
	}
	return ids
}
