// Package web is the site: front page, the page of each list, joining, sign-in and what somebody is here, one-click unsubscribe, and the frame around all pages.
//
// # The idea
//
// [New] returns one handler for everything that is served to browsers and mailbox providers. A request passes, in this order:
// recovery from panics, security headers, the frame (language, session), the check of cross-origin requests, and then one of
// three rooms: what is not a list, under /-/; the page of a list; the reading pages of archive/web.
// For those this package is the archive.Access: it knows lists and sessions. Before the last two, addresses that Mailman used are
// led to ours, and crawlers are paced.
//
// Nothing is changed by a GET, but for the answer of a directory, which the protocol has come so; it is bound to the browser, and works once. Signing in, and leaving by hand, are a page with a button.
// A sign-in link works in the browser that asked for it, so that nobody can be made to open somebody else's.
//
// # Tables
//
//	login_links   SHA-256 of the token -> address, browser that asked, where to go, end; deleted by its use
//	login_codes   SHA-256 of that browser's cookie -> hash of the code, its link, wrong tries, end
//	passkey_challenges  SHA-256 of the cookie of the browser that was asked -> challenge, for what, end; deleted by its use
//	oidc_errands  SHA-256 of the cookie of the browser that was sent to the directory -> state, nonce, verifier, end; deleted by its use
//	sessions      SHA-256 of the cookie -> address, browser, begin, last use, end
//
// They are swept of what has ended once an hour.
//
// # Who may do what
//
// Each request has an [actor]: the person that is signed in, with all addresses, and what they are here. [site.forPeople], [site.forRole] and [site.forAdmin]
// make handlers of pages that need one; who is not allowed sees whom to ask. A change is made by the functions that mail and command
// line call, with the actor's preferred address as who brought it about, and answered with [site.done]: a redirect, and words that are shown once.
//
// # Invariants
//
//   - A token or a cookie is stored only as its hash, and neither is logged: of a path under /-/ log lines name the first part.
//   - The one-click address works without cookies, from any origin, and never redirects (RFC 8058, section 3.1).
//   - Who asks for a sign-in link gets the same answer, and makes the same rows, whether the address is known here or not.
//   - What a passkey signs was asked of the same browser, once, in the last five minutes; the script sends nothing but the form.
//   - Only the undo of a departure by that link brings a member back; who was removed otherwise is not brought back by it.
//
// # Limits
//
// Rate limits are per process and forgotten when it ends.
package web
