// Package list is what a mailing list is and decides: the vocabulary of
// lists, members, posts and verdicts, and the rows they are kept in.
//
// # The idea
//
// A [List] is known by an opaque [ID]; its posting address, settings and place
// in the web may change. A [Member] ties an address to a list in a [Role]. A
// [Post] is one message sent to one list, with everything that was found out
// about it and decided, from its arrival to the last copy.
//
// The functions of this package take a transaction; the command line, the web,
// mail commands and REST all call them, so that a rule about lists stands in
// one place.
//
// The path of a post is in list/posting. Start reading there.
package list
