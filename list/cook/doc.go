// Package cook turns a received post into what is archived and what is sent.
//
// # The idea
//
// Two ordered tables of named steps over a draft, which is a header and a body.
// [Content] runs the first on what was received: its result is archived.
// [Dress] runs the second on that result: its [Rendition] is what members get,
// but for the fields that [Personal] makes for each of them. A third, short
// table makes the same content fit to stand in a digest ([Enclose]).
//
// Every change is one that the list's settings ask for. Header fields are edited
// one by one and all others keep their bytes, and the body is not touched unless
// the list adds text to it, so that the author's DKIM signature survives
// wherever it can. The last step does not guess whether it did: it verifies a
// finished sample copy with the author's key, and rewrites From only where no
// aligned signature passes.
//
// # Invariants
//
//   - Steps are pure: the same input gives the same bytes, also after a crash.
//   - A rendition's header is ASCII, its lines end in CRLF and are at most 998
//     octets long: any next hop takes it that offers 8BITMIME.
//   - Nothing that was written for the list alone (passwords, tokens, Bcc) and no
//     request for receipts leaves.
//   - The parts of a signed or encrypted message keep their bytes.
//
// # Limits
//
// A body of 8-bit text stays so; a next hop without 8BITMIME is not served.
// Raw 8-bit text in the headers of MIME parts stays as well.
// An anonymous list keeps the Message-ID, because replies refer to it: it may
// name the author's provider.
// X-BeenThere of other lists stays, or two lists that send to each other would
// not notice.
// Prefixes are found as this list writes them now; those of its former prefix stay.
package cook
