package templates

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Frame is what surrounds a page.
type Frame struct {
	Lang    string     // language of the page
	Title   string     // of the page, without the site's name
	Site    string     // the site's name
	URL     string     // of the site, without a slash at its end
	Path    string     // path and query of the page, to come back to after choosing a language
	User    string     // the address signed in, "" for a stranger
	List    ListHead   // the list that the page belongs to; its zero value for none
	Crumbs  []Link     // the way from the list's page to this one, without this one
	Private bool       // only for this reader: never stored by caches
	Noindex bool       // not for search engines
	Static  bool       // an exported page, which stands by itself: without forms, scripts, or what needs the server
	Forms   []Form     // other forms of the page
	Tabs    []PageLink // the pages about a list for those who run it
	Nav     []Link     // for who is signed in: its own page, and what else it may do
	Flash   Flash      // what was done on the page before
	Preview string     // beginning of what is on the page, for who shares its address; "" for what is not for everybody
	Script  string     // a script of the page's own, which may ask this site; "" for none
	View    any        // what the page shows; [Set.Page] sets it
}

// SignIn is where a stranger signs in, to come back here; "" on the pages of signing in.
func (f Frame) SignIn() string {
	if f.User != "" || strings.HasPrefix(f.Path, "/-/login") {
		return ""
	}
	return "/-/login?" + url.Values{"to": {f.Path}}.Encode()
}

// ListHead names the list a page belongs to.
type ListHead struct {
	Title string
	Href  string
}

// Form is another form of a page: a feed, a download, or the page for programs.
type Form struct {
	Type string // media type
	Link
}

// Media types of [Form].
const (
	Atom = "application/atom+xml"
	Gzip = "application/gzip"
	JSON = "application/json"
)

// alternates writes the other forms of a page into its head.
func alternates(w *writer, forms []Form) {
	for _, f := range forms {
		w.between("\n"+`<link rel="alternate" type="`, f.Type, `" href="`)
		w.between("", f.Href, `" title="`)
		w.between("", f.Text, `">`)
	}
}

// forms writes links to the other forms of a page.
func forms(w *writer, forms []Form) {
	for _, f := range forms {
		w.between(`<a href="`, f.Href, `" type="`)
		w.between("", f.Type, `">`)
		w.between("", f.Text, "</a> ")
	}
}

// crumbs writes the way to a page.
func crumbs(w *writer, links []Link) {
	for _, l := range links {
		w.between(`<a href="`, l.Href, `">`)
		w.between("", l.Text, "</a>")
	}
}

// Link is a link with its text.
type Link struct {
	Href, Text string
}

// Language is an entry of the language chooser.
type Language struct {
	Code, Name string
	Current    bool
}

// LanguageNames are the languages there are, by the names that they give themselves.
func LanguageNames() []Language { return languageNames("") }

// languageButtons are the buttons of the form that chooses the language.
func languageButtons(current string) string {
	var w writer
	for _, l := range languageNames(current) {
		w.between(`<button class="quiet" name="lang" value="`, l.Code, `" lang="`)
		w.between("", l.Code, `"`)
		if l.Current {
			w.html(` aria-current="true"`)
		}
		w.between(">", l.Name, "</button>\n")
	}
	return w.String()
}

func languageNames(current string) []Language {
	names := map[string]string{"en": "English", "ja": "日本語"}
	var out []Language
	for _, code := range Languages() {
		out = append(out, Language{Code: code, Name: names[code], Current: code == current})
	}
	return out
}

type frameKey struct{}

// WithFrame returns a context that carries the frame of the request's pages.
func WithFrame(ctx context.Context, f Frame) context.Context {
	return context.WithValue(ctx, frameKey{}, f)
}

// FrameOf returns the frame that the context carries. Without one it is an English page for a stranger.
func FrameOf(ctx context.Context) Frame {
	f, ok := ctx.Value(frameKey{}).(Frame)
	if !ok {
		f.Lang = LastResort
	}
	return f
}

// LanguageCookie is the name of the cookie that keeps a reader's choice.
const LanguageCookie = "lang"

// ChooseLanguage returns the language for a request: that of ?lang=, else of the reader's cookie,
// else the best of Accept-Language, else fallback.
func ChooseLanguage(r *http.Request, fallback string) string {
	if lang := r.URL.Query().Get("lang"); slices.Contains(Languages(), lang) {
		return lang
	}
	if c, err := r.Cookie(LanguageCookie); err == nil && slices.Contains(Languages(), c.Value) {
		return c.Value
	}
	accept := r.Header.Get("Accept-Language")
	if accept == "" || len(accept) > 200 {
		return fallback
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return fallback
	}
	for _, tag := range wanted {
		base, _ := tag.Base()
		if slices.Contains(Languages(), base.String()) {
			return base.String()
		}
	}
	return fallback
}
