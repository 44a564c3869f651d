package templates

import (
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed html mail static locale
var files embed.FS

// LastResort is the language of what is said where nobody's is known, and of errors and records.
const LastResort = "en"

// Languages returns the languages there are, in the order in which pages name them.
func Languages() []string { return []string{"ja", LastResort} }

// CheckLanguage returns what is wrong with a language code that people give.
func CheckLanguage(lang string) error {
	if slices.Contains(Languages(), lang) {
		return nil
	}
	return fmt.Errorf("language %q is none of %s", lang, strings.Join(Languages(), ", "))
}

// Set is all pages, mails and words, ready to be filled in. It is safe for concurrent use.
type Set struct {
	words  map[string]words           // by language
	pages  map[string]map[string]page // by language, then by page
	mails  map[string]mail            // by NAME.LANG
	assets map[string]*asset          // by name without hash

	buffers sync.Pool         // of *bytes.Buffer
	zips    chan *gzip.Writer // those at rest, nil for one that was not needed yet
}

// page returns the template of a page, which is parsed when it is asked for first: all in all languages take a dozen megabytes.
type page func() (*template.Template, error)

// New parses what is embedded, pages apart. An error is a mistake in the source.
func New() (*Set, error) {
	s := &Set{words: map[string]words{}, pages: map[string]map[string]page{}, zips: make(chan *gzip.Writer, compressors)}
	for range compressors {
		s.zips <- nil
	}
	var err error
	if s.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if s.mails, err = readMails(); err != nil {
		return nil, err
	}
	for _, lang := range Languages() {
		if s.words[lang], err = readWords(lang); err != nil {
			return nil, err
		}
		if s.pages[lang], err = s.parsePages(lang); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// parsePages returns every page, to be parsed with its words already bound to one language.
func (s *Set) parsePages(lang string) (map[string]page, error) {
	base := template.New("frame.html").Option("missingkey=error").Funcs(template.FuncMap{
		"t":          func(key string, args ...any) (string, error) { return s.words[lang].text(key, args) },
		"static":     s.StaticURL,
		"cells":      part(lang, s.words[lang], cells),
		"alternates": part(lang, s.words[lang], alternates),
		"crumbs":     part(lang, s.words[lang], crumbs),
		"forms":      part(lang, s.words[lang], forms),
		"message": func(m Message, url string) (template.HTML, error) {
			return part(lang, s.words[lang], func(w *writer, m Message) { message(w, m, url) })(m)
		},
		"monthThreads": part(lang, s.words[lang], monthThreads),
		"outline":      part(lang, s.words[lang], outline),
		"post":         part(lang, s.words[lang], threadPost),
		"inc":          func(i int) int { return i + 1 },
		"lang":         func(text any) template.HTMLAttr { return langAttribute(lang, text) },
	})
	parts, err := fs.Glob(files, "html/parts/*.html")
	if err != nil {
		return nil, err // unreachable: the pattern is well formed
	}
	for _, file := range append(parts, "html/frame.html") {
		if err := s.parseFile(base, lang, file); err != nil {
			return nil, err
		}
	}
	names, err := fs.Glob(files, "html/*.html")
	if err != nil {
		return nil, err // unreachable: the pattern is well formed
	}
	pages := map[string]page{}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "frame" {
			continue
		}
		pages[name] = sync.OnceValues(func() (*template.Template, error) {
			t, err := base.Clone()
			if err == nil {
				err = s.parseFile(t, lang, file)
			}
			return t, err
		})
	}
	return pages, nil
}

// fixed is a call whose outcome is the same whenever a page is written: words without parameters, the address of a static file, and
// the buttons that choose the language.
var fixed = regexp.MustCompile(`\{\{(t|static|languages)(?: "([^"]*)")?\}\}`)

// parseFile adds a file to a page. What is fixed is put in here, once.
func (s *Set) parseFile(page *template.Template, lang, file string) error {
	b, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	text := fixed.ReplaceAllStringFunc(string(b), func(call string) string {
		m := fixed.FindStringSubmatch(call)
		var text string
		var callErr error
		switch m[1] {
		case "t":
			text, callErr = s.words[lang].text(m[2], nil)
		case "static":
			text, callErr = s.StaticURL(m[2])
		default:
			return languageButtons(lang)
		}
		err = errors.Join(err, callErr)
		return template.HTMLEscapeString(text)
	})
	if err == nil {
		if name := path.Base(file); name != page.Name() {
			page = page.New(name)
		}
		_, err = page.Parse(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Page writes a whole page in the frame's language. view is the page's view model, as views.go names them.
func (s *Set) Page(w io.Writer, name string, f Frame, view any) error {
	page, ok := s.pages[s.known(f.Lang)][name]
	if !ok {
		return fmt.Errorf("no page %q", name)
	}
	t, err := page()
	if err == nil {
		f.View = view
		err = t.Execute(w, &f)
	}
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return nil
}

// T returns the words of a key. args are pairs of a parameter's name and its value; the parameter n chooses between
// singular and plural. A key that is not there is returned as it is, which a test makes sure does not happen.
func (s *Set) T(lang, key string, args ...any) string {
	text, err := s.words[s.known(lang)].text(key, args)
	if err != nil {
		return key
	}
	return text
}

// Has reports whether the language has words for key.
func (s *Set) Has(lang, key string) bool {
	_, ok := s.words[lang][key]
	return ok
}

// Reasons returns the names for which there are the words "reason.NAME.title": why a post is held or refused.
func (s *Set) Reasons() []string {
	var names []string
	for key := range s.words[LastResort] {
		if name, ok := strings.CutPrefix(key, "reason."); ok && strings.HasSuffix(name, ".title") {
			names = append(names, strings.TrimSuffix(name, ".title"))
		}
	}
	slices.Sort(names)
	return names
}

// known returns lang if there is such a language, else the one of last resort.
func (s *Set) known(lang string) string {
	if _, ok := s.words[lang]; ok {
		return lang
	}
	return LastResort
}
