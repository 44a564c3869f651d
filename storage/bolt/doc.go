// Package bolt is the embedded engine: rows in one bbolt file, blobs in a
// folder of plain files beside it.
//
//	DATA/kairan.db       the rows
//	DATA/files/          the blobs, by name
//
// # Group commit
//
// A commit costs two syncs of the disk. Updates that arrive while another one is
// being committed wait, and then share one bbolt transaction in the order they
// came. One that fails is undone by itself. A function runs once, though
// perhaps on the goroutine of another update.
//
// # Invariants
//
//   - A commit that failed left no trace, or the engine has stopped.
//   - No blob changes but by its name's lock, and none is seen half created.
//
// # Limits
//
// bbolt has one writer at a time and keeps the pages a transaction touched in
// memory: bulk work goes in sorted chunks of about 10,000 rows.
package bolt
