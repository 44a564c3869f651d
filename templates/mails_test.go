package templates

import (
	"slices"
	"testing"
)

// Every mail stands in one group, and it and all that is filled in is described in both languages.
func TestMailsAreDescribed(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	var grouped []string
	for _, g := range MailGroups() {
		grouped = append(grouped, g.Mails...)
		for _, lang := range Languages() {
			if !s.Has(lang, "texts.group."+g.Name) {
				t.Errorf("%s: no words for group %s", lang, g.Name)
			}
		}
	}
	slices.Sort(grouped)
	if !slices.Equal(grouped, s.Mails()) {
		t.Errorf("grouped are %v, there are %v", grouped, s.Mails())
	}
	for _, lang := range Languages() {
		for _, mail := range s.Mails() {
			args := map[string]string{}
			for _, key := range []string{"text.mail.", "text.when."} {
				if !s.Has(lang, key+mail) {
					t.Errorf("%s: no words for %s%s", lang, key, mail)
				}
			}
			for _, p := range s.DescribePlaceholders(mail, lang) {
				for _, key := range []string{"text.means.", "text.sample."} {
					if !s.Has(lang, key+p.Name) && !s.Has(lang, key+mail+"."+p.Name) {
						t.Errorf("%s: no words for %s of mail %s", lang, key+p.Name, mail)
					}
				}
				args[p.Name] = p.Sample
			}
			if _, _, err := s.Mail(mail, lang, args); err != nil {
				t.Error(err)
			}
		}
	}
}
