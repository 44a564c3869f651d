// Package records knows the DNS records that mail from and to a domain of ours needs, and finds out whether they are published.
//
// It asks about what is ours only: the names come from the store and the configuration, never from mail. A check ends
// with its context; what was not answered by then is Unknown, never wrong.
package records
