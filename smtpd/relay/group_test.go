package relay

import (
	"testing"

	"kairan/smtpd/resolver/fakedns"
)

func TestGroup(t *testing.T) {
	t.Parallel()
	r := New(Options{Hostname: "lists.example.jp", Routes: map[string]string{".routed.test": "hop.example.net:2525", "routed.test": "mx"}, Resolver: fakedns.Must(`
gmail.com.        MX 5  gmail-smtp-in.l.google.com.
gmail.com.        MX 10 alt1.gmail-smtp-in.l.google.com.
workspace.test.   MX 10 elsewhere.example.com.
workspace.test.   MX 1  ASPMX2.googlemail.com.
tenant.test.      MX 0  tenant-test.o-v1.mx.microsoft.
own.test.         MX 10 mail.own.test.
hosted.test.      MX 10 mx1.mail.example.co.jp.
twice.test.       MX 10 b.example.org.
twice.test.       MX 10 a.example.com.
nomail.test.      MX 0  .
plain.test.       A  192.0.2.1
a.deep.test.      A  192.0.2.1
routed.test.      MX 10 mx.example.org.
! temp MX broken.test.
`)})
	for domain, want := range map[string]string{
		"gmail.com": "google.com", "workspace.test": "google.com", "tenant.test": "outlook.com", "own.test": "own.test",
		"hosted.test": "example.co.jp", "twice.test": "example.com", "nomail.test": "nomail.test", "plain.test": "plain.test", "a.deep.test": "deep.test",
		"nowhere.test": "nowhere.test", "a.routed.test": "hop.example.net", "routed.test": "example.org",
	} {
		if got, err := r.Group(t.Context(), domain); err != nil || got != want {
			t.Errorf("%s is in %q, %v; want %q", domain, got, err, want)
		}
	}
	if got, err := r.Group(t.Context(), "broken.test"); err == nil {
		t.Errorf("a server failure gives %q, want an error", got)
	}
}
