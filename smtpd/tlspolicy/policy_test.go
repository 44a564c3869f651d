package tlspolicy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Policy{
		"version: STSv1\r\nmode: enforce\r\nmx: MX.example.com.\r\nmx: *.example.net\r\nmax_age: 604800\r\n": {Enforce, []string{"mx.example.com", "*.example.net"}, 7 * 24 * time.Hour, nil},
		"version:STSv1\nmode:testing\nmx:a.test\nmax_age:86400\nfuture: thing\n":                             {Testing, []string{"a.test"}, 24 * time.Hour, nil},
		"version: STSv1\nmode: none\nmax_age: 86400\n":                                                       {Mode: None, MaxAge: 24 * time.Hour},
		"version: STSv1\nmode: enforce\nmode: none\nmx: a.test\nmax_age: 1\n":                                {Enforce, []string{"a.test"}, minAge, nil},
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 9999999999\n":                                   {Enforce, []string{"a.test"}, maxAge, nil},
	} {
		got, err := parsePolicy([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
	for _, text := range []string{
		"", "version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 86400\n", "version: STSv1\nmode: enforce\nmax_age: 86400\n",
		"version: STSv1\nmode: sometimes\nmx: a.test\nmax_age: 86400\n", "version: STSv1\nmode: enforce\nmx: a.test\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: soon\n", "<html>\n", "version: STSv1\nmode: none\nmax_age: 86400\n" + strings.Repeat("mx: a.test\n", maxPatterns+1),
	} {
		if p, err := parsePolicy([]byte(text)); err == nil {
			t.Errorf("%.60q is %+v", text, p)
		}
	}
}

func TestParseRecord(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"20260101": {"v=STSv1; id=20260101;"},
		"a1":       {"v=spf1 -all", "v=STSv1;id=a1"},
	} {
		if got := parseRecord(texts); got != want {
			t.Errorf("%q: %q, want %q", texts, got, want)
		}
	}
	for _, texts := range [][]string{nil, {"v=STSv1; id=a", "v=STSv1; id=b"}, {"v=STSv1"}, {"v=STSv1; id=a b"}, {"v=STSv1; id=" + strings.Repeat("a", 33)}, {"v=STSv10; id=a"}} {
		if got := parseRecord(texts); got != "" {
			t.Errorf("%q: %q", texts, got)
		}
	}
}
