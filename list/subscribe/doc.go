// Package subscribe carries people onto lists and off them.
//
// # The idea
//
// Mail, web and command line ask for the same thing: somebody wants to join, leave, change an address, or is invited. Each
// request is a step in a transaction that returns what there is to tell as a [Result]: mails as values, and what the moderators
// have to decide. [Workflow.Do] runs a step and sees to its result; the mails are committed with what they tell.
//
// What waits for a confirmation is a [list.Pending]: "join", "leave", "invite", "chaddr", and whatever [Workflow.Actions] adds.
// It is confirmed by an answer from the address it was mailed to, or on the page /-/confirm/TOKEN, whose button posts.
//
// # Invariants
//
//   - An address joins only after something authenticated came from it, after its confirmation, or by an owner's word.
//   - Nobody can be made to get much mail through us: three confirmations a day at most, and none within 15 minutes; further
//     limits for each domain and list count what is not authenticated. Who has pressed "never again" gets nothing that others ask for.
//   - No mail to a person holds words that somebody else chose.
//   - Who is not authenticated gets the same answer whether an address is a member, banned, blocked or unknown.
//   - A token works once. A newer request of the same kind for the same address takes the place of the older one.
//   - The moderators hear of a held request before its token is used up: after a crash the token still works.
//
// # Limits
//
// Limits are per address as written: what a
// provider delivers to one mailbox under many addresses counts for each.
package subscribe
