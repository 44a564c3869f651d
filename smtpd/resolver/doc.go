// Package resolver is the one place that asks the DNS.
package resolver
