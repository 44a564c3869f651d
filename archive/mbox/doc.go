// Package mbox reads and writes mboxrd files, the form in which the archive keeps mail.
//
// # The form
//
// A record is an envelope line, the message, and an empty line:
//
//	From MAILER-DAEMON Fri Jan  2 03:04:05 2026
//	X-Kairan-ID: 0kq3…
//	X-Kairan-Number: 17
//	X-Kairan-Message-ID: abc@example.jp
//	X-Kairan-Seq: 18
//	X-Kairan-Received: 2026-01-02T03:04:05.5Z
//	X-Kairan-Old: pipermail/12345
//	X-Kairan-Raw: 1234 9f86d081…
//	From: Ann <ann@example.jp>
//	…
//
// Lines end in LF, so that mutt, grep and every other program can read the
// file. A message has CRLF; writing turns CRLF into LF and reading turns LF
// into CRLF, which loses nothing. A message that has a bare LF or no line end
// at its end keeps its bytes as they are, and its X-Kairan-Raw field says "kept".
// A line that is ">"s and "From " gets one ">" more, in the header too.
//
// The X-Kairan fields stand on top, in this order, and are not part of the
// message: reading takes them off. X-Kairan-Raw is the last of them and always there;
// it holds the length of the message in bytes and its SHA-256 in hexadecimal, so a record that
// was cut or damaged is told from a whole one ([Record.Checked]). A value
// with control characters is written as a quoted Go string.
//
// [Reader] reads files of other programs as well: with CRLF line ends, and with
// "From " lines in bodies that nobody quoted, unless they look like an envelope after an
// empty line.
//
// # Limits
//
// A record is held in memory while it is read, up to the limit given to
// [NewReader]. A record of a file of ours whose envelope line was damaged is
// reported as part of what stands before it.
package mbox
