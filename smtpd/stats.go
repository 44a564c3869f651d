package smtpd

import "sync/atomic"

// Stats counts what a Server has seen since it was made. It is read at any time.
type Stats struct {
	Connections atomic.Int64 // accepted
	Open        atomic.Int64 // open now
	Capped      atomic.Int64 // connections refused because there were too many
	Accepted    atomic.Int64 // messages answered with 2xx, for each recipient in LMTP
	Refused     atomic.Int64 // messages answered with 5xx, likewise
	Deferred    atomic.Int64 // messages answered with 4xx, likewise
	Recipients  atomic.Int64 // recipients refused with 5xx at RCPT
	Bytes       atomic.Int64 // of messages read to their end
}

// count adds the answer to a message.
func (s *Stats) count(r Reply) {
	switch r.Code / 100 {
	case 4:
		s.Deferred.Add(1)
	case 5:
		s.Refused.Add(1)
	default:
		s.Accepted.Add(1)
	}
}
