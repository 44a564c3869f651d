package web

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/storage"
)

const oneClick = "List-Unsubscribe=One-Click"

func TestOneClickInBothForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	form.WriteField("List-Unsubscribe", "One-Click")
	form.Close()
	for addr, body := range map[string][2]string{
		"ann@example.jp":  {"application/x-www-form-urlencoded", oneClick},
		"bob@example.com": {form.FormDataContentType(), b.String()},
	} {
		token := w.join(l, addr)
		r := httptest.NewRequest("POST", "/-/u/"+token, strings.NewReader(body[1]))
		r.Header.Set("Content-Type", body[0])
		r.Header.Set("Sec-Fetch-Site", "cross-site") // web mail may send it from the reader's browser
		r.Header.Set("Origin", "https://mail.example.com")
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK || w.isMember(l, addr) || len(rec.Result().Cookies()) > 0 || rec.Header().Get("Location") != "" {
			t.Errorf("%s with %s: %d %v, member %v", addr, body[0], rec.Code, rec.Header(), w.isMember(l, addr))
		}
	}
	if len(w.left) != 2 {
		t.Errorf("the mails with the way back: %v", w.left)
	}
}

func TestUnsubscribeByHandAndUndo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	token := w.join(l, "ann@example.jp")
	path := "/-/u/" + token

	code, page := w.get(path + "?lang=en")
	if code != http.StatusOK || !w.isMember(l, "ann@example.jp") {
		t.Fatalf("GET = %d, member %v", code, w.isMember(l, "ann@example.jp"))
	}
	has(t, page, `name="List-Unsubscribe" value="One-Click"`, "JANOG", "a…@example.jp")
	hasNot(t, page, "ann@example.jp")

	res := w.do("POST", path, oneClick, "Accept-Language: en")
	b, _ := io.ReadAll(res.Body)
	undo := "/-/undo/" + list.UndoToken(token)
	has(t, string(b), "You have left", `action="`+undo+`"`)
	code, page = w.get(path + "?lang=en")
	if code != http.StatusOK {
		t.Errorf("the address after leaving: %d", code)
	}
	has(t, page, "Already left", `action="`+undo+`"`)

	if res := w.do("POST", path, oneClick); res.StatusCode != http.StatusOK || len(w.left) != 1 {
		t.Errorf("leaving twice: %d, mails %v", res.StatusCode, w.left)
	}
	if _, page := w.get(undo); w.isMember(l, "ann@example.jp") || !strings.Contains(page, `action="`+undo+`"`) {
		t.Error("opening the link of the mail acts, or shows no button")
	}
	res = w.do("POST", undo, "", "Accept-Language: en")
	b, _ = io.ReadAll(res.Body)
	has(t, string(b), "You are a member again")
	err := w.db.View(t.Context(), func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, parse(t, "ann@example.jp"))
		if err == nil && (!m.NoOwnPosts || m.Token != token) {
			t.Errorf("settings after the undo: %+v", m)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if res := w.do("POST", undo, ""); res.StatusCode != http.StatusOK {
		t.Errorf("undo twice: %d", res.StatusCode)
	}
	w.do("POST", path, oneClick) // and the link still works
	if w.isMember(l, "ann@example.jp") {
		t.Error("the link does nothing after an undo")
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestUndoOnlyWhatTheLinkDid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	undo := func(token string) { w.do("POST", "/-/undo/"+list.UndoToken(token), "") }

	removed := w.join(l, "removed@example.com")
	w.update(func(tx *storage.Tx) error {
		return list.Leave(tx, l.ID, list.RoleMember, parse(t, "removed@example.com"), time.Now())
	})
	if undo(removed); w.isMember(l, "removed@example.com") {
		t.Error("one whom an owner removed comes back by the link")
	}
	if _, page := w.get("/-/u/" + removed); strings.Contains(page, "/-/undo/") {
		t.Error("an undo is offered that does not work")
	}

	late := w.join(l, "late@example.com")
	w.update(func(tx *storage.Tx) error {
		_, _, err := list.LeaveByToken(tx, late, time.Now().AddDate(0, 0, -list.UndoDays).Add(-time.Second))
		return err
	})
	if undo(late); w.isMember(l, "late@example.com") {
		t.Error("the undo works after its days are over")
	}

	bad := w.join(l, "bad@example.com")
	w.do("POST", "/-/u/"+bad, oneClick)
	s := l.Settings
	s.BanList = []string{"bad@example.com"}
	w.update(func(tx *storage.Tx) error {
		_, err := list.Change(tx, l.ID, s, list.Edit{})
		return err
	})
	if undo(bad); w.isMember(l, "bad@example.com") {
		t.Error("one who was banned comes back by the undo")
	}
}

func TestUnsubscribeRefusesNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.list("janog")
	path := "/-/u/" + w.join(l, "ann@example.jp")
	for _, c := range []struct {
		path, body, kind string
		want             int
	}{
		{path, "", "application/x-www-form-urlencoded", http.StatusBadRequest},
		{path, "List-Unsubscribe=Other", "application/x-www-form-urlencoded", http.StatusBadRequest},
		{path, oneClick, "text/plain", http.StatusBadRequest},
		{path, "--x\r\nbroken", "multipart/form-data; boundary=x", http.StatusBadRequest},
		{path, oneClick + "&x=" + strings.Repeat("y", 5<<10), "application/x-www-form-urlencoded", http.StatusBadRequest},
		{path + "?" + oneClick, "", "application/x-www-form-urlencoded", http.StatusBadRequest},
		{"/-/u/" + list.NewToken(), oneClick, "application/x-www-form-urlencoded", http.StatusNotFound},
		{"/-/u/x", oneClick, "application/x-www-form-urlencoded", http.StatusNotFound},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		if rec.Code != c.want {
			t.Errorf("%.40q as %s = %d, want %d", c.body, c.kind, rec.Code, c.want)
		}
	}
	if !w.isMember(l, "ann@example.jp") {
		t.Error("nonsense made a member leave")
	}
}

func TestLeaveByMailPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.list("janog")
	_, page := w.get("/-/leave/janog")
	has(t, page, "mailto:janog-leave@lists.example.jp")
}
