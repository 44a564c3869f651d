package mailauth

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/emersion/go-msgauth/dkim"

	"kairan/smtpd/resolver"
)

// What a stranger may make us do for DKIM.
const (
	maxSignatures = 10
	maxNames      = 100       // in h=; go-msgauth needs names x fields
	maxHeader     = 192 << 10 // bytes; a finished copy has more than what was received
	maxFields     = 600
	maxHashed     = 64 << 20 // body bytes times signatures
	maxKeyRecord  = 4 << 10
)

var errKeySize = errors.New("key is too large")

// verifier checks the signatures of one message.
type verifier struct {
	author string // the author domain, whose signatures go first; may be ""
	lookup func(keyName string) ([]string, error)

	mu   sync.Mutex // go-msgauth checks signatures side by side
	keys map[string]string
}

// claim is a DKIM-Signature field and what came of it.
type claim struct {
	field []byte
	tags  map[string]string
	Signature
}

// verify returns the results of at most maxSignatures signatures, in the message's order.
func (v *verifier) verify(raw []byte) []Signature {
	v.keys = map[string]string{}
	header, body := splitMessage(raw)
	claims, n := collect(header)
	claims = v.choose(claims, maxSignatures)
	open := slices.DeleteFunc(slices.Clone(claims), func(c *claim) bool { return c.refuse() })
	if len(header) > maxHeader || n > maxFields {
		for _, c := range open {
			c.Result, c.Detail = Policy, "header is too large to check"
		}
		open = nil
	}
	if most := max(1, maxHashed/max(1, len(body))); len(open) > most {
		chosen := v.choose(open, most)
		for _, c := range open {
			c.Result, c.Detail = Policy, "message is too large to check every signature"
		}
		open = chosen
	}
	v.run(header, body, open)
	var results []Signature
	for _, c := range claims {
		results = append(results, c.Signature)
	}
	return results
}

// collect returns the DKIM-Signature fields and the number of all fields.
func collect(header []byte) (claims []*claim, n int) {
	for field := range fields(header) {
		n++
		name, ok := fieldName(field)
		if !ok || !bytes.EqualFold(name, []byte("DKIM-Signature")) {
			continue
		}
		c := &claim{field: field}
		var err error
		if c.tags, err = parseTags(string(field[bytes.IndexByte(field, ':')+1:])); err != nil {
			c.Result, c.Detail = PermError, err.Error()
		}
		c.Domain, c.Selector, c.Algo = asciiName(c.tags["d"]), c.tags["s"], strings.ToLower(c.tags["a"])
		c.Domain, c.Selector, c.Algo = clip(c.Domain), clip(c.Selector), clip(c.Algo)
		claims = append(claims, c)
	}
	return claims, n
}

// parseTags reads a tag list (RFC 6376, section 3.2), white space removed. It takes white space as go-msgauth
// does, or else a field could say one thing to us and another to it.
func parseTags(s string) (map[string]string, error) {
	tags := map[string]string{}
	for part := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		switch _, twice := tags[name]; {
		case !ok && name == "":
			continue
		case !ok:
			return tags, errors.New("malformed tags")
		case twice:
			return tags, errors.New("duplicate tag")
		}
		tags[name] = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, value)
	}
	return tags, nil
}

// refuse reports whether the signature is not worth a check, and says why.
func (c *claim) refuse() bool {
	_, hasLength := c.tags["l"]
	switch {
	case c.Result != "":
	case c.Algo == "rsa-sha1":
		c.Result, c.Detail = PermError, "rsa-sha1 counts for nothing (RFC 8301)"
	case hasLength:
		c.Result, c.Detail = Policy, "l= leaves part of the body unsigned"
	case strings.Count(c.tags["h"], ":") >= maxNames:
		c.Result, c.Detail = Policy, "too many names in h="
	}
	return c.Result != ""
}

// choose keeps n claims, those of domains related to the author's first, in the message's order.
func (v *verifier) choose(claims []*claim, n int) []*claim {
	if len(claims) <= n {
		return claims
	}
	kept := map[*claim]bool{}
	for _, related := range []bool{true, false} {
		for _, c := range claims {
			if len(kept) < n && (isBelow(c.Domain, v.author) || isBelow(v.author, c.Domain)) == related {
				kept[c] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c *claim) bool { return !kept[c] })
}

// run lets go-msgauth check the open claims. It sees the message without the other DKIM-Signature
// fields; only a signature over such a field could tell, and its failure would be no loss.
func (v *verifier) run(header, body []byte, open []*claim) {
	if len(open) == 0 {
		return
	}
	var top bytes.Buffer
	at := 0
	for field := range fields(header) {
		name, _ := fieldName(field)
		if bytes.EqualFold(name, []byte("DKIM-Signature")) {
			if at == len(open) || &open[at].field[0] != &field[0] {
				continue
			}
			at++
		}
		top.Write(field)
	}
	if !bytes.HasSuffix(top.Bytes(), []byte("\n")) {
		top.WriteString("\r\n")
	}
	top.WriteString("\r\n")
	got, err := dkim.VerifyWithOptions(io.MultiReader(&top, bytes.NewReader(body)), &dkim.VerifyOptions{LookupTXT: v.key})
	for i, c := range open {
		// Results come in the order of the fields. Should we ever see other fields than go-msgauth does,
		// nobody gets another's pass.
		if err != nil || len(got) != len(open) || got[i].Domain != c.tags["d"] && got[i].Err == nil {
			c.Result, c.Detail = PermError, "cannot be checked"
			continue
		}
		c.settle(got[i].Err)
		c.heed(v.keys[keyName(c.Selector, c.Domain)])
	}
}

// key returns the key record for go-msgauth, which asks for "SELECTOR._domainkey.DOMAIN", and keeps it.
func (v *verifier) key(name string) ([]string, error) {
	selector, domain, _ := strings.Cut(name, "._domainkey.")
	name = keyName(selector, domain)
	texts, err := v.lookup(name)
	if err != nil {
		return nil, netError(name, err)
	}
	if len(texts) != 1 {
		return texts, nil
	}
	if len(texts[0]) > maxKeyRecord || keyBits(texts[0]) > maxKeyBits {
		return nil, errKeySize
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys[name] = texts[0]
	return texts, nil
}

// keyBits returns the size of the RSA key in a key record, or 0.
func keyBits(txt string) int {
	tags, _ := parseTags(txt)
	der, err := base64.StdEncoding.DecodeString(tags["p"])
	if err != nil {
		return 0
	}
	if pub, err := x509.ParsePKIXPublicKey(der); err == nil {
		if key, ok := pub.(*rsa.PublicKey); ok {
			return key.N.BitLen()
		}
	} else if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key.N.BitLen()
	}
	return 0
}

// settle turns go-msgauth's error into a result.
func (c *claim) settle(err error) {
	c.Detail = ""
	switch {
	case err == nil:
		c.Result = Pass
		return
	case dkim.IsTempFail(err):
		c.Result = TempError
	case strings.Contains(err.Error(), errKeySize.Error()):
		c.Result = Policy
	case dkim.IsPermFail(err):
		c.Result = PermError
	default:
		c.Result = Fail
	}
	c.Detail = clip(strings.TrimPrefix(err.Error(), "dkim: "))
}

// heed applies the flags of the key (RFC 6376, section 3.6.1), which go-msgauth does not read.
func (c *claim) heed(key string) {
	tags, _ := parseTags(key)
	flags := strings.Split(tags["t"], ":")
	_, agent, _ := strings.Cut(c.tags["i"], "@")
	switch {
	case slices.Contains(flags, "y"):
		c.Result, c.Detail = None, "key is being tested (t=y)"
	case slices.Contains(flags, "s") && agent != "" && asciiName(agent) != c.Domain && c.Result == Pass:
		c.Result, c.Detail = PermError, "key is not for subdomains (t=s)"
	}
}

// VerifyWith checks the DKIM signatures of raw with the key records of an earlier check and without DNS, and sets Aligned for authorDomain
// whose organizational domain is org. Without org, only the author domain itself is aligned: that is
// how to ask for strict alignment. A domain below org counts as aligned even if it is an organizational domain of its own.
func VerifyWith(raw []byte, keys map[string]string, authorDomain, org string) []Signature {
	authorDomain, org = asciiName(authorDomain), asciiName(org)
	v := verifier{author: authorDomain, lookup: func(name string) ([]string, error) {
		if txt, ok := keys[name]; ok {
			return []string{txt}, nil
		}
		return nil, fmt.Errorf("key of %s was not kept: %w", name, resolver.ErrNoData)
	}}
	signatures := v.verify(raw)
	for i := range signatures {
		d := signatures[i].Domain
		signatures[i].Aligned = d != "" && (d == authorDomain || isBelow(d, org))
	}
	return signatures
}
