// Package posting is the path of a post. Start reading in path.go.
//
// Two functions are cut at the point of durability. [Path.Receive] runs inside
// the SMTP transaction:
//
//	receive -> authenticate -> decide -> record      … then the reply
//
// [Path.Publish] runs in a worker, and again after a crash, with the same result:
//
//	number -> cook -> archive -> digest -> enqueue
//
// then the queue delivers, and asks [Copies] what each copy looks like.
//
// # Invariants
//
//   - 250 is said only after post, verdict and facts are on disk.
//   - A verdict is policy; an error means that we failed, and becomes 451.
//   - Each stage of Publish may be interrupted at any line and run again: a
//     post has one number, one place in the archive, and every recipient once.
//   - Who has left by the time a copy is made gets nothing.
//
// # Limits
//
// Publish works on one post of a list at a time. What was decided keeps its
// header and facts for 30 days, outcomes for 90 days, counts after that.
package posting
