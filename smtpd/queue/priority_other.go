//go:build !linux

package queue

// lowerPriority does nothing where threads have no priority of their own.
func lowerPriority() {}
