package cook

import (
	"fmt"
	"slices"
	"strings"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
)

// from keeps the author's From where a signature aligned with it verifies on a finished copy, or where ours will align, and
// rewrites it elsewhere. Signatures that align with the From that leaves and do not verify are removed: some providers trust
// a message with one of those less than one with none.
func from(d *draft) string {
	if d.List.Settings.AnonymousList {
		return "" // the list is the author, and no signature is left
	}
	ours, domain := d.List.Address.ASCIIDomain(), d.Post.Author.ASCIIDomain()
	org := d.Post.Auth.DMARC.Org
	if d.Post.Auth.DMARC.StrictDKIM {
		org = "" // adkim=s: only the author domain itself aligns
	}
	copied := slices.Concat(d.sample, message.Join(d.header, d.body))
	signatures := mailauth.VerifyWith(copied, d.Post.Auth.Keys, domain, org)
	passes := slices.ContainsFunc(signatures, func(s mailauth.Signature) bool { return s.Aligned && s.Result == mailauth.Pass })
	var aligned func(mailauth.Signature) bool
	switch {
	case d.Post.Author.IsASCII() && !d.Post.Author.IsNull() && (passes || domain == ours):
		aligned = func(s mailauth.Signature) bool { return s.Aligned }
	default:
		d.rewritten = d.whyRewritten(signatures)
		aligned = func(s mailauth.Signature) bool { return related(s.Domain, ours) || s.Aligned && related(org, ours) }
	}
	broken := d.dropBroken(signatures, aligned)
	if d.rewritten == "" {
		return broken
	}
	d.rewriteFrom()
	return strings.TrimPrefix(broken+", From rewritten: "+d.rewritten, ", ")
}

// related reports whether one of two domains is the other or lies under it: they may have the same organizational domain.
func related(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a != "" && b != "" && (a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a))
}

func (d *draft) whyRewritten(signatures []mailauth.Signature) string {
	author := d.Post.Author
	switch i := slices.IndexFunc(signatures, func(s mailauth.Signature) bool { return s.Aligned }); {
	case author.IsNull():
		return "no single author"
	case !author.IsASCII():
		return "the author's address needs SMTPUTF8"
	case i < 0:
		return "no DKIM signature of " + author.Domain()
	default:
		s := signatures[i]
		return strings.TrimSuffix(fmt.Sprintf("the DKIM signature of %s does not verify on the copies (%s): %s", s.Domain, s.Result, s.Detail), ": ")
	}
}

// dropBroken removes the signatures that do not verify and are aligned.
func (d *draft) dropBroken(signatures []mailauth.Signature, aligned func(mailauth.Signature) bool) string {
	if len(d.header.All("DKIM-Signature")) != len(signatures) {
		return "" // so many that not all were checked: which is which cannot be told
	}
	i, before := -1, len(d.header)
	d.header = d.header.Without(func(f message.Field) bool {
		if !strings.EqualFold(f.Name, "DKIM-Signature") {
			return false
		}
		i++
		return signatures[i].Result != mailauth.Pass && aligned(signatures[i])
	})
	if len(d.header) == before {
		return ""
	}
	return "broken signatures removed"
}

// rewriteFrom makes the list the author that DMARC sees and keeps the real one where people and programs find it.
func (d *draft) rewriteFrom() {
	original := d.header.Get("From")
	boxes, _ := address.ParseList(original, message.DecodeHeader)
	author := address.Mailbox{Address: d.Post.Author}
	if len(boxes) > 0 {
		author.Name = boxes[0].Name
	}
	d.drop(func(name string) bool {
		switch name {
		case "sender", "feedback-id", "x-original-from":
			return true
		}
		return strings.HasPrefix(name, "cfbl-") || strings.HasPrefix(name, "bimi-")
	})
	d.header = d.header.Set(message.NewField("From", d.listMailbox(d.viaName(author))))
	if !author.Address.IsNull() && author.Address.IsASCII() {
		d.keepAuthor(author)
	}
	if original != "" {
		d.header = append(d.header, message.NewField("X-Original-From", original))
	}
	d.header = append(d.header, FeedbackID(d.List, "list"))
}

// viaName returns "Name via List". An address in a display name looks like forgery to filters, so no "@" is left in it.
func (d *draft) viaName(author address.Mailbox) string {
	name := author.Name
	if at := strings.IndexAny(name, "@＠"); name == "" || at >= 0 {
		name = author.Address.Local()
	}
	via := " via " + d.List.Title()
	return strings.NewReplacer("@", " ", "＠", " ").Replace(strings.TrimSuffix(name, via) + via)
}

// keepAuthor lets replies reach the author: through Reply-To, or through Cc where the list says where replies go.
func (d *draft) keepAuthor(author address.Mailbox) {
	field := "Reply-To"
	if d.repliesToList() {
		field = "Cc"
		if d.addressed("To", author) {
			return
		}
	}
	if d.addressed(field, author) {
		return
	}
	value := wireMailbox(author)
	if old := d.header.Get(field); old != "" && field == "Cc" {
		value = old + ", " + value
	} else if old != "" {
		value += ", " + old
	}
	d.header = d.header.Set(message.NewField(field, value))
}

// addressed reports whether an address field names the mailbox.
func (d *draft) addressed(field string, m address.Mailbox) bool {
	boxes, _ := address.ParseList(d.header.Get(field), nil)
	return slices.ContainsFunc(boxes, func(b address.Mailbox) bool { return b.Address.Key() == m.Address.Key() })
}
