// Package thread arranges messages into trees by References and In-Reply-To. It is pure and does not recurse.
package thread
