// Package resolver is the one place that asks the DNS.
//
// It is built in layers, each of them a [Resolver]: [DNS] asks recursive
// servers, [Cache] remembers answers and lets callers with the same question
// share it, [Budget] bounds what one message may ask. Package fakedns answers
// from zone text instead.
//
// Invariants: "the name does not exist" ([ErrNoDomain]) and "the name has no such
// record" ([ErrNoData]) are told apart; every other error means that the
// answer is not known, so nobody may conclude anything from it. Names that cannot
// exist in the DNS are answered with ErrNoDomain without a question. Answers
// belong to the caller, who may change them.
//
// # Limits
//
// The servers are trusted to be recursive and honest. DNSSEC is not validated here: a [Validator] repeats what a
// server says about it, if that server is to be believed. Where an alias is secure and what it leads to is not, the whole is not.
// /etc/resolv.conf is read once, and only its servers are used.
// [Resolver.Addr] is content with the answer for one address family when the
// question for the other fails; such an answer is remembered for a second.
package resolver
