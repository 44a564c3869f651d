package cook

import (
	"testing"

	"kairan/list"
	"kairan/smtpd/message"
)

// subjectOf returns the raw Subject that post number n gets.
func subjectOf(prefix, raw string, n uint64) string {
	s := list.DefaultSettings("ja")
	s.SubjectPrefix = prefix
	in := input(s, message.Parse(nil))
	in.Post.Number = n
	d := &draft{Input: in, header: message.Header{message.NewField("Subject", raw)}}
	subject(d)
	return d.header.Get("Subject")
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"総会":                                 "[janog:00123] 総会",
		"Re: 総会":                             "[janog:00123] Re: 総会",
		"RE：総会":                              "[janog:00123] Re: 総会",
		"Ｒｅ： 総会":                             "[janog:00123] Re: 総会",
		"Re[2]: 総会":                          "[janog:00123] Re: 総会",
		"Re^12: Re(3): 総会":                   "[janog:00123] Re: 総会",
		"返信：返: 総会":                           "[janog:00123] Re: 総会",
		"Re: [janog:00001] Re: [JANOG:2] 総会": "[janog:00123] Re: 総会",
		"Fwd: Re: 総会":                        "[janog:00123] Fwd: Re: 総会",
		"[other:1] 総会":                       "[janog:00123] [other:1] 総会",
		"Re: ":                               "[janog:00123] Re:",
		"Results: 総会":                        "[janog:00123] Results: 総会",
		"返信期限について":                           "[janog:00123] 返信期限について",
		"":                                   "[janog:00123]",
		"[janog:abc] 総会":                     "[janog:00123] [janog:abc] 総会",
	} {
		for _, charset := range []string{"UTF-8", "ISO-2022-JP"} {
			encoded := message.TextField("Subject", raw, charset).Value()
			got := subjectOf("[janog:%05d] ", encoded, 123)
			if text := message.DecodeHeader(got); text != want {
				t.Errorf("%q in %s: got %q, want %q", raw, charset, text, want)
			}
			next := message.DecodeHeader(subjectOf("[janog:%05d] ", message.TextField("Subject", "Re: "+want, charset).Value(), 124))
			if again := message.DecodeHeader(subjectOf("[janog:%05d] ", "Re: "+got, 124)); again != next {
				t.Errorf("%q in %s: a reply gets %q or %q", raw, charset, again, next)
			}
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"":              "x",
		"  ":            "x",
		"[j] ":          "[j] x",
		"[j %d]":        "[j 7] x",
		"(j.*+%05d)":    "(j.*+00007) x",
		"[j %d/%03d]":   "[j 7/007] x",
		"[回覧 %d] ":      "[回覧 7] x",
		"[Foo] [bar%d]": "[Foo] [bar7] x",
	} {
		got := message.DecodeHeader(subjectOf(prefix, "x", 7))
		again := message.DecodeHeader(subjectOf(prefix, got, 7))
		if got != want || again != want {
			t.Errorf("%q: got %q and then %q, want %q", prefix, got, again, want)
		}
	}
}
