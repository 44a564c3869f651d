// Package relay makes one delivery attempt: to a smarthost or to a domain's MX.
// It is the SMTP client behind the queue.
//
// # The idea
//
// Every recipient gets a transaction of its own, for each copy has its own
// sender and header. Where the server offers PIPELINING (RFC 2920) MAIL, RCPT
// and DATA travel together, and with them the body of the copy before: one
// write and one round trip a copy.
//
//	-> body 1 . MAIL 2 RCPT 2 DATA
//	<- 250 (1)  250 250 354
//	-> body 2 . MAIL 3 RCPT 3 DATA
//
// Connections are kept for a while and used by the next delivery: to the same domain, or to another one with the same mail host,
// where neither DANE nor MTA-STS has a say.
//
// # Invariants
//
//   - A copy whose body was not begun may be tried again on another connection at once.
//     One whose body was begun is reported: as the server said, else as deferred.
//   - Every read and write has a deadline (RFC 5321, section 4.5.3.2); a reply is bounded in lines and length.
//   - Opportunistic TLS never fails for a bad certificate, and falls back to plain text. Where a host (DANE) or a domain
//     (MTA-STS) demands more, nothing is sent without it: the copies are deferred, with a text that says what is not fulfilled.
//     Package tlspolicy knows these demands; they are looked up when a connection is made, not for each copy.
//   - A report about TLS goes without regard to these demands (RFC 8460, section 3), over connections of its own that nothing else uses and that
//     are counted for no report.
//   - A password is said only over TLS to a host whose certificate is valid for its name. A refused login defers.
//   - Nothing that the server said before the TLS handshake counts after it.
//
// # Limits
//
// A message with 8-bit bytes is not converted for a server without 8BITMIME
// (that would break its signature): the copy fails with 5.6.3. One that needs
// SMTPUTF8 fails with 5.6.7 where that is not offered (RFC 6531, section 3.2).
// Logins are PLAIN and LOGIN. CHUNKING is not used.
package relay
