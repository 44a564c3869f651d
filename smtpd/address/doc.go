// Package address knows what a mail address is: how to read one, write one in each place, and compare two.
package address
