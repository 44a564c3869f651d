// Package queue is the durable outbound queue: what must leave, when it is
// tried again, and what became of it. It knows no lists.
//
// # The idea
//
// A rendition is a finished message without its personal parts, kept once as a
// blob. A row names a rendition and up to 100 recipients. A worker takes a row,
// has the Personaliser make its copies, streams them into the Transport, and
// hands what became of each to the committer, which writes many outcomes in
// one transaction:
//
//	AddRendition -> Enqueue… -> Seal          in the transactions of the caller
//	schedule -> worker -> Transport           in memory
//	outcomes -> committer -> rows, Outcome()  in one transaction
//
// Only the rows are true. The schedule in memory says which row may be worth
// looking at; a worker reads the row afresh after it has claimed it and gives
// the claim back after the outcomes are committed. So a row that was
// scheduled twice, dropped, or changed meanwhile does no harm.
//
// # On disk
//
//	outbox       row number -> Row
//	renditions   id -> rows outstanding, sealed, size, what the next hop must offer
//	outboxstate  "last" -> last row number given out; "turn" -> number of Retry calls
//	renditions/ID           the blob: CRLF lines
//
// # Invariants
//
//   - A rendition's blob is on disk before a row names it, and stays until no
//     row names it and it is sealed. Blobs nobody names are removed at start.
//   - A recipient leaves its row only in the transaction that tells the
//     Personaliser its final outcome.
//   - A recipient with a final outcome is never tried again. After a crash those
//     whose outcomes were not yet committed are: the copies of about the last
//     Options.CommitDelay.
//   - While outcomes cannot be committed nothing more is sent.
//   - No more than Options.Signers copies are signed at a time, and where GOMAXPROCS
//     leaves processors to others, on threads of low priority.
//   - Destinations take turns, and so do the renditions of one destination.
//
// # Limits
//
// A domain is a destination of its own, even where many share an MX host.
// A destination that answers slowly holds up to Options.PerDomain of
// Options.Connections; when that many destinations are slow at once, others wait.
// Back-off is remembered in memory and starts anew with the program.
package queue
