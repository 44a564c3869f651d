package templates

// Confirm is the view of page "confirm": something that waits for a yes, or what came of it.
type Confirm struct {
	Title  string
	Text   string
	Note   Link     // what the button accepts as well, or nothing
	Lines  []string // commands, as they were sent
	Action string   // of the form; "" without one
	Button string
	// Other is a second button, which posts other=1; "" without one.
	Other    string
	ListHref string
	List     string
}
