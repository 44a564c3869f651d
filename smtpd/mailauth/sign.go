package mailauth

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Signer signs for one domain with an RSA-2048 key (RFC 6376, RFC 8301), relaxed/relaxed. It is safe for concurrent use.
type Signer struct {
	Domain   string // d=
	Selector string // s=
	Key      *rsa.PrivateKey
}

// oversigned lists the fields whose later addition would change what a reader sees or does: each is named in h= once more
// than it occurs (RFC 6376, section 8.15).
func oversigned() []string {
	return []string{"From", "Subject", "To", "Cc", "Date", "Reply-To", "Message-ID", "Content-Type",
		"List-Unsubscribe", "List-Unsubscribe-Post"}
}

// signed lists the other fields that are signed where they occur (RFC 6376, section 5.4.1; RFC 8058; RFC 9477; RFC 8460, section 5.3).
func signed() []string {
	return []string{"Sender", "In-Reply-To", "References", "MIME-Version", "Content-Transfer-Encoding",
		"Content-Disposition", "Content-Language", "Auto-Submitted", "Author", "Original-From", "X-Original-From",
		"List-Id", "List-Help", "List-Subscribe", "List-Post", "List-Owner", "List-Archive", "Archived-At",
		"Feedback-ID", "CFBL-Address", "CFBL-Feedback-ID", "TLS-Report-Domain", "TLS-Report-Submitter"}
}

// Prepared is a rendition made ready by one signer. It is safe for concurrent use.
type Prepared struct {
	key    *rsa.PrivateKey
	names  map[string]string // lower case -> as in h=
	begin  string            // "DKIM-Signature: v=1; … t="
	static []string          // h= entries of the rendition
	over   []string          // h= entries of what must not be added
	hashed hash.Cloner       // SHA-256 after the rendition's fields
	body   string            // bh=
	last   atomic.Pointer[signature]
	shared atomic.Pointer[signature] // one that was asked for twice in a row
}

// signature is a finished field for some personal fields.
type signature struct{ personal, field []byte }

// Prepare does once what all copies of a rendition share: the body hash and the canonical form of its header.
// Lines of the rendition end in CRLF.
func (s *Signer) Prepare(rendition []byte) *Prepared {
	header, body := splitMessage(rendition)
	p := &Prepared{
		key:   s.Key,
		names: map[string]string{},
		begin: "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" + asciiName(s.Domain) +
			";\r\n\ts=" + asciiName(s.Selector) + "; t=",
		over: oversigned(),
		body: base64.StdEncoding.EncodeToString(bodyHash(body)),
	}
	for _, name := range append(oversigned(), signed()...) {
		p.names[strings.ToLower(name)] = name
	}
	h := sha256.New()
	p.static = p.hash(h, nil, header)
	p.hashed = h.(hash.Cloner)
	return p
}

// hash writes the signed fields of header to h in relaxed form and appends their names to list.
// A verifier takes fields of a name from the bottom up, and so do we.
func (p *Prepared) hash(h hash.Hash, list []string, header []byte) []string {
	all := slices.Collect(fields(header))
	buf := make([]byte, 0, 1024)
	for _, field := range slices.Backward(all) {
		buf = appendRelaxed(buf[:0], field)
		colon := bytes.IndexByte(buf, ':')
		if colon < 0 {
			continue
		}
		if name, ok := p.names[string(buf[:colon])]; ok {
			h.Write(append(buf, "\r\n"...))
			list = append(list, name)
		}
	}
	return list
}

// Sign returns the DKIM-Signature field, CRLF-ended, for the rendition with personal header fields on top
// ("Name: value" CRLF…). Copies with the same personal fields share one signature.
// From, Subject, To, Cc, Date, Reply-To, Message-ID, Content-Type, List-Unsubscribe and List-Unsubscribe-Post
// are oversigned.
func (p *Prepared) Sign(personal []byte) ([]byte, error) {
	for _, known := range []*signature{p.shared.Load(), p.last.Load()} {
		if known != nil && bytes.Equal(known.personal, personal) {
			p.shared.Store(known) // copies of one each, in between, must not make it forgotten
			return slices.Clone(known.field), nil
		}
	}
	field, sum := p.digest(personal)
	sig, err := rsa.SignPKCS1v15(nil, p.key, crypto.SHA256, sum)
	if err != nil {
		return nil, fmt.Errorf("sign with DKIM: %w", err)
	}
	field = appendFolded(field, base64.StdEncoding.EncodeToString(sig))
	p.last.Store(&signature{personal: slices.Clone(personal), field: field})
	return slices.Clone(field), nil
}

// digest returns the field up to "b=" and the hash to sign.
func (p *Prepared) digest(personal []byte) (field, sum []byte) {
	h := cloneHash(p.hashed)
	names := p.hash(h, slices.Clip(p.static), personal)
	field = p.unsigned(append(names, p.over...), time.Now())
	h.Write(appendRelaxed(make([]byte, 0, len(field)), field))
	return field, h.Sum(nil)
}

// unsigned returns the field up to "b=", folded at 78 columns.
func (p *Prepared) unsigned(names []string, now time.Time) []byte {
	b := make([]byte, 0, 2048)
	b = append(b, p.begin...)
	b = strconv.AppendInt(b, now.Unix(), 10)
	b = append(b, ";\r\n\th="...)
	col := 10
	for i, name := range names {
		if i > 0 {
			b = append(b, ':')
			col++
		}
		if col+len(name) > 76 {
			b = append(b, "\r\n\t "...)
			col = 9
		}
		b = append(b, name...)
		col += len(name)
	}
	b = append(b, ";\r\n\tbh="...)
	b = append(b, p.body...)
	return append(b, ";\r\n\tb="...)
}

// appendFolded appends base64 text in lines and ends the field.
func appendFolded(b []byte, text string) []byte {
	for n := 66; len(text) > n; n = 68 {
		b = append(append(b, text[:n]...), "\r\n\t "...)
		text = text[n:]
	}
	return append(append(b, text...), "\r\n"...)
}
