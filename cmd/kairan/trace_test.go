package main

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTraceDelay: a copy that waits for hours says so in the trace, with the last reply; nobody gets a mail about it.
func TestTraceDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := siteOfDays(t, func() (net.Conn, error) { return nil, errors.New("the line is dead") }, nil, "delivery.smarthost = 'smart.test:25'")
		defer s.stop()
		s.post("late@people.test")
		time.Sleep(30 * time.Minute)
		if out := s.run("trace", "late@people.test"); !strings.Contains(out, "deferred") || strings.Contains(out, "delayed") {
			t.Errorf("after half an hour:\n%s", out)
		}
		time.Sleep(7 * time.Hour)
		out := s.run("trace", "late@people.test")
		if n := strings.Count(out, "delayed"); n != 3 || !strings.Contains(out, "bob@people.test waits for 7h30m0s, tried ") || !strings.Contains(out, ": smart.test 4.4.1 the line is dead") {
			t.Errorf("after hours, %d lines:\n%s", n, out)
		}
		if d := s.app.Outbox.Depth(); d.Copies != 3 {
			t.Errorf("%d mails in the queue, want the copies alone", d.Copies)
		}
	})
}
