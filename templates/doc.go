// Package templates holds everything a human reads: pages, mails and their words in Japanese and English.
//
// # The idea
//
// A [Set] is parsed once, when the program starts: every page in every language, so that a request only fills one in.
// What a page shows is a view model of plain strings, defined here; who fills it knows lists and archives, this package does not.
// A [Frame] is what surrounds each page (language, who is signed in, which list); it travels in the request's context.
//
//	html/NAME.html       a page; it defines "main", and frame.html surrounds it
//	html/parts/*.html    pieces that pages share; those of which a page has hundreds are written by posts.go
//	mail/NAME.LANG.txt   a mail: the subject, a blank line, the text, with {name} placeholders
//	locale/LANG.json     the words of pages: "key": "text with {name}", or "key": {"one": "…", "other": "…"} chosen by the parameter n
//	static/              style sheet, script and icon, served under a name with their hash
//
// # Invariants
//
//   - Every key exists in every language, and none is unused: a test reads the templates and the Go source.
//   - Nothing that came from outside reaches a page but through html/template's escaping, or writer's; the exception is a body that
//     archive/render made.
//   - Pages need no script. The one there is adds keys and marks what is new, and the Content-Security-Policy allows no other.
//
// # Limits
//
// A language is a file here and a line in [Languages]; right-to-left languages would need work in the style sheet.
package templates
