// Package thread arranges messages as a tree of answers (RFC 5322, section 3.6.4).
//
// [Arrange] is a pure function over what the messages say of each other.
// A message hangs under the nearest of its parents that is there; one without
// any is a root. Where messages name each other in a circle, the oldest of the circle
// becomes a root. Of several messages with one ID the oldest is the one that is answered. Answers and
// roots are in the order of their dates, and in the order given where dates are equal.
// The result has every message exactly once, whatever they claim.
//
// # Limits
//
// Parents that are not there leave no gap: two answers to a missing message are two roots.
// Nothing is recursive, and the time is that of sorting the messages and looking
// up each parent once, so bound the number of parents.
package thread
