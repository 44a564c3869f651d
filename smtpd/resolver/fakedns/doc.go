// Package fakedns answers DNS questions from zone text, for tests and the demo.
//
//	example.test.            TXT  "v=spf1 ip4:192.0.2.0/24 -all"
//	example.test.            MX   10 mx.example.test.
//	mx.example.test.         A    192.0.2.25
//	www.example.test. 60     CNAME example.test.
//	! temp TXT broken.test.  ; this question fails temporarily
//	! temp broken2.test.     ; every question about this name does
//	! timeout slow.test.     ; nobody answers
//	! nx gone.test.          ; does not exist, whatever stands below it
//	! secure signed.test.    ; DNSSEC validates this name and all below it
//
// A line is a record as in a zone file (RFC 1035, section 5.1), the owner always
// written out and fully qualified, or a rule that starts with "!"; ";" starts a
// comment. A name exists if it or a name below it has a record; reverse
// names (PTR) are written out as 25.2.0.192.in-addr.arpa.
//
// A [Zone] is a resolver.Validator of its own; [Serve] puts it behind a real
// server on a loopback port, for programs that ask over the wire. That what is not there holds for five minutes.
//
// # Limits
//
// No wildcards, no delegation, no signatures: what is secure is only said to be; at most 8 aliases in a row.
package fakedns
