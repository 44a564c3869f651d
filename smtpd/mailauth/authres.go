package mailauth

import (
	"context"
	"slices"
	"strings"

	"kairan/smtpd/message"
	"kairan/smtpd/resolver"
)

// authRes is an Authentication-Results field as read (RFC 8601, section 2.2).
type authRes struct {
	id      string // authserv-id, lower case, A-labels
	results []resinfo
}

type resinfo struct {
	method string
	result Result
	props  map[string]string // "smtp.mailfrom" -> value
}

// parseAuthRes reads the value of a field tolerantly: what it does not understand it leaves out.
func parseAuthRes(value string) authRes {
	var a authRes
	for i, segment := range segments(lex(value)) {
		if i == 0 {
			if len(segment) > 0 && segment[0].kind == word {
				id, _, _ := strings.Cut(segment[0].text, "/")
				a.id = asciiName(id)
			}
			continue
		}
		pairs := pairsOf(segment)
		if len(pairs) == 0 {
			continue
		}
		method, _, _ := strings.Cut(pairs[0][0], "/")
		r := resinfo{method: method, result: Result(strings.ToLower(pairs[0][1])), props: map[string]string{}}
		for _, p := range pairs[1:] {
			if _, twice := r.props[p[0]]; !twice {
				r.props[p[0]] = p[1]
			}
		}
		a.results = append(a.results, r)
	}
	return a
}

type tokenKind byte

const (
	word tokenKind = iota // bare or quoted
	equals
	semicolon
)

type token struct {
	kind tokenKind
	text string
}

// lex splits a value into words, "=" and ";". Comments, nested or unclosed, vanish.
func lex(s string) []token {
	var tokens []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '(':
			i = skipComment(s, i)
		case c == '"':
			var text string
			text, i = quoted(s, i+1)
			tokens = append(tokens, token{word, text})
		case c == '=':
			tokens = append(tokens, token{equals, ""})
			i++
		case c == ';':
			tokens = append(tokens, token{semicolon, ""})
			i++
		case c <= ' ':
			i++
		default:
			end := i
			for end < len(s) && s[end] > ' ' && strings.IndexByte(`("=;`, s[end]) < 0 {
				end++
			}
			tokens = append(tokens, token{word, s[i:end]})
			i = end
		}
	}
	return tokens
}

// skipComment returns the offset after the comment that opens at i.
func skipComment(s string, i int) int {
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// quoted returns the text of the quoted string that begins at i and the offset after it.
func quoted(s string, i int) (string, int) {
	var b strings.Builder
	for ; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), i + 1
}

func segments(tokens []token) [][]token {
	all := [][]token{nil}
	for _, t := range tokens {
		if t.kind == semicolon {
			all = append(all, nil)
			continue
		}
		all[len(all)-1] = append(all[len(all)-1], t)
	}
	return all
}

// pairsOf returns the "name = value" in a segment, names in lower case.
func pairsOf(segment []token) [][2]string {
	var pairs [][2]string
	for i := 0; i+2 < len(segment); i++ {
		if segment[i].kind == word && segment[i+1].kind == equals && segment[i+2].kind == word {
			pairs = append(pairs, [2]string{strings.ToLower(segment[i].text), segment[i+2].text})
			i += 2
		}
	}
	return pairs
}

// Trusted reads the Authentication-Results that a trusted relay (one of ids) put on top of the message
// instead of asking the DNS about SPF; ok is false when there is none.
//
// Believed is the SPF result of the topmost field of such an id that has one, down to the fields just
// below the relay's Received, which is the first one, or the second if the first was put there by Hostname.
// What stands below the next Received came with the message. The result must be about the envelope sender
// we were given. DKIM and DMARC are checked here as in
// Check: the signatures came through the relay with the message. A relay must remove forged fields of its own id
// (RFC 8601, section 5); if it does not and states no SPF result, a forger can.
func (c *Checker) Trusted(ctx context.Context, in Input, ids []string) (r Results, ok bool) {
	var found *authRes
	received := 0
	for i, f := range in.Message.Header() {
		if isField(f, "Received") && (i > 0 || !c.wrote(f)) {
			received++
		}
		if received > 1 {
			break
		}
		if !isField(f, "Authentication-Results") {
			continue
		}
		a := parseAuthRes(f.Value())
		if !slices.ContainsFunc(ids, func(id string) bool { return asciiName(id) == a.id }) || a.id == "" {
			continue
		}
		if found == nil || !found.has("spf") && a.has("spf") {
			found = &a
		}
	}
	if found == nil {
		return Results{}, false
	}
	r = c.check(ctx, in, func(context.Context, resolver.Resolver) SPF { return relayedSPF(in, *found) })
	r.Relay = clip(found.id)
	return r, true
}

// wrote reports whether a Received field says that it is by us.
func (c *Checker) wrote(f message.Field) bool {
	tokens := lex(f.Value())
	for i, t := range tokens[:max(0, len(tokens)-1)] {
		if t.kind == word && strings.EqualFold(t.text, "by") {
			return strings.EqualFold(tokens[i+1].text, c.Hostname)
		}
	}
	return false
}

func (a authRes) has(method string) bool {
	return slices.ContainsFunc(a.results, func(r resinfo) bool { return r.method == method })
}

// relayedSPF takes over the relay's word. A result for HELO counts for the null sender only.
func relayedSPF(in Input, a authRes) SPF {
	s := SPF{Result: None, Detail: "the relay says nothing", Helo: in.MailFrom.IsNull()}
	want, property := asciiName(in.MailFrom.ASCIIDomain()), "smtp.mailfrom"
	if s.Helo {
		want, property = asciiName(in.Helo), "smtp.helo"
	}
	for _, r := range a.results {
		if r.method != "spf" {
			continue
		}
		value, given := r.props[property]
		domain := asciiName(value[strings.LastIndexByte(value, '@')+1:])
		switch {
		case s.Helo && given && isName(domain):
			want = domain // the relay's client, not the relay, which is who greeted us
		case s.Helo, given && domain != want:
			s.Detail = "the relay checked another sender"
			continue
		case !given && r.props["smtp.helo"] != "":
			continue
		}
		switch r.result {
		case Pass, Fail, SoftFail, Neutral, TempError, PermError, None:
			s.Result, s.Domain, s.Detail = r.result, want, "as the relay says"
			return s
		}
	}
	return s
}

// StripForged returns h without Authentication-Results fields that bear id (RFC 8601, section 5),
// in any case and version, behind any comment, and without those that bear no readable id at all.
func StripForged(h message.Header, id string) message.Header {
	id = asciiName(id)
	return h.Without(func(f message.Field) bool {
		if !isField(f, "Authentication-Results") {
			return false
		}
		got := parseAuthRes(f.Value()).id
		return got == "" || got == id
	})
}

func isField(f message.Field, name string) bool {
	return strings.EqualFold(strings.TrimSpace(f.Name), name)
}
