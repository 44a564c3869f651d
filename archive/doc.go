// Package archive keeps what was posted, readable for ever.
//
// # The idea
//
// The truth is one append-only mboxrd file per list and month; everything else is an index that can be rebuilt from it.
// [Archive.Add] appends and syncs, then commits place and length of the record together with the index rows.
// Readers stop at the committed length.
package archive
