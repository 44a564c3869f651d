package list

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"kairan/storage"
	"kairan/templates"
)

// Wording is the words of a mail that the site ("" for List) or a list writes itself, in one language.
type Wording struct {
	List    ID        `json:"-"`
	Name    string    `json:"-"` // of the mail in templates/mail
	Lang    string    `json:"-"`
	Subject string    `json:"subject"`
	Body    string    `json:"body"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

type wordingKey = storage.Pair[ID, storage.Pair[string, string]]

var wordings = storage.NewTable[wordingKey, Wording]("wordings", storage.Pairs(listID, storage.Pairs(text, text)))

func (w *Wording) key() wordingKey { return storage.P(w.List, storage.P(w.Name, w.Lang)) }

// Tidy returns the words with lines ended by LF, the text with one of them at its end.
func (w Wording) Tidy() Wording {
	w.Subject = strings.TrimSpace(w.Subject)
	if w.Body = strings.TrimRight(strings.ReplaceAll(w.Body, "\r\n", "\n"), "\n "); w.Body != "" {
		w.Body += "\n"
	}
	return w
}

// SetWording gives a mail other words. Words that hold without being its own are no other words. It returns
// [templates.Faults] that say what is wrong with them.
func SetWording(tx *storage.Tx, set *templates.Set, w Wording) error {
	w = w.Tidy()
	words := templates.Wording{Subject: w.Subject, Body: w.Body}
	if err := set.Check(w.Name, w.Lang, words); err != nil {
		return err
	}
	if w.List != "" && templates.ForSite(w.Name) {
		return fmt.Errorf("mail %s is the site's: no list has words of its own for it", w.Name)
	}
	if former := formerWording(tx, set, w); former == words {
		err := UnsetWording(tx, w)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	}
	if old, err := wordings.Get(tx, w.key()); err == nil && old.Subject == w.Subject && old.Body == w.Body {
		return nil
	}
	return errors.Join(wordings.Put(tx, w.key(), w), Log(tx, w.List, w.event("changed")))
}

// formerWording are the words that a mail has without own ones: the site's, or the built-in ones.
func formerWording(tx *storage.Tx, set *templates.Set, w Wording) templates.Wording {
	if w.List != "" {
		if site, err := wordings.Get(tx, storage.P(ID(""), storage.P(w.Name, w.Lang))); err == nil {
			return templates.Wording{Subject: site.Subject, Body: site.Body}
		}
	}
	builtIn, _ := set.Wording(w.Name, w.Lang)
	return builtIn
}

// UnsetWording gives the mail that w names its former words back: the site's, or the built-in ones. It returns storage.ErrNotFound
// if it had no others.
func UnsetWording(tx *storage.Tx, w Wording) error {
	if !wordings.Has(tx, w.key()) {
		return storage.ErrNotFound
	}
	return errors.Join(wordings.Delete(tx, w.key()), Log(tx, w.List, w.event("reset")))
}

func (w *Wording) event(what string) Event {
	return Event{At: w.At, Stage: "words", By: w.By, Word: "words." + what, Args: map[string]string{"mail": w.Name, "lang": w.Lang}}
}

// Wordings yields the mails that a list, or with "" the site, has other words for.
func Wordings(tx *storage.Tx, l ID) iter.Seq[Wording] {
	return func(yield func(Wording) bool) {
		for k, w := range storage.Under(tx, wordings, listID, l) {
			w.List, w.Name, w.Lang = k.A, k.B.A, k.B.B
			if !yield(w) {
				return
			}
		}
	}
}

// GetWording returns the words for a mail about l (nil for the site): the list's, else the site's, else the built-in ones, which are
// nobody's. It returns storage.ErrNotFound where there is no such mail.
func GetWording(tx *storage.Tx, set *templates.Set, l *List, name, lang string) (Wording, error) {
	w, err := ownWording(tx, l, name, lang)
	if errors.Is(err, storage.ErrNotFound) {
		builtIn, ok := set.Wording(name, lang)
		if !ok {
			return w, err
		}
		w.Subject, w.Body, err = builtIn.Subject, builtIn.Body, nil
	}
	return w, err
}

// ownWording returns the words that the list, or else the site, writes itself, or storage.ErrNotFound.
func ownWording(tx *storage.Tx, l *List, name, lang string) (Wording, error) {
	at := Wording{Name: name, Lang: lang}
	if l != nil && !templates.ForSite(name) {
		at.List = l.ID
	}
	w, err := wordings.Get(tx, at.key())
	if errors.Is(err, storage.ErrNotFound) && at.List != "" {
		at.List = ""
		w, err = wordings.Get(tx, at.key())
	}
	w.List, w.Name, w.Lang = at.List, name, lang
	return w, err
}

// Write writes a mail about a list in the words that hold there: the list's, else the site's, else the built-in ones. Words that
// no longer fit the mail, because a later program fills in other placeholders, are passed over: no mail fails because of them.
func Write(tx *storage.Tx, set *templates.Set, l *List, name, lang string, args map[string]string) (subject, body string, err error) {
	w, err := ownWording(tx, l, name, lang)
	if err == nil {
		if subject, body, err = set.MailAs(name, templates.Wording{Subject: w.Subject, Body: w.Body}, args); err == nil {
			return subject, body, nil
		}
	} else if !errors.Is(err, storage.ErrNotFound) {
		return "", "", err
	}
	return set.Mail(name, lang, args)
}

// forgetWordings removes those of a list.
func forgetWordings(tx *storage.Tx, l ID) error {
	for k := range storage.Under(tx, wordings, listID, l) {
		if err := wordings.Delete(tx, k); err != nil {
			return err
		}
	}
	return nil
}
