package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// maxTextForm is how many bytes of a form with a mail's words are read: two languages, with three for each byte beyond ASCII.
const maxTextForm = 256 << 10

// texts are the pages of the words of mails: a list's for its owners, the site's for the administrator.
func (s *site) texts(mux *routes) {
	for pattern, serve := range map[string]func(http.ResponseWriter, *http.Request, actor, *list.List) error{
		"GET %s/texts":                 s.allTexts,
		"GET %s/texts/{mail}":          s.textForm,
		"POST %s/texts/{mail}":         s.saveText,
		"POST %s/texts/{mail}/unset":   s.unsetText,
		"POST %s/texts/{mail}/preview": s.previewText,
	} {
		mux.HandleFunc(strings.Replace(pattern, "%s", "/-/admin/{list}", 1), s.admins("texts", serve))
		mux.HandleFunc(strings.Replace(pattern, "%s", "/-/site", 1), s.forAdmin(func(w http.ResponseWriter, r *http.Request, a actor) error {
			return serve(w, r, a, nil)
		}))
	}
}

// textsPath is the page of the words of a list's mails, or with nil of the site's.
func textsPath(l *list.List) string {
	if l == nil {
		return "/-/site/texts"
	}
	return adminPath(l, "texts")
}

func textPath(l *list.List, mail string) string { return textsPath(l) + "/" + url.PathEscape(mail) }

func (s *site) textsReply(w http.ResponseWriter, r *http.Request, l *list.List, reply templates.Reply) error {
	if l != nil {
		return s.adminPage(w, r, l, "texts", reply)
	}
	return s.sitePage(w, r, "texts", reply)
}

// allTexts names all mails.
func (s *site) allTexts(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	lang := templates.FrameOf(r.Context()).Lang
	view := templates.Texts{Lead: s.Templates.T(lang, "texts.site-lead")}
	own := map[string][]string{}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		clear(own)
		if l == nil {
			for words := range list.Wordings(tx, "") {
				own[words.Name] = append(own[words.Name], s.Templates.T(lang, "texts.own-"+words.Lang))
			}
			return nil
		}
		for words := range list.Wordings(tx, l.ID) {
			own[words.Name] = append(own[words.Name], s.Templates.T(lang, "texts.own-"+words.Lang))
		}
		for words := range list.Wordings(tx, "") {
			own[words.Name] = append(own[words.Name], s.Templates.T(lang, "texts.site-"+words.Lang))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if l != nil {
		view.Lead = s.Templates.T(lang, "texts.lead", "list", l.Title())
	}
	for _, g := range templates.MailGroups() {
		group := templates.TextGroup{Title: s.Templates.T(lang, "texts.group."+g.Name)}
		for _, mail := range g.Mails {
			if l == nil || !templates.ForSite(mail) {
				group.Rows = append(group.Rows, templates.TextRow{
					Href: textPath(l, mail), Title: s.Templates.T(lang, "text.mail."+mail), When: s.Templates.T(lang, "text.when."+mail), Own: own[mail],
				})
			}
		}
		if len(group.Rows) > 0 {
			view.Groups = append(view.Groups, group)
		}
	}
	return s.textsReply(w, r, l, templates.Reply{Page: "texts", View: view})
}

// theMail returns the mail that a request is about, or storage.ErrNotFound.
func (s *site) theMail(r *http.Request, l *list.List) (string, error) {
	mail := r.PathValue("mail")
	if !slices.Contains(s.Templates.Mails(), mail) || l != nil && templates.ForSite(mail) {
		return "", storage.ErrNotFound
	}
	return mail, nil
}

// textDraft is the words of a mail as a form has them: those of each language, and what is wrong with them.
type textDraft struct {
	mail  string
	words map[string]templates.Wording
	wrong map[string]string // by "PART.LANG"
}

// textForm shows the words that hold.
func (s *site) textForm(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	mail, err := s.theMail(r, l)
	if err != nil {
		return err
	}
	return s.textPage(w, r, l, textDraft{mail: mail})
}

// textPage shows the words that hold or those of a draft, and what the mail looks like with them.
func (s *site) textPage(w http.ResponseWriter, r *http.Request, l *list.List, d textDraft) error {
	f := templates.FrameOf(r.Context())
	path := textPath(l, d.mail)
	view := templates.Text{
		Title: s.Templates.T(f.Lang, "text.mail."+d.mail), When: s.Templates.T(f.Lang, "text.when."+d.mail),
		Back: textsPath(l), Action: path, Placeholders: s.samples(l, d.mail, f.Lang),
	}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Words = nil
		for _, lang := range append([]string{f.Lang}, others(f.Lang)...) {
			now, err := list.GetWording(tx, s.Templates, l, d.mail, lang)
			if err != nil {
				return err
			}
			view.Words = append(view.Words, s.textWords(l, d, f.Lang, now))
		}
		return nil
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(d.wrong) > 0 && !strings.HasSuffix(r.URL.Path, "/preview") {
		status, view.Wrong = http.StatusUnprocessableEntity, true
	}
	return s.textsReply(w, r, l, templates.Reply{Status: status, Page: "text", Frame: templates.Frame{Title: view.Title, Script: "texts.js"}, View: view})
}

// textWords are the words of one language, in the language of the page.
func (s *site) textWords(l *list.List, d textDraft, lang string, now list.Wording) templates.TextWords {
	row := templates.TextWords{
		Lang: now.Lang, Label: s.Templates.T(lang, "text.in-"+now.Lang), Subject: now.Subject, Body: now.Body, Was: textState(now),
		WrongSubject: d.wrong[templates.WordingSubject+"."+now.Lang], WrongBody: d.wrong[templates.WordingBody+"."+now.Lang],
		Origin: s.Templates.T(lang, "text.built-in"),
	}
	if !now.At.IsZero() {
		row.Origin, row.At = s.Templates.T(lang, "text.changed", "by", s.who(lang, now.By)), templates.NewTime(lang, now.At.In(s.Site.Location))
		row.Unset = l == nil || now.List == l.ID
		if !row.Unset {
			row.Origin = s.Templates.T(lang, "text.from-site") + " " + row.Origin
		}
	}
	if typed, ok := d.words[now.Lang]; ok {
		row.Subject, row.Body = typed.Subject, typed.Body
	}
	row.Lines = min(mostLines+5, strings.Count(row.Body, "\n")+2)
	words := templates.Wording{Subject: row.Subject, Body: row.Body}
	if s.Templates.Check(d.mail, now.Lang, words) != nil {
		return row
	}
	args := map[string]string{}
	for _, p := range s.samples(l, d.mail, now.Lang) {
		args[p.Name] = p.Sample
	}
	row.PreviewSubject, row.PreviewIs, _ = s.Templates.MailAs(d.mail, words, args) // words that fit have an argument for each placeholder
	return row
}

// textState names the words that a form was made of.
func textState(w list.Wording) string {
	if w.At.IsZero() {
		return "0"
	}
	return strconv.FormatInt(w.At.UnixNano(), 36)
}

// samples are the placeholders of a mail; what is known of the list stands in them as it is.
func (s *site) samples(l *list.List, mail, lang string) []templates.Placeholder {
	rows := s.Templates.DescribePlaceholders(mail, lang)
	known := map[string]string{"site": s.Site.Hostname}
	if l != nil {
		known["list"], known["posting"] = l.Title(), l.Address.String()
		for _, suffix := range []string{"request", "owner", "join", "leave"} {
			known[suffix] = l.Suffixed(suffix).String()
		}
		if !s.Templates.Has(lang, "text.means."+mail+".url") {
			known["url"] = s.Site.ListURL(l)
		}
	}
	for i, row := range rows {
		rows[i].Sample = cmp.Or(known[row.Name], row.Sample)
	}
	return rows
}

// postedText reads a form with a mail's words, and says what is wrong with them.
func (s *site) postedText(w http.ResponseWriter, r *http.Request, l *list.List) (d textDraft, err error) {
	if d.mail, err = s.theMail(r, l); err != nil {
		return d, err
	}
	form, err := s.formUpTo(w, r, maxTextForm)
	if err != nil {
		return d, err
	}
	d.words, d.wrong = map[string]templates.Wording{}, map[string]string{}
	for _, lang := range templates.Languages() {
		typed := list.Wording{Subject: form.Get("subject." + lang), Body: form.Get("body." + lang)}.Tidy()
		d.words[lang] = templates.Wording{Subject: typed.Subject, Body: typed.Body}
		s.noteText(&d, templates.FrameOf(r.Context()).Lang, lang, s.Templates.Check(d.mail, lang, d.words[lang]))
	}
	return d, nil
}

// noteText keeps what is wrong with the words in a language for their fields.
func (s *site) noteText(d *textDraft, reader, lang string, err error) {
	for _, f := range templates.Faults(err) {
		field := f.Field + "." + lang
		d.wrong[field] = strings.TrimLeft(d.wrong[field]+"\n"+s.Templates.Fault(reader, f), "\n")
	}
}

// previewText shows what mails would look like with the words of a form. It changes nothing.
func (s *site) previewText(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	d, err := s.postedText(w, r, l)
	if err != nil {
		return err
	}
	return s.textPage(w, r, l, d)
}

// saveText gives a mail the words of a form, in both languages or in none.
func (s *site) saveText(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	d, err := s.postedText(w, r, l)
	if err != nil {
		return err
	}
	var changed []list.Wording
	if len(d.wrong) == 0 {
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
			clear(d.wrong)
			if changed, err = s.changedText(tx, r, l, d); err != nil || len(d.wrong) > 0 {
				return err
			}
			for _, words := range changed {
				words.By, words.At = a.address.String(), time.Now()
				if err := list.SetWording(tx, s.Templates, words); err != nil {
					return err
				}
			}
			return nil
		})
	}
	lang, said := templates.FrameOf(r.Context()).Lang, "saved"
	switch {
	case err != nil:
		return err
	case len(d.wrong) > 0:
		return s.textPage(w, r, l, d)
	case len(changed) == 0:
		said = "same"
	}
	return s.done(w, r, textPath(l, d.mail), templates.Flash{Text: s.Templates.T(lang, "text.done-"+said)})
}

// changedText returns the words of a form that differ from those that hold. Where somebody else has changed these since the form was
// made, the draft says so.
func (s *site) changedText(tx *storage.Tx, r *http.Request, l *list.List, d textDraft) (changed []list.Wording, err error) {
	reader := templates.FrameOf(r.Context()).Lang
	for _, lang := range templates.Languages() {
		now, err := list.GetWording(tx, s.Templates, l, d.mail, lang)
		if err != nil {
			return nil, err
		}
		typed := d.words[lang]
		if typed == (templates.Wording{Subject: now.Subject, Body: now.Body}) {
			continue
		}
		if r.PostForm.Get("was."+lang) != textState(now) {
			d.wrong[templates.WordingBody+"."+lang] = s.Templates.T(reader, "text.meanwhile") + "\n\n" + now.Subject + "\n\n" + now.Body
		}
		words := list.Wording{Name: d.mail, Lang: lang, Subject: typed.Subject, Body: typed.Body}
		if l != nil {
			words.List = l.ID
		}
		changed = append(changed, words)
	}
	return changed, nil
}

// unsetText gives a mail its former words back.
func (s *site) unsetText(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	mail, err := s.theMail(r, l)
	if err != nil {
		return err
	}
	form, err := s.formUpTo(w, r, maxTextForm)
	if err != nil {
		return err
	}
	words := list.Wording{Name: mail, Lang: form.Get("lang"), By: a.address.String(), At: time.Now()}
	if l != nil {
		words.List = l.ID
	}
	if !slices.Contains(templates.Languages(), words.Lang) {
		return errNotUnderstood
	}
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) error { return list.UnsetWording(tx, words) })
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	return s.done(w, r, textPath(l, mail), templates.Flash{Text: s.Templates.T(lang, "text.done-unset")})
}
