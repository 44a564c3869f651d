package list

import (
	"maps"
	"time"

	"kairan/templates"
)

// Event is one line of a history or a log: what happened to a post, a member, a list or the site.
//
// Who writes a line of a log or of a member's history gives it Word and Args, and words of that name in each language. Text is then made of
// the English ones, by [Log] and [MemberHistory], unless there is another.
type Event struct {
	At    time.Time `json:"at"`
	Stage string    `json:"stage"` // what it is about, or the part of the program that did it
	Text  string    `json:"text"`  // in English, for the command line and for programs
	By    string    `json:"by,omitempty"`

	// Word is the name of the words "entry.WORD" in templates/locale, which say the same in the language of who reads it.
	// Lines that are older than this, or of a program, have none.
	Word string `json:"word,omitempty"`
	// Args are the parameters of the words. [templates.Set.Entry] says which of them are put in words themselves.
	Args map[string]string `json:"args,omitempty"`
}

// written is the event with a Text.
func (e Event) written() Event {
	if e.Text == "" && e.Word != "" {
		e.Text = templates.Entry(e.Word, e.Args)
	}
	return e
}

// with is the event with one parameter more.
func (e Event) with(name, value string) Event {
	args := maps.Clone(e.Args)
	if args == nil {
		args = map[string]string{}
	}
	args[name] = value
	e.Args = args
	return e
}
