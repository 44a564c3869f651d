// Package rules decides what happens to a post: an ordered table of pure rules over [Facts].
//
// Decisive rules stop with their action. Suspicious rules only add a reason, and any reason means Hold.
package rules
