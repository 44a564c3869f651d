// Package search is the full-text index of the archive.
//
// # The idea
//
// [Index.Run] follows archive.Changes and cuts what readers see of each message (archive.Public, and the text of package render) into
// terms: words of alphabets, folded and lightly stemmed, and each pair of neighbours of Chinese and Japanese, so that a word is found without knowing where it
// begins. A host name, an address or a prefix is a phrase of its parts. [Parse] cuts a query in the same way, and [Index.Search] goes through the documents that have all of it.
//
// # Index on disk
//
// The index is segments that never change: a dictionary with, for each term, the documents and the positions in them. Every batch
// of changes becomes a segment in memory, which is found at once; 2,000 changes become the blob "search/ID"; six segments of one size become one.
// The row "search_index" names the blobs and the position in archive.Changes up to which they hold
// everything, and "search_gone" the documents in them that are no longer there. Both are written in one transaction, after the blobs. So what a crash loses is
// read again from the position, and a blob that no row names is deleted at the next start. An index that is damaged, missing
// (it is in no backup) or of an older format is made anew from the archive.
//
// # Invariants
//
//   - Nothing is found, counted or told but in the lists that the caller passes.
//   - A message is found at most once, as its readers see it now.
//   - Of the local part of an address strangers find what pages show them of it: the rest is a term of its own kind.
//   - Of a purged message no word stays on the disk: its segment is written anew.
//   - A query is limited in length, clauses and terms, and ends after two seconds.
//
// # Limits
//
// The first 1,000 hits can be seen. Weights of words are taken from all lists together, so the order of hits, and only that, depends a little on
// messages that the reader does not see.
// A merge of large segments holds up new posts while it runs, some seconds for 100,000 messages, a few times a year.
package search
