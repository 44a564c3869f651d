package templates

// Hidden is the view of page "hidden": what readers of a list's archive do not see, or not whole.
type Hidden struct {
	Action   string // where the buttons post to
	Total    int
	Messages []HiddenMessage
	Pages    []PageLink
}

// HiddenMessage is a message on that page, with the decision that made it so.
type HiddenMessage struct {
	Post          string // what the button names
	Href          string // of its page, "" where it has none
	Subject, From string
	Sent          Time
	What          string // hidden, redacted or withdrawn, in words
	By, Reason    string
	When          Time
}
