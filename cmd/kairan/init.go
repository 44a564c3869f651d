package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

type initCmd struct {
	Hostname  string `help:"Name of this machine for mail, such as lists.example.jp."`
	Domain    string `help:"Domain of the lists."`
	URL       string `name:"url" help:"Public address of the web pages."`
	Admin     string `help:"The administrator's mail address."`
	Data      string `help:"Folder for everything."`
	Language  string `help:"ja or en."`
	Smarthost string `help:"Mail server that takes everything, host:port; - delivers directly."`
}

// question is something a new site is asked.
type question struct {
	answer  *string
	text    string
	suggest func() string // may be ""
}

func (cmd *initCmd) questions() []question {
	fixed := func(s string) func() string { return func() string { return s } }
	return []question{
		{&cmd.Hostname, "Name of this machine for mail (EHLO), such as lists.example.jp", fullHostname},
		{&cmd.Domain, "Domain of the lists' addresses", func() string { return cmd.Hostname }},
		{&cmd.URL, "Public address of the web pages", func() string { return "https://" + cmd.Hostname }},
		{&cmd.Admin, "The administrator's mail address (gets mail to postmaster and abuse)", fixed("")},
		{&cmd.Data, "Folder that will hold everything", fixed("/var/lib/kairan")},
		{&cmd.Language, "Language, ja or en", fixed("ja")},
		{&cmd.Smarthost, "Mail server that takes outgoing mail, host:port (- delivers directly)", fixed("-")},
	}
}

// fullHostname is the machine's name if it has a domain, else "".
func fullHostname() string {
	if h, err := os.Hostname(); err == nil && strings.Contains(h, ".") {
		return h
	}
	return ""
}

func (cmd *initCmd) runLocal(ctx context.Context, c *commands, std streams) error {
	file := cmp.Or(c.ConfigFile, "kairan.toml")
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s is there already; remove it, or name another with -c", file)
	}
	if err := cmd.ask(bufio.NewReader(std.in), std.out); err != nil {
		return err
	}
	text, err := cmd.toml()
	if err != nil {
		return err
	}
	cfg, err := cmd.check(file, text)
	if err != nil {
		return err
	}
	app, err := assemble(ctx, cfg, quiet(std.err))
	if err != nil {
		return err
	}
	defer app.Close()
	if _, err := app.ensureKey(ctx, cmd.Domain); err != nil {
		return err
	}
	if err := writeNew(file, text); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nWrote %s.\n\n", file)
	if err := app.printRecords(ctx, std.out, cmd.Domain); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nNext:\n  kairan list create NAME@%s --owner %s\n  kairan serve\n", cmd.Domain, cmd.Admin)
	return nil
}

// ask fills in what the flags left open. At the end of the input the rest gets what is suggested.
func (cmd *initCmd) ask(in *bufio.Reader, out io.Writer) error {
	for _, q := range cmd.questions() {
		if *q.answer != "" {
			continue
		}
		suggested := q.suggest()
		fmt.Fprint(out, q.text)
		if suggested != "" {
			fmt.Fprintf(out, " [%s]", suggested)
		}
		fmt.Fprint(out, ": ")
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		*q.answer = cmp.Or(strings.TrimSpace(line), suggested)
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(out)
		}
	}
	if cmd.Smarthost == "-" {
		cmd.Smarthost = ""
	}
	return nil
}

// toml is the new site's configuration file.
func (cmd *initCmd) toml() (string, error) {
	var quoted []any
	for _, answer := range []string{cmd.Hostname, cmd.Data, cmd.URL, cmd.Admin, cmd.Language, cmd.Smarthost} {
		b, err := json.Marshal(answer) // a JSON string is a TOML string
		if err != nil {
			return "", err
		}
		quoted = append(quoted, b)
	}
	return fmt.Sprintf(`# Kairan's configuration. kairan config prints it with every default.
hostname = %s
data     = %s
url      = %s
admin    = %s
language = %s

[smtp]
listen = ":25"

[http]
listen = "127.0.0.1:8080"  # a reverse proxy in front speaks https

[delivery]
smarthost = %s
`, quoted...), nil
}

// check checks the answers before anything is written. Its errors name the questions by their flags.
func (cmd *initCmd) check(file, text string) (*Config, error) {
	draft := defaultConfig()
	if err := decodeTOML(file, text, draft); err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range draft.check() {
		errs = append(errs, fmt.Errorf("--%s: %s", strings.TrimPrefix(p.key, "delivery."), p.text))
	}
	domain, err := parseDomain(cmd.Domain)
	if err != nil {
		errs = append(errs, fmt.Errorf("--domain: %w", err))
	}
	if len(errs) > 0 {
		return nil, usageError{errors.Join(errs...)}
	}
	cmd.Domain = domain
	return parseConfig(file, text)
}

// writeNew writes a file that is not there yet.
func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

type configCmd struct{}

func (cmd *configCmd) runLocal(_ context.Context, c *commands, std streams) error {
	file, err := findConfig(c.ConfigFile)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "# %s is sound; this is all of it, with defaults filled in.\n", file)
	return writeConfig(std.out, cfg)
}
