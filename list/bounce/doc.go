// Package bounce decides what a copy that came back means for its receiver.
//
// # The idea
//
// A copy comes back at once, as a reply during delivery ([Bouncer.Returned]), or later, as a report to the address that its
// envelope named ([Bouncer.Report]). Package dsn says in either case what was meant. It is kept, and weighed together with what else of
// the post came back from the same provider, ten minutes after the last of it or an hour after the first:
//
//	kept  ->  the provider judged  ->  a point for the member  ->  a probe  ->  delivery off  ->  warnings  ->  off the list
//
// At most one point a day is given; without a bounce for some days all are forgotten. When enough have come together, a mail of its
// own tries the mailbox. Only if that comes back too, delivery is switched off; the member is told how to switch it on again, some
// times, and is then taken off the list. Each step is in the member's history.
//
// When one provider refuses the same post for more members than it took it for, or may yet take it for, the post or we are to blame:
// nobody gets a point, those that were given are taken back, and the administrator is told what the provider says and what may help.
// A provider is a smarthost, the group of the mail hosts that refused, or, where it is about mailboxes, the domain of the receivers.
//
// A complaint (RFC 5965) takes the member off the list at once.
//
// # Invariants
//
//   - Whose copy came back is told by the envelope address alone, never by the text of a report.
//   - What is said about the message, its author or us (policy, content, reputation) is held against no member.
//   - What came back because we could not send is held against nobody: a smarthost that does not let us in, a route that leads nowhere,
//     a line over which nobody could be reached.
//   - A probe that a mail host takes clears the score at once; one that comes back afterwards still switches delivery off.
//   - Each transaction of a round is a step that is done or not: a crash between two repeats none and loses none. What fails is tried again
//     in an hour, and nothing else waits for it.
//   - What comes back of an older probe than the one that is out counts nothing.
//   - Nothing is answered: what comes to a bounce address makes no mail to whom it came from.
//   - The owners get one mail a day about bounces at most.
//
// # Limits
//
// What came back of a post is remembered for 15 days, and of one provider for up to 10,000 members; of further ones only the number.
// Whose fault it was is judged when something came back, not anew when nothing more does.
package bounce
