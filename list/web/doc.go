// Package web is the site: front page, the page of each list, sign-in, one-click unsubscribe, and the frame around all pages.
//
// # The idea
//
// [New] returns one handler for everything that is served to browsers and mailbox providers. A request passes, in this order:
// recovery from panics, security headers, the frame (language, session), the check of cross-origin requests, and then one of
// three rooms: what is not a list, under /-/; the page of a list; the reading pages of archive/web.
// For those this package is the archive.Access: it knows lists and sessions.
//
// Nothing is changed by a GET. Signing in, and leaving by hand, are a page with a button.
//
// # Tables
//
//	login_links   SHA-256 of the token -> address, end; deleted by its use
//	sessions      SHA-256 of the cookie -> address, end
//
// Each is swept of what has ended whenever a row is added to it.
//
// # Invariants
//
//   - A token or a cookie is stored only as its hash, and neither is logged: of a path under /-/ log lines name the first part.
//   - The one-click address works without cookies, from any origin, and never redirects (RFC 8058, section 3.1).
//   - Only the undo of a departure by that link brings a member back; who was removed otherwise is not brought back by it.
//
// # Limits
//
// Sign-in links are made by the operator. Rate limits are per process and forgotten when it ends.
package web
