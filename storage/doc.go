// Package storage keeps bytes on disk.
// It knows transactions, ordered tables and blobs, and no mail.
//
// # The idea
//
// An [Engine] is a transactional store of ordered byte keys in named tables.
// The embedded default is storage/bolt; nothing above this package may rely on
// more than the Engine's contract, so that another engine can take its place.
// A [DB] is an engine together with [Blobs], the place for what is too large
// for a row (mboxes, renditions, large posts). A [Table] gives an engine's
// table a key type and a value type: keys are encoded by a [Codec] so that
// byte order is the key's order, values are JSON or a [Binary] form.
//
// # Invariants
//
//   - What [DB.Update] returned nil for survives kill -9 and a power cut.
//   - An update's function may run more than once: it does no I/O and has no
//     effect outside its transaction.
//   - A scan does not see writes made while it runs.
//   - A row that cannot be decoded fails the transaction that read it.
//   - A store written by a newer schema than this binary knows is not opened.
//
// # Limits
//
// Keys are up to [MaxKey] bytes, values up to [MaxValue]. One process opens a
// store at a time. A function inside a transaction does not start another one.
// Values are JSON: what is not UTF-8 in a string is replaced, so bytes from
// outside belong into a []byte.
package storage
