// Package address knows what a mail address is: how to read one, write one in
// each place, and compare two.
//
// An [Address] keeps its local part unquoted and exactly as it was given, since
// only the receiving host knows what it means (RFC 5321, section 2.4). Where an
// address is written, the local part is quoted when it needs to be, so an
// address that was accepted cannot break out of the place it is written to: no
// control character, line end or NUL is ever accepted.
//
// Old addresses of Japanese carriers (a..b@docomo.ne.jp, a.@ezweb.ne.jp) break
// the grammar of RFC 5321, but people still have them. They are read with and
// without quotes and written without.
//
// # Limits
//
// Comments inside an address and white space round its dots are not read. A
// domain literal is read but no list should take one. A list of mailboxes is
// read up to 256 KiB and 5,000 mailboxes.
package address
