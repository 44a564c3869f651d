package list

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every setting is described once, and what a form offers for it is what Check takes.
func TestAllSettings(t *testing.T) {
	t.Parallel()
	var described, there []string
	for _, d := range AllSettings() {
		described = append(described, d.Name)
	}
	typ := reflect.TypeFor[Settings]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		there = append(there, name)
	}
	slices.Sort(described)
	slices.Sort(there)
	if !slices.Equal(described, there) {
		t.Errorf("AllSettings of setting.go describes\n%v\nSettings has\n%v", described, there)
	}
	for _, d := range AllSettings() {
		for _, option := range d.Options {
			if err := with(t, d.Name, option, d.Kind); err != nil {
				t.Errorf("%s = %s: %v", d.Name, option, err)
			}
		}
		if d.Options != nil && with(t, d.Name, "other", d.Kind) == nil {
			t.Errorf("%s may be anything", d.Name)
		}
	}
}

func with(t *testing.T, name, option string, kind Kind) error {
	t.Helper()
	defaults := DefaultSettings("ja")
	defaults.ReplyToAddress = "reply@lists.test"
	v, _ := json.Marshal(option)
	if kind == KindWords {
		v, _ = json.Marshal([]string{option})
	}
	s, err := defaults.With(map[string]json.RawMessage{name: v})
	if err != nil {
		t.Fatal(err)
	}
	return s.Check()
}

// What a form shows of settings, posted back, is the same settings.
func TestSettingParse(t *testing.T) {
	t.Parallel()
	want := DefaultSettings("ja")
	want.DisplayName, want.SubjectPrefix = "JANOG", "[janog:%05d] "
	want.Description = Text{"ja": "回覧", "en": "The main list"}
	want.BanList = []string{"mallory@bad.test", "^.*@spam\\.test$"}
	want.HeaderMatches = []HeaderMatch{{Header: "Subject", Pattern: "^\\[two  spaces\\]", Action: Hold}}
	want.SharedCopies = withoutOneClick()
	want.RejectTexts = map[string]Text{"top": {"ja": "全文引用はお控えください。\n二行目", "en": "Please trim."}, "ad": {"ja": "広告です。"}}
	want.MsgFooter = "-- \n{list} {url}\n"
	want.BounceScoreThreshold = 2.5

	form := map[string][]string{}
	set := func(name string, v any) { form[name] = []string{strings.ReplaceAll(fmt.Sprint(v), "\n", "\r\n")} }
	values, err := want.Values()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range AllSettings() {
		var v any
		if err := json.Unmarshal(values[d.Name], &v); err != nil {
			t.Fatal(err)
		}
		switch d.Kind {
		case KindSwitch:
			if v == true {
				set(d.Name, "on")
			}
		case KindLines:
			set(d.Name, strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", "\n"), "[]<nil>"))
		case KindWords:
			form[d.Name] = want.SharedCopies
		case KindTexts, KindHeaders, KindSaved:
		default:
			if v == nil {
				v = ""
			}
			set(d.Name, v)
		}
	}
	form["ban_list"] = []string{"mallory@bad.test\r\n\r\n  ^.*@spam\\.test$  "}
	set("description.ja", "回覧")
	set("description.en", " The main list ")
	set("header_matches", want.HeaderMatches[0])
	for i, name := range []string{"top", "ad"} {
		set(fmt.Sprintf("reject_texts.%d.name", i), name)
		for lang, text := range want.RejectTexts[name] {
			set(fmt.Sprintf("reject_texts.%d.%s", i, lang), text)
		}
	}

	parsed := map[string]json.RawMessage{}
	for _, d := range AllSettings() {
		if parsed[d.Name], err = d.Parse(func(field string) []string { return form[field] }); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
	empty := Settings{}
	got, err := empty.With(parsed)
	if err != nil {
		t.Fatal(err)
	}
	if changes, err := Diff(&want, &got); err != nil || len(changes) != 0 {
		t.Errorf("%v, %v", changes, err)
	}
	if _, err := empty.With(map[string]json.RawMessage{"emergncy": json.RawMessage("true")}); err == nil {
		t.Error("a setting that is none is taken")
	}
}

func TestSettingParseRefuses(t *testing.T) {
	t.Parallel()
	for field, value := range map[string]string{
		"max_message_size": "2.5", "max_held": "-1", "max_num_recipients": "many", "bounce_score_threshold": "NaN",
		"max_days_to_hold": "99999999999999999999", "header_matches": "hold Subject",
	} {
		for _, d := range AllSettings() {
			if d.Name != field {
				continue
			}
			if v, err := d.Parse(func(string) []string { return []string{value} }); err == nil || !strings.HasPrefix(err.Error(), field+": ") {
				t.Errorf("%s = %q is %s, %v", field, value, v, err)
			}
		}
	}
}
