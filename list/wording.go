package list

import (
	"errors"
	"iter"
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

// SetWording gives a mail other words. It returns an error that names what is wrong with them.
func SetWording(tx *storage.Tx, set *templates.Set, w Wording) error {
	if err := set.Check(w.Name, w.Lang, templates.Wording{Subject: w.Subject, Body: w.Body}); err != nil {
		return err
	}
	return wordings.Put(tx, w.key(), w)
}

// UnsetWording gives a mail its former words back: the site's, or the built-in ones. It returns storage.ErrNotFound if it had no others.
func UnsetWording(tx *storage.Tx, l ID, name, lang string) error {
	k := storage.P(l, storage.P(name, lang))
	if !wordings.Has(tx, k) {
		return storage.ErrNotFound
	}
	return wordings.Delete(tx, k)
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

// GetWording returns the words for a mail about l (nil for none): the list's, else the site's. It returns
// storage.ErrNotFound where the built-in ones hold.
func GetWording(tx *storage.Tx, l *List, name, lang string) (Wording, error) {
	var w Wording
	err := storage.ErrNotFound
	if l != nil {
		w, err = wordings.Get(tx, storage.P(l.ID, storage.P(name, lang)))
	}
	if errors.Is(err, storage.ErrNotFound) {
		w, err = wordings.Get(tx, storage.P(ID(""), storage.P(name, lang)))
	}
	w.Name, w.Lang = name, lang
	return w, err
}

// Write writes a mail about a list in the words that hold there: the list's, else the site's, else the built-in ones. Words that
// no longer fit the mail, because a later program fills in other placeholders, are passed over: no mail fails because of them.
func Write(tx *storage.Tx, set *templates.Set, l *List, name, lang string, args map[string]string) (subject, body string, err error) {
	w, err := GetWording(tx, l, name, lang)
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
