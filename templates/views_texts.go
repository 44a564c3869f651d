package templates

// Texts is the view of page "texts": the mails that a list or the site may put into other words.
type Texts struct {
	Lead   string
	Groups []TextGroup
}

// TextGroup is mails about one thing.
type TextGroup struct {
	Title string
	Rows  []TextRow
}

// TextRow is a mail in a list of them.
type TextRow struct {
	Href, Title, When string
	Own               []string // who has other words in which language
}

// Text is the view of page "text": the words of a mail in both languages.
type Text struct {
	Title, When  string
	Back         string // path of all mails
	Action       string // where it is saved; "/preview" and "/unset" lie under it
	Wrong        bool   // see the fields
	Words        []TextWords
	Placeholders []Placeholder
}

// TextWords are a mail's words in one language.
type TextWords struct {
	Lang, Label               string
	Subject, Body             string
	Lines                     int
	WrongSubject, WrongBody   string
	Origin                    string // whose words they are
	At                        Time   // since when, zero for built-in ones
	Unset                     bool   // there is a way back to the former words
	Was                       string // which words the form was made of
	PreviewSubject, PreviewIs string // "" where the words do not fit
}
