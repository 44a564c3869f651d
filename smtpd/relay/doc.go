// Package relay makes one delivery attempt: to a smarthost or to a domain's MX.
package relay
