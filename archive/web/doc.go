// Package web is the public reading pages of the archive.
//
// # The idea
//
// A message's address is made from its Message-ID, so that it can be written down before the message has arrived and
// stays what it is when the archive is imported anew. Every page answers from the index and, for a text, from the mbox;
// nothing is kept between requests.
//
//	/LIST/2026-01/                     a month, by thread
//	/LIST/m/<message-id>/              a message; …/2/ is the second of that ID
//	/LIST/m/<message-id>/raw           its source, for strangers as archive.Public lets it out
//	/LIST/m/<message-id>/att/N/NAME    the attachment number N, from 1; NAME is only for the reader
//	/LIST/t/<message-id>/              the thread that the message is in, by reply or by time, from where the reader left off
//	/LIST/<number>                     leads to the message with that post number
//
// Beside the pages stand their other forms: index.json in each folder (made of the page's view model), new.atom of a list and a thread,
// .mbox.gz of a month, a thread and a search, and sitemap.xml. [Old] leads from the addresses of Mailman's archives to these.
//
// # Invariants
//
//   - Who may read is asked of archive.Access before anything is looked up.
//   - A stranger sees no whole address of a person.
//   - Whatever leaves has passed archive.Public as a source (handler.read), or archive.PublicText as the text of a page (open and handler.post).
//   - What came with a message is served as a download, never as a page of this site; of a file of text its message shows the text, escaped.
//
// # Limits
//
// A thread's page has 100 messages, with the texts of the first 32 MB of mail, and a month's page 50 threads; longer ones go over
// several pages. A thread of more than 1,000 messages is never read whole: its pages go by time, and each is arranged by itself.
// A Message-ID of "." or ".." cannot be a path segment, because browsers resolve it (RFC 3986,
// section 5.2.4); such a message is read in its thread.
package web
