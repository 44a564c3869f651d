// Package mailauth checks who a message comes from (SPF, DKIM, DMARC), says so
// in Authentication-Results, and signs what leaves (DKIM).
package mailauth
