// Package bolt is the embedded engine: rows in one bbolt file, blobs in a
// folder of plain files beside it.
//
//	DATA/kairan.db       the rows
//	DATA/files/          the blobs, by name
//
// # Group commit
//
// A commit costs a sync of the disk. Updates that arrive while another one is
// being committed wait and then share one bbolt transaction and one sync, in
// the order they came; if one of them fails, the transaction is rolled back
// and each runs again by itself. So an update's function may run twice.
//
// # Limits
//
// bbolt has one writer at a time and keeps the pages a transaction touched in
// memory: bulk work goes in sorted chunks of about 10,000 rows.
package bolt
