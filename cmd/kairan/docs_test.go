package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/alecthomas/kong"

	"kairan/list"
	"kairan/storage/storagetest"
)

// TestDocs keeps three pages of docs what the source says; `go test ./cmd/kairan -run Docs -update` writes them.
func TestDocs(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]func(testing.TB) string{"cli": cliPage, "config": configPage, "settings": settingsPage} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storagetest.Golden(t, "../../../docs/"+name+".md", []byte(page(t)))
		})
	}
}

const generated = "This page is made from the source by `go test ./cmd/kairan -run Docs -update`.\n"

// cliPage describes the tree of commands.
func cliPage(t testing.TB) string {
	parser, err := newParser(&commands{}, streams{out: io.Discard, err: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(`# The command line

` + generated + `
A command that needs the store is carried out by the running daemon, over the socket ` + "`kairan.sock`" + ` in the data folder; when no daemon runs, it opens the store itself.
The exit code is 0 when all went well, 1 when something failed, 2 when the command line was wrong.
A list is named by its posting address.
Times are in the site's zone.

These flags go with every command:

`)
	for _, f := range parser.Model.Flags {
		writeFlag(&b, f)
	}
	for _, n := range parser.Model.Leaves(true) {
		fmt.Fprintf(&b, "\n## kairan %s\n\n    kairan %s\n\n%s\n", strings.TrimPrefix(n.FullPath(), "kairan "), strings.TrimPrefix(n.Summary(), "kairan "), n.Help)
		if len(n.Positional)+len(n.Flags) > 0 {
			b.WriteString("\n")
		}
		for _, a := range n.Positional {
			fmt.Fprintf(&b, "* `%s`: %s\n", a.Summary(), a.Help)
		}
		for _, f := range n.Flags {
			writeFlag(&b, f)
		}
	}
	return b.String()
}

func writeFlag(b *strings.Builder, f *kong.Flag) {
	name := f.String()
	if f.Tag.Negatable != "" {
		name = "--[no-]" + f.Name
	}
	fmt.Fprintf(b, "* `%s`: %s", name, f.Help)
	if len(f.Envs) > 0 {
		fmt.Fprintf(b, " Also `%s` in the environment.", f.Envs[0])
	}
	b.WriteString("\n")
}

// field is a field of a struct that a TOML file is read into.
type field struct {
	name, kind, help string
	value            string // its default, in TOML
}

// comments returns the comment of each struct type of a Go file and of each of its fields, by "Type" and "Type.Field".
// A field without one shares that of the field above it.
func comments(t testing.TB, file string) map[string]string {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, d := range parsed.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			s := s.(*ast.TypeSpec)
			st, ok := s.Type.(*ast.StructType)
			if !ok {
				continue
			}
			found[s.Name.Name] = strings.TrimSpace(g.Doc.Text())
			above := ""
			for _, f := range st.Fields.List {
				above = cmp.Or(strings.TrimSpace(f.Doc.Text()), above)
				for _, n := range f.Names {
					found[s.Name.Name+"."+n.Name] = above
				}
			}
		}
	}
	return found
}

// fields describes a struct, without the tables in it.
func fields(t testing.TB, v reflect.Value, help map[string]string) (all []field) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		if name == "" || f.Type.Kind() == reflect.Struct {
			continue
		}
		text := help[v.Type().Name()+"."+f.Name]
		if text == "" {
			t.Errorf("%s.%s has no comment", v.Type().Name(), f.Name)
		}
		all = append(all, field{name: name, kind: kindOf(t, f.Type), help: text, value: tomlValue(t, v.Field(i))})
	}
	return all
}

func kindOf(t testing.TB, f reflect.Type) string {
	if f == reflect.TypeFor[Duration]() {
		return "time"
	}
	switch f.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Map:
		switch f {
		case reflect.TypeFor[Routes]():
			return "table of strings"
		case reflect.TypeFor[map[string]GroupLimits]():
			return "tables"
		}
		return "text by language"
	case reflect.Slice:
		if f.Elem().Kind() == reflect.Struct {
			return "list of tables"
		}
		if f == reflect.TypeFor[Listen]() {
			return "string or list of strings"
		}
		return "list of strings"
	}
	t.Fatalf("a %s in a TOML file", f)
	return ""
}

func tomlValue(t testing.TB, v reflect.Value) string {
	if (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
		return ""
	}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(map[string]any{"x": v.Interface()}); err != nil {
		t.Fatal(err)
	}
	value := strings.TrimSpace(strings.TrimPrefix(b.String(), "x = "))
	if value == strconv.Quote("") {
		return ""
	}
	return value
}

func writeFields(b *strings.Builder, all []field) {
	b.WriteString("| name | type | default | meaning |\n|---|---|---|---|\n")
	for _, f := range all {
		value := "empty"
		if f.value != "" {
			value = "`" + f.value + "`"
		}
		help := strings.NewReplacer("\n", " ", "|", `\|`, "<", `\<`).Replace(f.help)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.name, f.kind, value, help)
	}
}

// configPage describes the configuration file.
func configPage(t testing.TB) string {
	help := comments(t, "config.go")
	maps.Copy(help, comments(t, "config_oidc.go"))
	config := reflect.ValueOf(defaultConfig()).Elem()
	var b strings.Builder
	fmt.Fprintf(&b, "# The configuration file\n\n%s\n", generated)
	b.WriteString("It is TOML: `kairan.toml` in the working folder, else `/etc/kairan/kairan.toml`, or what `-c FILE` or `KAIRAN_CONFIG` names.\n" +
		"`kairan init` writes one, `kairan config` checks it and prints it with every default.\n" +
		"A key that is not listed here is an error. Paths start at the file's folder.\n" +
		"A site needs `hostname`, `data`, `url` and `admin`; all else has a default.\n\n")
	writeFields(&b, fields(t, config, help))
	for i := range config.NumField() {
		f := config.Type().Field(i)
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		_, about, _ := strings.Cut(help[f.Type.Name()], " ")
		fmt.Fprintf(&b, "\n## [%s]\n\nThis %s\n\n", f.Tag.Get("toml"), about)
		writeFields(&b, fields(t, config.Field(i), help))
		for j := range f.Type.NumField() {
			many := f.Type.Field(j)
			if many.Type.Kind() != reflect.Map || many.Type.Elem().Kind() != reflect.Struct {
				continue
			}
			each := many.Type.Elem()
			_, about, _ := strings.Cut(help[each.Name()], " ")
			fmt.Fprintf(&b, "\n## [%s.%s.NAME]\n\nThis %s\n\n", f.Tag.Get("toml"), many.Tag.Get("toml"), about)
			writeFields(&b, fields(t, reflect.New(each).Elem(), help))
		}
	}
	return b.String()
}

// settingsPage describes the settings of a list.
func settingsPage(t testing.TB) string {
	help := comments(t, "../../list/settings.go")
	settings := list.DefaultSettings(defaultConfig().Language)
	var b strings.Builder
	fmt.Fprintf(&b, "# The settings of a list\n\n%s\n", generated)
	b.WriteString("`kairan list show LIST` prints them, `kairan list set LIST NAME=VALUE …` changes some of them.\n" +
		"`kairan list show --toml LIST` writes them as a file, and `kairan list set LIST -f FILE` makes them what the file says: what it leaves out gets its default.\n\n" +
		"Each change is kept with who made it, when and why (`--why`): `kairan list log LIST` tells them, and `kairan list revert LIST N` takes one back.\n" +
		"`kairan list try LIST NAME=VALUE …` says, before anything is changed, which posts of the last 30 days the rules would have decided otherwise.\n" +
		"A change that may shut somebody out can be made with `--within 10m`: unless `kairan list keep LIST` keeps it, it falls back after that time, also if the daemon was not running then.\n\n")
	writeFields(&b, fields(t, reflect.ValueOf(settings), help))
	return b.String()
}

// TestDocsKnow: the pages are made from what is there, so look for a thing of each kind.
func TestDocsKnow(t *testing.T) {
	t.Parallel()
	for want, page := range map[string]string{
		"## kairan member import\n":                                   cliPage(t),
		"* `--[no-]own-posts`: ":                                      cliPage(t),
		"* `-c, --config=FILE`: ":                                     cliPage(t),
		"| `message_size` | integer | `30720` | ":                     configPage(t),
		"| `listen` | string or list of strings | `[\"127.0.0.1:2525": configPage(t),
		"| `default_nonmember_action` | string | `\"hold\"` | ":       settingsPage(t),
		"| `msg_footer` | string | empty | Text put above and below":  settingsPage(t),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is in no page", want)
		}
	}
}
