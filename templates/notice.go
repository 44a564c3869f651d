package templates

import (
	"net/http"
	"strconv"
)

// Notice answers with the page of an HTTP status: 400, 403, 404, 405, 413, 429, or for any other that we failed.
// Where the frame names a list, 403 means that its archive is for members and offers to sign in.
func (s *Set) Notice(w http.ResponseWriter, r *http.Request, status int, f Frame) error {
	key := "error"
	var view Notice
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed:
		key = "bad"
	case http.StatusForbidden:
		key = "bad"
		if f.List.Title != "" {
			key, view.SignIn = "forbidden", "/-/login"
		}
	case http.StatusNotFound:
		key = "not-found"
	case http.StatusRequestEntityTooLarge:
		key = "too-large"
	case http.StatusTooManyRequests:
		key = "busy"
		if w.Header().Get("Retry-After") == "" {
			w.Header().Set("Retry-After", strconv.Itoa(60))
		}
	}
	f.Title = s.T(f.Lang, "notice."+key+"-title")
	view.Text = s.T(f.Lang, "notice."+key, "list", f.List.Title)
	return s.Serve(w, r, Reply{Status: status, Page: "notice", Frame: f, View: view})
}
