// Package inbound answers the SMTP daemon: it knows what each address is for, and takes a message there.
//
//	list@                        a post              -> list/posting
//	list-join@ list-subscribe@   joining             -> list/subscribe
//	list-leave@ -unsubscribe@    leaving             -> list/subscribe
//	list-confirm+TOKEN@          a confirmation      -> list/subscribe
//	list-request@                commands            -> list/command
//	list-owner@                  people              -> forwarded to the owners
//	list-bounces+TOKEN@          delivery reports    -> the post's history
//	postmaster@ abuse@           people              -> forwarded to the site's administrator
//
// A real list of a name wins over the role of another.
//
// # Invariants
//
// Automatic mail never acts. Mail to -join, -leave and -confirm does what its address says, whatever it says inside;
// who leaves by the token of a copy has to be nobody in particular.
package inbound
