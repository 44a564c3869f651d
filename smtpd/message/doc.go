// Package message reads and edits mail as bytes.
//
// A message is kept as it came. Reading never changes it and never fails
// because it is ugly; editing the header leaves every other byte alone, which
// is what keeps DKIM signatures of the author alive.
package message
