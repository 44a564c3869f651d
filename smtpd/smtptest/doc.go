// Package smtptest holds what tests, the demo and the bench share: a listener in
// memory, a player of scripted dialogs, and a sink, an SMTP server that records what it gets
// and misbehaves on request. It does not import testing.
//
// # Limits
//
// The sink does not judge what it is sent: any address and any message will do.
// It knows repeats by 64-bit hashes, so it may take one in very many distinct messages for a repeat.
package smtptest
