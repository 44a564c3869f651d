package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type initCmd struct {
	Hostname  string `help:"Name of this machine for mail, such as lists.example.jp."`
	Data      string `help:"Folder for everything."`
	URL       string `name:"url" help:"Public address of the web pages."`
	Admin     string `help:"The administrator's mail address."`
	Language  string `help:"ja or en."`
	Smarthost string `help:"Mail server that takes everything, host:port; empty delivers directly."`
	Domain    string `help:"Domain of the lists."`
}

// question is something a new site is asked.
type question struct {
	answer   *string
	text     string
	fallback func(*initCmd) string
}

func (cmd *initCmd) questions() []question {
	fixed := func(s string) func(*initCmd) string { return func(*initCmd) string { return s } }
	return []question{
		{&cmd.Hostname, "Name of this machine for mail (EHLO), such as lists.example.jp", func(*initCmd) string { h, _ := os.Hostname(); return h }},
		{&cmd.Domain, "Domain of the lists' addresses", func(c *initCmd) string { return c.Hostname }},
		{&cmd.URL, "Public address of the web pages", func(c *initCmd) string { return "https://" + c.Hostname }},
		{&cmd.Admin, "The administrator's mail address (gets mail to postmaster and abuse)", fixed("")},
		{&cmd.Data, "Folder that will hold everything", fixed("/var/lib/kairan")},
		{&cmd.Language, "Language, ja or en", fixed("ja")},
		{&cmd.Smarthost, "Mail server that takes outgoing mail, host:port (- delivers directly)", fixed("-")},
	}
}

func (cmd *initCmd) runLocal(ctx context.Context, c *commands, std streams) error {
	file := c.ConfigFile
	if file == "" {
		file = "kairan.toml"
	}
	if _, err := os.Stat(file); err == nil {
		return fmt.Errorf("%s is there already; remove it, or name another with -c", file)
	}
	if err := cmd.ask(bufio.NewReader(std.in), std.out); err != nil {
		return err
	}
	text := cmd.toml()
	if err := checkNew(text, file); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		return err
	}
	cfg, err := loadConfig(file)
	if err != nil {
		return err // unreachable: it was checked
	}
	app, err := assemble(ctx, cfg, quiet(std.err))
	if err != nil {
		return fmt.Errorf("%s was written, but: %w", file, err)
	}
	defer app.Close()
	if _, err := app.ensureKey(ctx, cmd.Domain); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nWrote %s.\n\n", file)
	if err := app.printRecords(ctx, std.out, cmd.Domain); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "\nNext:\n  kairan list create NAME@%s --owner %s\n  kairan serve\n", cmd.Domain, cmd.Admin)
	return nil
}

// ask fills in what the flags left open. At the end of the input the rest gets its default.
func (cmd *initCmd) ask(in *bufio.Reader, out io.Writer) error {
	for _, q := range cmd.questions() {
		if *q.answer != "" {
			continue
		}
		def := q.fallback(cmd)
		fmt.Fprintf(out, "%s [%s]: ", q.text, def)
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		*q.answer = or(strings.TrimSpace(line), def)
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
func (cmd *initCmd) toml() string {
	return fmt.Sprintf(`# Kairan's configuration. kairan config prints it with every default.
hostname = %q
data     = %q
url      = %q
admin    = %q
language = %q

[smtp]
listen = "0.0.0.0:25"

[http]
listen = "127.0.0.1:8080"  # a reverse proxy in front speaks https

[delivery]
smarthost = %q
`, cmd.Hostname, cmd.Data, cmd.URL, cmd.Admin, cmd.Language, cmd.Smarthost)
}

// checkNew checks a configuration before it becomes a file.
func checkNew(text, file string) error {
	dir, err := os.MkdirTemp("", "kairan-init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	draft := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return err
	}
	if _, err := loadConfig(draft); err != nil {
		return usageError{errors.New(strings.ReplaceAll(err.Error(), draft, "answers"))}
	}
	return nil
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
