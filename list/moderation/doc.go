// Package moderation brings held posts to the people who decide about them, and takes their word, by mail and by links in mail.
//
// # The idea
//
// A post that is held leaves a row in the list's "held" table, written with the post. [Moderation.Run] looks there: it tells
// the author, sends the moderators a notice, reminds them daily and drops what has waited too long. What it did stands in the
// same row, written in the transaction that queues the mails, so a crash repeats and loses nothing.
//
// A notice carries a token that is made for one moderator and for the posts in it ([list.Pending]). The moderator answers with
// a word in the first line ([Moderation.Reply]) or opens the page of the token ([Moderation.Open], [Moderation.Act]). Both
// end in [Moderation.Decide], as the command line does, and so does the author's word on a post of its own:
//
//	moderate:ID            accept, trust, reject REASON, discard, ban     a moderator, the posts of one notice
//	moderate-withdraw:POST withdraw                                       the author of a held post
//	moderate-recall:POST   undo                                           the author of a post that has not left
//	moderate-author        yes, no                                        a member whose address a post bears without proof
//	moderate-requests:ID   accept, reject REASON, discard                 a moderator, who wants to join or leave
//
// What is decided on a page ([Order].Undo) is in effect at once; what follows from it, such as mails, waits for [UndoTime] in a row, and the
// decision can be taken back meanwhile ([Moderation.Undo]). By mail and on the command line all is done at once.
//
// # Invariants
//
//   - The first who decides has decided. Everybody later is told who did.
//   - By mail a moderator acts only from the address that the token was made for, authenticated, and only while being a
//     moderator or an owner. Automatic mail never acts, and is never answered.
//   - Notices hold text only: no part of a held post but its first lines, with links that do not work, and no file.
//   - Who is not authenticated is told nothing, but for one question "was it you?" to the member, and one at a time.
//
// # Tables
//
//	moderation_state   list -> when its moderators were told, reminded and told of each other's decisions
//	moderation_news    list, post -> a decision that the other moderators do not know of
//	moderation_undo    list, post -> a decision that can be taken back, and how the post waited before
//	moderation_claims  list, post or address -> who is looking at it
//	moderation_edits   what was ordered by mail about messages in archives, until it is done
//	moderation_requests   list, "join" or "leave" and an address -> who waits for a moderator, and what was decided
//
// # Limits
//
// A post is noticed within [pause] seconds. A notice shows [perNotice] posts, a reminder [perReminder]. While the DNS does not
// tell who wrote, a moderator's mail is deferred (451); the page of the token works.
package moderation
