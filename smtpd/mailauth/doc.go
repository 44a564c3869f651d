// Package mailauth checks who a message comes from (SPF, DKIM, DMARC), says so
// in Authentication-Results, and signs what leaves (DKIM).
//
// SPF (RFC 7208) tells whether the client may use the envelope sender's domain, DKIM (RFC 6376) whether a domain
// signed these bytes. DMARC (RFC 9989) asks whether one of the two passed for a domain aligned with the one in From,
// and what that domain wants done otherwise. [Checker.Check] answers all three in [Results], which never is an
// error; [Results.Author] is what a list needs to know. [Signer.Prepare] and [Prepared.Sign] sign copies: the
// rendition is hashed once, each copy adds its personal fields.
//
// Invariants: a DNS failure is temperror and never read as an answer. One budget of questions and time holds for
// a message, whatever it contains; what is left unchecked says so ("policy"). Nothing taken from a message
// can end a header field or add a result to ours.
//
// # Limits
//
// At most 10 signatures are checked, those of domains related to the author's first; 100 names in h=, 64 MB of body hashed.
// A signature whose i= differs from d= by more than a prefix, in case too, is a permerror. RSA keys above 4096 bits and
// key records above 4 KB are refused. ARC is neither checked nor made.
package mailauth
