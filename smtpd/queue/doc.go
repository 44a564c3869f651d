// Package queue is the durable outbound queue: what must leave, when it is tried again, and what became of it. It knows no lists.
package queue
