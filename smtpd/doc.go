// Package smtpd is mail on the wire: SMTP and LMTP in (this package), and in
// its folders the format, authentication, the queue and SMTP out. It knows no lists.
//
// A [Server] accepts connections and runs the dialog:
//
//	C: MAIL FROM:<ann@example.com>     begins a transaction
//	C: RCPT TO:<janog@example.jp>      Handler.Rcpt decides, for each recipient
//	C: DATA … .                        Handler.Data decides, once
//	S: 250 2.0.0 OK                    only now the message is ours
//
// The [Handler] answers with a [Reply], or with an error when we failed; reply.go
// turns both into what the client hears.
//
// # How it works
//
// The state machine is go-smtp's. Between it and the socket stands a connection of our own
// (conn.go), which reads one command line at a time, refuses what is wrong with it
// (command.go), reads messages (body.go), does STARTTLS and keeps the deadlines. go-smtp
// hears only commands that are in order, and never sees an address or a message.
//
// # Invariants
//
//   - A message that reaches the Handler has no CR or LF other than CRLF, and is within [Limits].
//   - Only CRLF.CRLF ends a message, and what follows bytes that we could not make
//     sense of is never read as commands: the connection closes.
//   - Addresses were read by the address package; non-ASCII ones only with SMTPUTF8.
//   - An error or a panic of the Handler is answered 451 or 421, and its text is never sent.
//   - After 421 nothing more is read.
//   - All that a client can make us hold, do or wait for has a limit.
//
// # Limits
//
// Lines of more than 998 octets are against RFC 5322, but mail programs send them, and
// RFC 5321, section 4.5.3.1 asks to refuse as little as possible; so lines are taken up
// to Limits.LineBytes. A message is held in memory while it is received and judged.
// CHUNKING is not offered, and BDAT ends the connection. AUTH is not implemented: this is
// no submission server. Parameters of DSN are accepted and ignored, and DSN is not offered.
// SMTP over TLS from the first byte is not implemented, only STARTTLS. While the Handler
// works on a message, nobody notices that the client has gone.
package smtpd
