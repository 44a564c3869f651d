// Package command reads and answers command mail: the mail to a list's -request address.
//
// # The idea
//
// [Parse] is pure: it finds the commands in a Subject and a text. One table (table.go) says of each command its names, its
// usage, who may use it and what it does; the help text is made from the same table. [Processor.Serve] carries a mail's
// commands out in one transaction and sends one answer. Joining, leaving and the like are steps of list/subscribe.
//
// # Invariants
//
//   - Automatic mail is never answered, and mail without any command is dropped silently.
//   - An answer goes to the author if the mail is authenticated, else to its envelope sender; it then holds no word of the
//     question, and nothing that is not public. Both have a budget for each day.
//   - Answers have the null sender and say Auto-Submitted: auto-replied (RFC 3834).
//   - What an owner or a moderator sends by mail waits for a token that was mailed there.
//
// # Limits
//
// A message holds up to ten commands. `get` sends up to 20 messages or 1 MB, `who` up to 1,000 members, `index` up to 300
// messages of one month.
package command
