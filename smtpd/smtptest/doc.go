// Package smtptest holds what tests, the demo and the bench share: a listener in memory and a sink, an SMTP server that records
// what it gets and misbehaves on request. It does not import testing.
package smtptest
