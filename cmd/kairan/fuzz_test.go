package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"kairan/list"
)

// FuzzSettings: whatever a settings file holds, reading it gives settings that can be written and read again, or an error.
func FuzzSettings(f *testing.F) {
	var text bytes.Buffer
	if err := writeSettings(&text, list.DefaultSettings("ja")); err != nil {
		f.Fatal(err)
	}
	f.Add(text.String())
	f.Add("subject_prefix = '[a:%05d] '\n[[header_matches]]\nheader = 'X-Spam'\npattern = 'yes'\naction = 'hold'\n")
	f.Add("description = { ja = '回覧', en = 'x' }")
	f.Add("emergency = 'yes'")
	f.Add("[list_id]\nx = 1")
	f.Fuzz(func(t *testing.T, text string) {
		s := list.DefaultSettings("en")
		if (setting{where: "fuzz", text: text}).apply(&s) != nil || s.Check() != nil {
			return
		}
		var out bytes.Buffer
		if err := writeSettings(&out, s); err != nil {
			t.Fatalf("%v\n%+v", err, s)
		}
		again := list.DefaultSettings("en")
		if err := (setting{where: "again", text: out.String()}).apply(&again); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		var out2 bytes.Buffer
		if err := writeSettings(&out2, again); err != nil || !bytes.Equal(out.Bytes(), out2.Bytes()) {
			t.Fatalf("%v\n%s\n%s", err, &out, &out2)
		}
	})
}

// FuzzConfig: a configuration file gives a configuration or an error, and never a panic.
func FuzzConfig(f *testing.F) {
	f.Add("hostname = 'lists.example.jp'\ndata = 'd'\nurl = 'https://lists.example.jp'\nadmin = 'a@example.jp'\n")
	f.Add("[smtp]\nlisten = ['127.0.0.1:25', 'unix:/run/s']\n")
	f.Add("smtp.listen = 1")
	f.Add("a")
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "kairan.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := loadConfig(file)
		if (c == nil) == (err == nil) {
			t.Fatalf("%+v, %v", c, err)
		}
		if c != nil && reflect.DeepEqual(c, defaultConfig()) {
			t.Fatal("a configuration without a host name is taken")
		}
	})
}
