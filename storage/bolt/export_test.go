package bolt

import "go.etcd.io/bbolt"

const MaxGroup = maxGroup

// FailLast does what a commit does whose last sync failed: ahead is how far its
// transaction is ahead of what the file shows.
func (e *Engine) FailLast(ahead int, cause error) error {
	id := 0
	err := e.db.View(func(tx *bbolt.Tx) error {
		id = tx.ID()
		return nil
	})
	e.stopIfUnsure(id+ahead, cause)
	return err
}
