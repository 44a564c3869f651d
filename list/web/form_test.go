package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestTooLarge: what is larger than a page takes is refused with words, and a page that takes little reads little.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for path, bytes := range map[string]int{
		"/-/my/list/janog": maxForm, "/-/my/addresses": maxForm, "/-/login": maxForm, "/-/join/janog": maxForm, "/-/moderate": maxForm, "/-/admin/janog/bans": maxForm,
		"/-/admin/janog/settings": maxSettingsForm, "/-/admin/janog/texts/welcome": maxTextForm, "/-/held/" + e.token["held"]: maxForm,
	} {
		who := e.who["own"]
		if path == "/-/my/list/janog" {
			who = e.who["ann"]
		}
		res := e.do("POST", path, url.Values{"x": {strings.Repeat("x", bytes)}}.Encode(), who, "Accept-Language: en")
		if page := bodyOf(t, res); res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(page, "nothing was changed") {
			t.Errorf("%d bytes to %s: %s\n%s", bytes, path, res.Status, page)
		}
	}
	res := e.do("POST", "/-/message/janog/1@id.test/1/join", "to="+strings.Repeat("x", largestBody), e.who["mod"])
	if res.StatusCode == http.StatusInternalServerError || len(res.Header.Get("Location")) > 1000 {
		t.Errorf("more than any page takes: %s", res.Status)
	}
}
