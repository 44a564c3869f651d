// Package storagetest opens stores for tests and holds the conformance test
// that every engine passes.
package storagetest
