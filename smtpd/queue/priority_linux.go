package queue

import "syscall"

// lowerPriority makes the calling thread give way to others. It needs no privilege and always succeeds; a kernel that
// refused would only leave the thread as it is.
func lowerPriority() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 10) }
