package relay

import (
	"bufio"
	"strings"
	"testing"

	"kairan/smtpd/queue"
)

func TestReplies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in, enhanced, text string
		status             queue.Status
		bad                bool
	}{
		{in: "250 2.0.0 ok\r\n", enhanced: "2.0.0", text: "ok", status: queue.Delivered},
		{in: "250\n", status: queue.Delivered},
		{in: "550-5.1.1 first\r\n550-5.1.1 second\r\n550 5.1.1\r\n", enhanced: "5.1.1", text: "first second", status: queue.Failed},
		{in: "450 5.1.1 the two codes differ\r\n", text: "5.1.1 the two codes differ", status: queue.Deferred},
		{in: "550 5.123.1234 too long\r\n", text: "5.123.1234 too long", status: queue.Failed},
		{in: "550 5.1.1234 too long\r\n", text: "5.1.1234 too long", status: queue.Failed},
		{in: "550 \x1b[2Jevil\x00\r\n", text: "[2Jevil", status: queue.Failed},
		{in: "550 " + strings.Repeat("x", 900) + "\r\n", text: strings.Repeat("x", 500), status: queue.Failed},
		{in: "550 \xff\xfe\r\n", text: "?", status: queue.Failed},
		{in: "250-a\r\n550 b\r\n", bad: true},
		{in: "2500 ok\r\n", bad: true},
		{in: "150 ok\r\n", bad: true},
		{in: "25\r\n", bad: true},
		{in: "\r\n", bad: true},
		{in: "250 ok", bad: true},
		{in: "250 " + strings.Repeat("x", 3000) + "\r\n", bad: true},
		{in: strings.Repeat("250-x\r\n", 101), bad: true},
	} {
		r, err := readReply(bufio.NewReaderSize(strings.NewReader(test.in), maxReplyLine), nil, nil)
		if test.bad {
			if err == nil {
				t.Errorf("%.40q was understood", test.in)
			}
			continue
		}
		out := r.outcome("mx.test")
		if err != nil || out.Status != test.status || out.Enhanced != test.enhanced || out.Text != test.text {
			t.Errorf("%.40q: %+v, %v", test.in, out, err)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte("250-2.0.0 one\r\n250 2.0.0 two\r\n"))
	f.Add([]byte("550 5.1.1\n"))
	f.Add([]byte("421-\r\n421-x\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := readReply(bufio.NewReaderSize(strings.NewReader(string(in)), maxReplyLine), nil, nil)
		if err != nil {
			return
		}
		out := r.outcome("")
		if len(out.Text) > 3*maxReplyText || strings.ContainsAny(out.Text, "\r\n\x00") || out.Code < 200 || out.Code > 599 {
			t.Errorf("%q gives %+v", in, out)
		}
	})
}
