// Package inbound answers the SMTP daemon: it knows what each address is for, and takes a message there.
//
//	list@                        a post              -> list/posting
//	list-leave@                  leaving             -> the list
//	list-owner@ -request@ -join@ people              -> forwarded to the owners
//	list-bounces+TOKEN@          delivery reports    -> the post's history
//	postmaster@ abuse@           people              -> forwarded to the site's administrator
//
// A real list of a name wins over the role of another.
//
// # Invariants
//
// Automatic mail never acts. Who leaves by mail has the token of a copy, or is authenticated as the member.
package inbound
