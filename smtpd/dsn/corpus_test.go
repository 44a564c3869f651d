package dsn

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kairan/smtpd/message"
)

// TestCorpus measures the recogniser on mail that is not ours to publish. KAIRAN_CORPUS names a folder of *.eml
// files. A file want.tsv in it may give, after a name and a tab, what a file should come to: for each recipient, with
// commas between, the classes that are right, with "|" between, or a kind ("complaint", "vacation", "delivered",
// "delayed", "other"), or "*" for any bounce. KAIRAN_CORPUS_MISSES=1 lists what came out otherwise.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("KAIRAN_CORPUS")
	if dir == "" {
		t.Skip("KAIRAN_CORPUS is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.eml in %s (%v)", dir, err)
	}
	wants := readWants(t, filepath.Join(dir, "want.tsv"))
	rows := map[string]*struct{ files, recognised, right, blamed int }{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r := Recognise(message.Parse(raw))
		want := wants[filepath.Base(f)]
		key, _, _ := strings.Cut(want, ",")
		key, _, _ = strings.Cut(key, "|")
		if key == "" {
			key = "(unlabelled)"
		}
		if rows[key] == nil {
			rows[key] = &struct{ files, recognised, right, blamed int }{}
		}
		row := rows[key]
		row.files++
		if r.Kind != Other {
			row.recognised++
		}
		if blamed(r, want) {
			row.blamed++
		}
		if right(r, want) {
			row.right++
		} else if os.Getenv("KAIRAN_CORPUS_MISSES") != "" {
			t.Logf("%s: want %s, got %s", filepath.Base(f), want, summary(r))
		}
	}
	fmt.Printf("%-14s %6s %10s %6s %6s\n", "wanted", "files", "recognised", "right", "blamed")
	for _, k := range slices.Sorted(maps.Keys(rows)) {
		fmt.Printf("%-14s %6d %10d %6d %6d\n", k, rows[k].files, rows[k].recognised, rows[k].right, rows[k].blamed)
	}
}

func readWants(t *testing.T, name string) map[string]string {
	wants := map[string]string{}
	raw, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return wants
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if cols := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(cols) > 1 {
			wants[cols[0]] = cols[1]
		}
	}
	return wants
}

// right reports whether a report is what was wanted. A report that names fewer recipients is right if those are.
func right(r Report, want string) bool {
	switch want {
	case "", "*":
		return r.Kind != Other
	}
	wants := strings.Split(want, ",")
	if slices.Contains(strings.Split(wants[0], "|"), string(r.Kind)) {
		return true
	}
	if r.Kind != Bounce && r.Kind != Delayed {
		return false
	}
	for n, w := range wants {
		got := string(r.Class)
		if n < len(r.Recipients) {
			got = string(r.Recipients[n].Class)
		}
		if w != "*" && !slices.Contains(strings.Split(w, "|"), got) {
			return false
		}
	}
	return true
}

// blamed reports whether the only recipient is taken for gone or full when neither is right.
func blamed(r Report, want string) bool {
	if want == "" || strings.Contains(want, "*") || strings.Contains(want, "gone") || strings.Contains(want, "full") {
		return false
	}
	return r.Kind == Bounce && (r.Class == Gone || r.Class == Full)
}

func summary(r Report) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s %s/%s", r.Kind, r.Format, r.Class, r.Reason)
	for _, c := range r.Recipients {
		fmt.Fprintf(&out, "\n\t<%s> <%s> %s %s %q -> %s/%s", c.Address, c.Original, c.Action, c.Status, c.Diagnostic, c.Class, c.Reason)
	}
	return out.String()
}
