// Package render turns a message into what a page can show of it.
//
// [Show] chooses the parts that are its text and cuts them into blocks: what the
// author wrote, what is quoted, and the signature. Of alternatives it takes the plain text. HTML is never shown
// as HTML: it is reduced to text with its links, lists and quotes, so that no sanitiser has to be trusted. All other parts are
// attachments, named by their place in the message ([List], [Open]).
//
// # Invariants
//
//   - The HTML of a [Block] is escaped text and <a> elements with an href
//     of scheme http, https or mailto and a rel; and with Options.Page, <span class="soft"> or "soft none" round a
//     line end that only says that a line was full, <blockquote> round the deeper levels of a quote, whose marks are then left
//     out, and in what has columns <span> of class "add", "del", "hunk" or "name" round whole lines of a patch. Nothing else.
//     Line ends and spaces are those of the text, for white-space: pre-wrap.
//   - Control characters and those that change the direction of text are removed.
//   - An address outside of a link is what Options.Mask makes of it, and so is one in the
//     query of a link, which then is no link. Paths of links stay: they hold Message-IDs.
//   - Nothing here is recursive but in messages within messages, of which five levels and 100 in all are shown ([Enclosed]), and the text shown of one message has an end ([Body.Cut]).
//
// # Limits
//
// A URL ends before the first character outside ASCII, because Japanese text goes on
// without a space. The charset that an HTML part declares inside itself is not looked at. Inline images are attachments.
package render
