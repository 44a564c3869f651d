package templates

// Held is the view of page "held": the posts of a link that lets somebody decide about them.
type Held struct {
	List, ListHref string
	Lead           string   // what the reader may do
	Done           string   // what the button that brought here did, or ""
	Action         string   // where the buttons post to
	Words          []string // the buttons, without "reject"
	Reject         bool     // there is a form for it
	Texts          []string // names of saved texts for it
	Posts          []HeldPost
}

// HeldPost is a held post on that page. All of it is somebody's plain text.
type HeldPost struct {
	ID, From, Subject string
	Received          Time
	Reasons           []string
	Auth              []string // what authentication found, in sentences
	Text              string
	Files             []string
	Decided           string // who decided, "" while it waits
	Undo              bool   // that can be taken back
}

// Moderate is the view of page "moderate": what waits in the lists that somebody moderates.
type Moderate struct {
	Action  string // where the buttons post to
	Total   int
	Orders  []PageLink
	Decided []ModerateDecided
	Posts   []ModeratePost
	Pages   []PageLink
	Lists   []Link // the settings of lists that the reader owns
}

// ModeratePost is a held post, or a request, on that page.
type ModeratePost struct {
	HeldPost
	Key            string // for ids in the page
	Item           string // what it is to the buttons
	IsPost         bool   // not a request
	List, ListHref string
	Risk           string // high, some or low; "" for a request
	RiskWords      string
	Trust          bool     // the author can be trusted,
	Bans           string   // and this address banned; "" if there is none
	Texts          []string // names of saved texts for a rejection
	Sender         []string // what is known about the author, in sentences
	Claim          string   // who is looking at it, "" for nobody
	Mine           bool     // the reader is
	Same           []string // the items of the same author, this one among them; nil for no others
	SameTexts      []string // names of the texts for a rejection of all of them; nil where they are of several lists
}

// ModerateDecided is a decision on that page that can still be taken back.
type ModerateDecided struct {
	Item                 string
	List, ListHref, Text string
	Until                string
}
