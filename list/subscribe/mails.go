package subscribe

import (
	"fmt"
	"maps"
	"strings"

	"kairan/list"
	"kairan/list/posting"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

// Notice is a mail as a value.
type Notice = posting.Notice

// Letter is a mail to be written from a template.
type Letter struct {
	List *list.List
	To   address.Address
	Name string // of the template
	// Lang is the receiver's language; "" is looked up, and where it is not known the mail says everything in each language.
	Lang      string
	Args      map[string]string // beside list, address, posting, request, owner, join, leave, url and conduct, which are filled in
	ReplyTo   address.Address
	InReplyTo string
	Unasked   bool
}

// Letter writes a mail.
func (w *Workflow) Letter(tx *storage.Tx, le Letter) (Notice, error) {
	args := map[string]string{
		"list":    le.List.Title(),
		"address": le.To.String(),
		"posting": le.List.Address.String(),
		"request": le.List.Suffixed("request").String(),
		"owner":   le.List.Suffixed("owner").String(),
		"join":    le.List.Suffixed("join").String(),
		"leave":   le.List.Suffixed("leave").String(),
		"url":     w.Site.ListURL(le.List),
	}
	maps.Copy(args, le.Args)
	n := Notice{List: le.List, To: le.To, ReplyTo: le.ReplyTo, InReplyTo: le.InReplyTo, Unasked: le.Unasked}
	langs := []string{le.Lang}
	if le.Lang == "" {
		langs = languages(tx, le.List, le.To)
	}
	var bodies []string
	for i, lang := range langs {
		args["conduct"] = w.conduct(le.List, lang)
		subject, body, err := list.Write(tx, w.Templates, le.List, le.Name, lang, args)
		if err != nil {
			return n, fmt.Errorf("mail %s to %s: %w", le.Name, le.To, err)
		}
		if i == 0 {
			n.Subject = subject
		}
		bodies = append(bodies, body)
	}
	n.Body = strings.Join(bodies, "\n----------------------------------------------------------------\n\n")
	return n, nil
}

// languages returns the language of a person that the list knows; for anybody else all of them, the list's own first.
func languages(tx *storage.Tx, l *list.List, a address.Address) []string {
	for _, role := range []list.Role{list.RoleMember, list.RoleOwner, list.RoleModerator} {
		if m, err := list.GetMember(tx, l.ID, role, a); err == nil {
			return []string{l.LanguageOf(m)}
		}
	}
	own := l.Settings.PreferredLanguage
	langs := []string{own}
	for _, lang := range templates.Languages() {
		if lang != own {
			langs = append(langs, lang)
		}
	}
	return langs
}

// maxSubaddress is the room that a local part has (RFC 5321, section 4.5.3.1.1).
const maxSubaddress = 64

// confirmation is a letter that carries a token. An answer to it confirms; where the list's name leaves no room for the token
// in the address, the answer goes to -request and the Subject carries the token.
func (w *Workflow) confirmation(tx *storage.Tx, r Request, p *list.Pending, token, name string) Letter {
	le := Letter{List: r.List, To: r.Address, Name: name, InReplyTo: r.InReplyTo, Unasked: !r.Verified, Args: map[string]string{
		"confirm": w.Site.URL + "/-/confirm/" + token,
		"expires": p.Expires.In(w.Site.Location).Format("2006-01-02 15:04 MST"),
		"never":   w.neverURL(tx, r.Address),
		"mark":    "",
		"list":    Titles(tx, p, r.List),
	}}
	if suffix := "confirm+" + token; len(r.List.Address.Local())+1+len(suffix) <= maxSubaddress {
		le.ReplyTo = r.List.Suffixed(suffix)
	} else {
		le.ReplyTo = r.List.Suffixed("request")
		le.Args["mark"] = " (confirm " + token + ")"
	}
	return le
}

// tell is a result whose only work is a mail to who asked, as long as that does not become too many.
func (w *Workflow) tell(tx *storage.Tx, r Request, s State, name string) (Result, error) {
	res := Result{State: s, List: r.List}
	ok, err := MayAnswer(tx, r, r.Address)
	if err != nil || !ok {
		return res, err
	}
	n, err := w.Letter(tx, Letter{List: r.List, To: r.Address, Name: name, InReplyTo: r.InReplyTo})
	res.Mails = append(res.Mails, n)
	return res, err
}

// held gives a request to the moderators.
func (w *Workflow) held(tx *storage.Tx, r Request, p *list.Pending, action string) (Result, error) {
	if !w.Moderators.Room(tx, r.List) {
		return Result{State: Full, List: r.List}, nil
	}
	res, err := w.tell(tx, r, HeldState, "held-"+action)
	res.Held = []Held{{List: r.List, Address: r.Address, Name: r.Name, Mode: r.Mode, Action: action, told: res.Mails, pending: p}}
	res.Mails = nil
	return res, err
}

// passage is how somebody came or went.
type passage struct {
	state  State
	lang   string    // of who left; "" is looked up
	mail   bool      // whether to tell the person
	name   string    // of that mail
	text   list.Text // the list's own words in it
	back   string    // the way back, for who left
	owners string    // the mail to the owners
}

// passed tells person and owners of a passage, as the settings want.
func (w *Workflow) passed(tx *storage.Tx, r Request, p passage) (Result, error) {
	res := Result{State: p.state, List: r.List}
	lang := p.lang
	if lang == "" {
		lang = languages(tx, r.List, r.Address)[0]
	}
	mail, mayAnswer := p.mail, true
	if r.Tell != nil {
		mail = *r.Tell
	}
	var err error
	if r.Verified { // whoever joins and leaves in a circle
		if mayAnswer, err = MayAnswer(tx, r, r.Address); err != nil {
			return res, err
		}
	}
	if mail && mayAnswer {
		args := map[string]string{"text": paragraph(p.text.In(lang)), "back": p.back}
		n, err := w.Letter(tx, Letter{List: r.List, To: r.Address, Name: p.name, Lang: lang, InReplyTo: r.InReplyTo, Args: args})
		if err != nil {
			return res, err
		}
		res.Mails = append(res.Mails, n)
	}
	if !r.List.Settings.AdminNotifyMchanges || r.Many {
		return res, nil
	}
	if ok, err := spend(tx, []counter{{"owners " + string(r.List.ID), ownersNotices}}, r.Now); err != nil || !ok {
		return res, err
	}
	for _, m := range list.Members(tx, r.List.ID, list.RoleOwner, "") {
		n, err := w.Letter(tx, Letter{List: r.List, To: m.Address, Name: p.owners, Unasked: true, Args: map[string]string{"who": r.Address.String()}})
		if err != nil {
			return res, err
		}
		res.Mails = append(res.Mails, n)
	}
	return res, nil
}

// paragraph is a list's own text as it stands in a mail.
func paragraph(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return ""
	}
	return s + "\n\n"
}
