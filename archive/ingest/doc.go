// Package ingest reads the archives of other programs and gives them to package archive.
//
// # What it reads
//
// [Open] tells by itself what it is given:
//
//   - mbox files in every dialect: mboxo and mboxrd (quoted "From " lines), mboxcl and mboxcl2 (Content-Length), with LF or CRLF,
//     with or without the empty line between messages, also what pipermail offers for download ("ann at example.jp"), and gzipped ones;
//   - one message in a file;
//   - Maildir folders, and folders with a message in each file (MH, the spool of fml), in the order of the numbers in the names;
//   - public-inbox repositories of both versions, through the program git;
//   - Kairan's own mboxes, whose records keep their post IDs, numbers and times of receipt.
//
// # Where a record of an mbox begins
//
// At a line "From " with a weekday, a month, a time and a year, or after an empty line one with a time and a year; and only if a header field
// or a quoted "From " line follows. A record whose Content-Length ends where a record begins is taken at that length
// even if such a line is in it, as long as the records before it kept theirs too.
//
// # Invariants
//
//   - Every byte of a file is in the span of a [Message] or of a [Fault], so nothing is passed over in silence.
//   - Reading the same file again gives the same messages under the same names: an import that was interrupted, or is repeated,
//     finds what it had done.
//
// # Limits
//
// What an mbox did not quote cannot be told from what it separates: a message that quotes another with its envelope line, in a file
// without Content-Length, becomes two. A line ">>From " is taken as mboxrd quotes it unless mboxo is asked for.
// A message is held in memory while it is read. Subfolders of a Maildir are imported by their own paths.
package ingest
