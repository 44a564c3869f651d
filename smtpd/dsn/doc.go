// Package dsn reads what comes back when mail could not be delivered: reports in the form of RFC 3464 and in the many
// forms that follow no standard, and the replies of SMTP servers during delivery.
//
// # Reading
//
// [Recognise] takes a message that came to a bounce address and returns a [Report]: whether it is a bounce at all, or a
// delay, a complaint, a vacation answer, a person's mail; who is named; and for each, a [Class]. [Classify] does the last
// step for a reply during delivery, with the same tables, so that a refusal counts alike whether it comes at once or in
// a report an hour later.
//
// A message is looked at in this order; the first that fits decides:
//
//  1. a feedback report (RFC 5965), or what Hotmail sends in place of one: a complaint
//  2. a machine-readable delivery status (RFC 3464, RFC 6533), in any place, order and transfer encoding
//  3. a known form (formats.go), if a machine seems to have written the mail: the daemon's name, a null sender or a
//     bounce's subject, and no sign of a vacation program
//  4. a vacation answer (RFC 3834, and the words and fields used by what does not follow it)
//  5. the same for a message/rfc822 part, two levels deep, since gateways and people forward reports
//
// # Tables
//
// What providers say stands in three tables, searched from the top: words that say what they mean and words that many
// use for anything (phrases.go), and enhanced and plain codes (codes.go). Clear words decide before codes, since hosts
// send 5.1.1 with "mailbox full" and 5.7.1 with "user unknown"; clear codes decide before vague words. Among the words,
// those about the sending host, the sender and the message come before those about the recipient, so that
// "user unknown or your address is block-listed" is held against nobody. To teach the package a new host, add its
// phrase to a row, and a sample to testdata/corpus.
//
// # Invariants
//
//   - A report is information. Who bounced is told by the envelope recipient it came to, never by its text.
//   - [Policy], [Content] and [Reputation] are nobody's fault who receives; [Unknown] is not proof of anything.
//   - Reading never fails and is bounded: 1 MiB of a message, 64 KiB of its text, 100 recipients, two wrappings.
//     There is no recursion, and expressions run in linear time.
//   - What comes out is valid UTF-8 on one line, fit for a log, and still hostile where it is shown.
//
// # Limits
//
// docomo answers "550 Unknown user" also for a mailbox whose owner filters us, so its rule has its own name,
// "docomo-unknown-user". Localised reports of Google Groups and notifications in JSON are not read for a reason.
// A bounce that a person quotes in a mail is taken for that person's mail unless the subject is a bounce's.
// How well all this does on real mail is measured in docs/bounces.md.
package dsn
