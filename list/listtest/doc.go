// Package listtest is a world of lists and people for tests: a store, the path of a post, an SMTP server, a fake DNS,
// and the world outside as a sink that records what is sent to it.
package listtest
