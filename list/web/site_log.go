package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"kairan/list"
	"kairan/storage"
	"kairan/templates"
)

// stages are what entries of the site's log are about.
var stages = []string{"list", "person", "ban", "queue", "archive", "words"}

// siteLog shows what was decided about the site: "by" and "stage" choose among it, "?p=2" is the page before the latest.
func (s *site) siteLog(w http.ResponseWriter, r *http.Request, _ actor) error {
	page, err := pageNumber(r, 1000)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	by, stage := strings.TrimSpace(r.FormValue("by")), r.FormValue("stage")
	view := templates.SiteLog{By: by}
	for _, name := range stages {
		view.Stages = append(view.Stages, templates.SettingOption{Value: name, Label: s.Templates.T(lang, "log.stage."+name), Chosen: name == stage})
	}
	more := false
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		view.Events, more = nil, false
		n := 0
		for e := range list.LogOf(tx, "") {
			if stage != "" && e.Stage != stage || !strings.Contains(strings.ToLower(e.By+" "+s.who(lang, e.By)), strings.ToLower(by)) {
				continue
			}
			if n++; n > page*eventsShown {
				more = true
				break
			}
			if n > (page-1)*eventsShown {
				view.Events = append(view.Events, s.logEvent(lang, e))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if more {
		q := url.Values{"p": {strconv.Itoa(page + 1)}}
		for name, value := range map[string]string{"by": by, "stage": stage} {
			if value != "" {
				q.Set(name, value)
			}
		}
		view.Older = sitePath("log") + "?" + q.Encode()
	}
	return s.sitePage(w, r, "log", templates.Reply{Page: "site-log", View: view})
}
