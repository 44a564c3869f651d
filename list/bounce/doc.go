// Package bounce decides what a copy that came back means for its receiver.
//
// # The idea
//
// A copy comes back at once, as a reply during delivery ([Bouncer.Returned]), or later, as a report to the address that its
// envelope named ([Bouncer.Report]). Package dsn says in either case what was meant, and the same function weighs it:
//
//	a point for the member  ->  a probe  ->  delivery off  ->  warnings  ->  off the list
//
// At most one point a day is given; without a bounce for some days all are forgotten. When enough have come together, a mail of its
// own tries the mailbox. Only if that comes back too, delivery is switched off; the member is told how to switch it on again, some
// times, and is then taken off the list. Each step is in the member's history.
//
// When one provider refuses the same post for many members, the post or we are to blame: nobody gets a point, those that were given
// are taken back, and the administrator is told what the provider says and what may help.
//
// A complaint (RFC 5965) takes the member off the list at once.
//
// # Invariants
//
//   - Whose copy came back is told by the envelope address alone, never by the text of a report.
//   - What is said about the message, its author or us (policy, content, reputation) is held against no member.
//   - Nothing is answered: what comes to a bounce address makes no mail to whom it came from.
//   - The owners get one mail a day about bounces at most.
//
// # Limits
//
// A provider is a domain of receivers. What was refused for a post is counted for 15 days, and of one provider for up to 1,000 members.
package bounce
