package cook

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"kairan/list"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
)

const post = `From: Ann <ann@example.jp>
To: janog@lists.example.jp
Subject: Meeting
Date: Wed, 14 Jan 2026 09:29:50 +0900
Message-ID: <1@example.jp>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello.
`

// author signs mail as its provider would.
type author struct {
	domain string
	key    ed25519.PrivateKey
}

func newAuthor(domain string) author {
	return author{domain, ed25519.NewKeyFromSeed(bytes.Repeat([]byte(domain[:1]), ed25519.SeedSize))}
}

func (a author) sign(t testing.TB, raw []byte, fields ...string) []byte {
	t.Helper()
	if len(fields) == 0 {
		fields = []string{"From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"}
	}
	var b bytes.Buffer
	err := dkim.Sign(&b, bytes.NewReader(raw), &dkim.SignOptions{
		Domain: a.domain, Selector: "sel", Signer: a.key, HeaderKeys: fields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (a author) addKey(keys map[string]string) {
	public := base64.StdEncoding.EncodeToString(a.key.Public().(ed25519.PublicKey))
	keys["sel._domainkey."+a.domain] = "v=DKIM1; k=ed25519; p=" + public
}

// cooked runs both tables over a signed post. It returns the rendition and what a receiver says about the finished copy.
func cooked(t testing.TB, s list.Settings, raw []byte, by ...author) (r Rendition, signatures []mailauth.Signature) {
	t.Helper()
	msg := message.Parse(raw)
	in := input(s, msg)
	in.Post.Auth.Keys = map[string]string{}
	for _, a := range by {
		a.addKey(in.Post.Auth.Keys)
	}
	personal := Personal(in.Site, in.List, "0123456789abcdef0123456789abcdef")
	r = Dress(in, contentOf(in, msg), personal)
	checkWire(t, r.Message)
	copied := append(personal, r.Message...)
	return r, mailauth.VerifyWith(copied, in.Post.Auth.Keys, in.Post.Author.ASCIIDomain(), in.Post.Auth.DMARC.Org)
}

// TestSignature checks which settings leave the author's signature alive, and that From is rewritten exactly where none is.
func TestSignature(t *testing.T) {
	t.Parallel()
	ann := newAuthor("example.jp")
	for _, c := range []struct {
		name  string
		set   func(*list.Settings)
		edit  func(string) string
		alive bool
	}{
		{name: "nothing is set", alive: true},
		{name: "private archive, ML headers", set: func(s *list.Settings) { s.ArchivePolicy, s.IncludeMLHeaders = "private", true }, alive: true},
		{name: "secrets and receipts", edit: func(raw string) string { return "Approved: x\nDisposition-Notification-To: a@b.test\n" + raw }, alive: true},
		{name: "8-bit body", edit: func(raw string) string { return strings.Replace(raw, "Hello", "回覧", 1) }, alive: true},
		{name: "subject prefix", set: func(s *list.Settings) { s.SubjectPrefix = "[janog:%05d] " }},
		{name: "the prefix is there already", set: func(s *list.Settings) { s.SubjectPrefix = "[janog] " },
			edit: func(raw string) string { return strings.Replace(raw, "Meeting", "[janog] Re: Meeting", 1) }, alive: true},
		{name: "footer", set: func(s *list.Settings) { s.MsgFooter = "-- \nJANOG" }},
		{name: "replies go to the list", set: func(s *list.Settings) { s.ReplyGoesToList = "list" }},
	} {
		s := list.DefaultSettings("en")
		if c.set != nil {
			c.set(&s)
		}
		raw := post
		if c.edit != nil {
			raw = c.edit(raw)
		}
		r, signatures := cooked(t, s, ann.sign(t, crlf([]byte(raw))), ann)
		from := message.Parse(r.Message).Header().Get("From")
		passes := len(signatures) == 1 && signatures[0].Result == mailauth.Pass && signatures[0].Aligned
		switch {
		case passes != c.alive:
			t.Errorf("%s: the author's signature passes: %v, want %v: %+v", c.name, passes, c.alive, signatures)
		case c.alive && (from != "Ann <ann@example.jp>" || r.Rewritten != ""):
			t.Errorf("%s: From: %s, rewritten because %q", c.name, from, r.Rewritten)
		case !c.alive && (from != "Ann via janog <janog@lists.example.jp>" || !strings.Contains(r.Rewritten, "does not verify")):
			t.Errorf("%s: From: %s, rewritten because %q", c.name, from, r.Rewritten)
		}
	}
}

// TestOversigned shows why the personal fields belong to the copy that is checked.
func TestOversigned(t *testing.T) {
	t.Parallel()
	ann := newAuthor("example.jp")
	raw := ann.sign(t, crlf([]byte(post)), "From", "Subject", "List-Unsubscribe")
	r, _ := cooked(t, list.DefaultSettings("en"), raw, ann)
	if r.Rewritten == "" {
		t.Error("a signature that forbids List-Unsubscribe was believed to live")
	}
}

func TestUnalignedSignature(t *testing.T) {
	t.Parallel()
	esp := newAuthor("sender.example")
	r, _ := cooked(t, list.DefaultSettings("en"), esp.sign(t, crlf([]byte(post))), esp)
	if r.Rewritten != "no DKIM signature of example.jp" {
		t.Errorf("rewritten: %q", r.Rewritten)
	}
	if message.Parse(r.Message).Header().Get("DKIM-Signature") == "" {
		t.Error("a signature that aligns with nothing that leaves was removed")
	}
}

// TestBrokenBeside checks that of two aligned signatures only the one that verifies stays.
func TestBrokenBeside(t *testing.T) {
	t.Parallel()
	ann := newAuthor("example.jp")
	raw := ann.sign(t, crlf([]byte(post)))
	broken := "DKIM-Signature: v=1; a=ed25519-sha256; d=example.jp; s=sel; h=From; bh=eA==; b=eA==\r\n"
	r, signatures := cooked(t, list.DefaultSettings("en"), append([]byte(broken), raw...), ann)
	if r.Rewritten != "" || len(signatures) != 1 || signatures[0].Result != mailauth.Pass {
		t.Errorf("rewritten %q, signatures %+v", r.Rewritten, signatures)
	}
}

// TestOwnDomain checks that a broken signature of the list's own domain goes when From is rewritten or ours will align.
func TestOwnDomain(t *testing.T) {
	t.Parallel()
	s := list.DefaultSettings("en")
	s.SubjectPrefix = "[janog] "
	for domain, rewritten := range map[string]bool{"lists.example.jp": false, "example.jp": true} {
		own := newAuthor(domain)
		raw := own.sign(t, crlf([]byte(strings.Replace(post, "ann@example.jp", "ann@"+domain, 1))))
		r, signatures := cooked(t, s, raw, own)
		if len(signatures) != 0 || (r.Rewritten != "") != rewritten {
			t.Errorf("%s: rewritten %q, signatures %+v", domain, r.Rewritten, signatures)
		}
	}
}

// TestRelatedDomains checks that broken signatures go where they may align with the From that leaves: d= above the list's domain, whoever
// wrote, and d= beside it under the author's organizational domain.
func TestRelatedDomains(t *testing.T) {
	t.Parallel()
	s := list.DefaultSettings("en")
	s.SubjectPrefix = "[janog] "
	for _, c := range []struct{ author, signer, org string }{
		{"ann@other.test", "example.jp", "other.test"},
		{"ann@example.jp", "mail.example.jp", "example.jp"},
	} {
		signer := newAuthor(c.signer)
		msg := message.Parse(signer.sign(t, crlf([]byte(strings.Replace(post, "ann@example.jp", c.author, 1)))))
		in := input(s, msg)
		in.Post.Auth.DMARC.Org = c.org
		in.Post.Auth.Keys = map[string]string{}
		signer.addKey(in.Post.Auth.Keys)
		r := Dress(in, contentOf(in, msg), nil)
		if left := message.Parse(r.Message).Header().Get("DKIM-Signature"); left != "" || r.Rewritten == "" {
			t.Errorf("%+v: rewritten %q, left %s", c, r.Rewritten, left)
		}
	}
}

// TestStrictAlignment: where the author's domain wants it (adkim=s), a signature by another domain of the organization keeps no From.
func TestStrictAlignment(t *testing.T) {
	t.Parallel()
	signer := newAuthor("mail.example.jp")
	for _, strict := range []bool{false, true} {
		msg := message.Parse(signer.sign(t, crlf([]byte(post))))
		in := input(list.DefaultSettings("en"), msg)
		in.Post.Auth.DMARC.Org, in.Post.Auth.DMARC.StrictDKIM = "example.jp", strict
		in.Post.Auth.Keys = map[string]string{}
		signer.addKey(in.Post.Auth.Keys)
		if r := Dress(in, contentOf(in, msg), nil); (r.Rewritten != "") != strict {
			t.Errorf("strict %v: rewritten %q", strict, r.Rewritten)
		}
	}
}

// TestManySignatures checks that nothing is removed where not every signature could be checked.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	ann := newAuthor("example.jp")
	broken := "DKIM-Signature: v=1; a=ed25519-sha256; d=example.jp; s=sel; h=From; bh=eA==; b=eA==\r\n"
	raw := append([]byte(strings.Repeat(broken, 20)), ann.sign(t, crlf([]byte(post)))...)
	r, _ := cooked(t, list.DefaultSettings("en"), raw, ann)
	if n := len(message.Parse(r.Message).Header().All("DKIM-Signature")); n != 21 {
		t.Errorf("%d signatures are left of 21", n)
	}
}
