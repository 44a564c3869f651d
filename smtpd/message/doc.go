// Package message reads and edits mail as bytes.
//
// A message is kept as it came. Reading never changes it and never fails
// because it is ugly; editing the header leaves every other byte alone, which
// is what keeps DKIM signatures of the author alive.
//
// # Reading
//
// [Parse] splits header and body; [Message.Parts] walks the MIME tree line by
// line, once, without recursion. A part of type message/rfc822 is a leaf: who
// wants to look into it parses what it decodes to, and counts the levels.
// [Part.Text] and [DecodeHeader] always give UTF-8: the charset that was
// declared is tried first, then those of Japanese mail, and U+FFFD stands only
// for bytes that fit none.
//
// # Limits
//
// A header is split into at most 10,000 fields; the rest counts as part of the
// last. Fields we make end in CRLF, also in a message that ends its lines in LF.
// Text that fits no charset as a whole is decoded line by line up to 4 MiB, and
// 1 MiB of an HTML part is reduced to text. Preamble and epilogue of a multipart are not parts. EUC-JP that is labelled Shift_JIS may
// be taken at its word.
package message
