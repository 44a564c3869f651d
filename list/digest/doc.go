// Package digest makes the issues of a list's digest and brings them into the queue.
//
// # The idea
//
// Publish puts a post that members get in a digest into list.AddToDigest, where it waits. Size, time of day or an operator closes the issue
// (list.CloseDigest): in one transaction it takes the number and the posts that waited. From then on the issue is a post itself, one that
// the list has made: it has a Message-ID, a history, renditions, copies and bounces like any other, and `kairan trace` tells of it.
//
//	posting: AddToDigest …  -> CloseDigest  -> [Digester.Make]: read, compose, enqueue  -> queue
//
// Make composes what members get, as MIME (RFC 2046, section 5.1.5) or as plain text (RFC 1153), in the member's language. Who switched the mode
// between two posts of an issue gets only those that its mode of that time sends in a digest (list.Member.ModeFor): a rendition of its own.
//
// # Invariants
//
//   - A post reaches each member once: for itself or in a digest. Publish and Make ask the same two things, whether the post is one for
//     digests (list.Post.InDigest) and what mode the member had at its number, and neither changes afterwards.
//   - An issue has its number and its posts from one transaction on. After a crash Make goes on where it was: what is in a rendition that
//     was stored stays, and the same posts make the same bytes.
//   - What an archived post says is asked of the archive when the issue is made: what is hidden, redacted or purged by then is not in it,
//     and people named nowhere are not named. Other posts, whose authors or lists want no archive, are cooked anew from what was received;
//     the issue then asks not to be archived either.
//   - A message in a digest keeps its author's From, and has passed the content cook and archive.Public.
//
// # Limits
//
// An issue holds 100 posts and about 5 MB at most, more only where one post has more. Copies of the member's own posts
// (receive_own_postings) and doubles (receive_list_copy) are left out of single posts only: a digest is the same for all.
// Who joins with digests gets the next issue whole. Author signatures do not survive the subject prefix in a digest.
package digest
