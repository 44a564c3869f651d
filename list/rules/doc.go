// Package rules decides what happens to a post: an ordered table of pure rules over [Facts].
//
// # The idea
//
// Each rule looks at the facts and answers with an action, or says nothing.
//
//   - Reject, Discard and Defer stop the table: that is the verdict.
//   - Hold adds a reason and the table goes on, so that a moderator sees every
//     reason at once. Any reason means Hold.
//   - Accept skips the suspicious rules that follow. It lifts no reason that was
//     given before it, and no decisive rule: this is Mailman's "accept", while
//     silence is Mailman's "defer".
//
// A decisive rule may answer anything, a suspicious one only Hold. The last ones are asked only about a post that
// would be held: a moderator's own word lets it through, and a flood is refused.
// Read [Decide] and the table in table.go; nothing else is needed to know why a
// post was held.
//
// # Invariants
//
//   - [Decide] is pure: the same facts, list and site give the same verdict.
//   - Mail that claims the right of somebody (a member, an owner, an address that
//     may post) and is not authenticated is never accepted, but for the exemptions
//     an owner or the operator wrote down.
//   - The names of rules are for ever: they are stored with posts, they are locale
//     keys ("reason.NAME") and the last part of a URL ("/-/why/NAME").
//
// # Limits
//
// header_matches see the first 16 fields of a name and 4 KB of each.
// Administrivia is looked for only in mail of a few lines: whoever writes more
// than that is talking to people.
package rules
