package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"
)

// quiet is the log of a command line: warnings and errors only.
func quiet(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// format is how ls and show print.
type format struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// show prints v as JSON, or with text.
func (f format) show(w io.Writer, v any, text func(w io.Writer)) error {
	if !f.JSON {
		text(w)
		return nil
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows of tab-separated cells in columns.
func table(w io.Writer, rows func(row func(cells ...any))) {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	rows(func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, printable(fmt.Sprint(c)))
		}
		fmt.Fprintln(t)
	})
	t.Flush()
	for line := range strings.Lines(text.String()) { // an empty last cell leaves spaces
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// printable keeps what strangers wrote from moving the cursor of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, s)
}

// when prints a moment in the site's zone.
func (app *App) when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(app.Site.Location).Format("2006-01-02 15:04:05")
}

// progressBar returns a function that draws how far a long task is, for somebody who watches.
func progressBar(c call, w io.Writer, what string) (update func(done, total int), end func()) {
	if !c.Terminal {
		return func(int, int) {}, func() {}
	}
	last := time.Time{}
	update = func(done, total int) {
		if total == 0 || done < total && time.Since(last) < 100*time.Millisecond {
			return
		}
		last = time.Now()
		filled := 30 * done / total
		fmt.Fprintf(w, "\r%s [%s%s] %d/%d", what, strings.Repeat("#", filled), strings.Repeat(".", 30-filled), done, total)
	}
	return update, func() { fmt.Fprintln(w) }
}

// counter returns a function that tells how far a task is whose length is not known, for somebody who watches.
func counter(c call, w io.Writer, what string) (update func(n int), end func()) {
	if !c.Terminal {
		return func(int) {}, func() {}
	}
	last := time.Time{}
	update = func(n int) {
		if time.Since(last) >= 100*time.Millisecond {
			last = time.Now()
			fmt.Fprintf(w, "\r%s %d", what, n)
		}
	}
	return update, func() { fmt.Fprintln(w) }
}
