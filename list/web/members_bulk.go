package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// Bounds of what is done with many addresses at once.
const (
	maxBulk   = 4 << 20 // bytes of the addresses: some 150,000; more is for the command line
	bulkPiece = 256 << 10
	bulkLife  = 24 * time.Hour
	bulkNamed = 100 // addresses shown of those to whom the same happens
)

// bulk is what an owner wants done with many addresses: looked at first, and then done once. It has a page of its own that can be loaded again.
type bulk struct {
	List    list.ID            `json:"list"`
	Do      subscribe.Do       `json:"do"`
	Role    list.Role          `json:"role,omitempty"`   // "" are members
	Action  list.Action        `json:"action,omitempty"` // of nonmembers
	Tell    bool               `json:"tell,omitempty"`
	By      string             `json:"by"`
	Begun   time.Time          `json:"begun"`
	Pieces  int                `json:"pieces"` // of its text, in bulkTexts
	Done    time.Time          `json:"done,omitzero"`
	Outcome *subscribe.Outcome `json:"outcome,omitempty"`
}

func (b bulk) ended(now time.Time) bool { return now.Sub(b.Begun) > bulkLife }

// piece is a part of the text, as a row can hold it.
type piece struct {
	Begun time.Time `json:"begun"`
	Text  []byte    `json:"text"`
}

func (p piece) ended(now time.Time) bool { return now.Sub(p.Begun) > bulkLife }

var (
	bulks     = storage.NewTable[string, bulk]("web_bulks", storage.Strings[string]())       // by token
	bulkTexts = storage.NewTable[string, piece]("web_bulk_texts", storage.Strings[string]()) // by token and number
)

func pieceKey(token string, n int) string { return fmt.Sprintf("%s %04d", token, n) }

// addForm is the page where many are added, or removed.
func (s *site) addForm(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	return s.bulkForm(w, r, l, templates.Bulk{}, http.StatusOK)
}

func (s *site) removeForm(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	return s.bulkForm(w, r, l, templates.Bulk{Remove: true}, http.StatusOK)
}

// does is what of this can be done.
func (b *bulk) does(l *list.List, roster *list.Roster) subscribe.Bulk {
	return subscribe.Bulk{List: l, Roster: roster, Do: b.Do, Role: b.Role, Action: b.Action, By: b.By, Tell: b.Tell}
}

func (s *site) bulkForm(w http.ResponseWriter, r *http.Request, l *list.List, view templates.Bulk, status int) error {
	lang := templates.FrameOf(r.Context()).Lang
	page, title := "members/add", "add-title"
	view.Tell = l.Settings.SendWelcomeMessage
	if view.Remove {
		page, title, view.Tell = "members/remove", "remove-title", l.Settings.SendGoodbyeMessage
	}
	role := roleOf(r)
	view.Action, view.Back, view.Most = rolePath(l, page, role), rolePath(l, "members", role), maxBulk>>20
	if role == list.RoleNonmember {
		view.Nonmembers, view.Lead = true, s.Templates.T(lang, "nonmember.bulk."+title+"-lead")
		for _, a := range []list.Action{list.Accept, list.Hold, list.Reject, list.Discard, list.NoAction} {
			view.Actions = append(view.Actions, templates.Choice{Value: string(a), Text: s.actionWords(lang, a)})
		}
	}
	return s.adminPage(w, r, l, "members", templates.Reply{Status: status, Page: "bulk", Frame: templates.Frame{Title: s.Templates.T(lang, roleWords(role, "bulk."+title))}, View: view})
}

// beginBulk keeps what was typed or uploaded, and leads on to the page that shows what it would do.
func (s *site) beginBulk(remove bool) func(http.ResponseWriter, *http.Request, actor, *list.List) error {
	return func(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
		text, wrong, err := readBulk(w, r)
		if err != nil {
			return err
		}
		if wrong != "" {
			lang := templates.FrameOf(r.Context()).Lang
			return s.bulkForm(w, r, l, templates.Bulk{Remove: remove, Typed: r.PostFormValue("lines"), Wrong: s.Templates.T(lang, "bulk."+wrong)}, http.StatusUnprocessableEntity)
		}
		b := bulk{List: l.ID, Do: subscribe.DoRemove, Tell: r.PostFormValue("tell") == "on", By: a.address.String(), Begun: time.Now()}
		if roleOf(r) == list.RoleNonmember {
			if b.Role, b.Tell = list.RoleNonmember, false; !remove {
				b.Do = subscribe.DoAdd
				if b.Action = list.Action(r.PostFormValue("action")); !slices.Contains(memberActions, b.Action) {
					return errNotUnderstood
				}
				if b.Action == list.NoAction {
					b.Action = ""
				}
			}
		} else if !remove {
			if b.Do = subscribe.Do(r.PostFormValue("do")); b.Do != subscribe.DoAdd && b.Do != subscribe.DoInvite {
				return errNotUnderstood
			}
		}
		token := list.NewToken()
		err = s.DB.Update(r.Context(), func(tx *storage.Tx) error {
			b.Pieces = 0
			for part := range slices.Chunk(text, bulkPiece) {
				if err := bulkTexts.Put(tx, pieceKey(token, b.Pieces), piece{Begun: b.Begun, Text: part}); err != nil {
					return err
				}
				b.Pieces++
			}
			return errors.Join(bulks.Put(tx, token, b), s.sweep(tx, b.Begun))
		})
		if err != nil {
			return err
		}
		http.Redirect(w, r, adminPath(l, "members/bulk/"+token), http.StatusSeeOther)
		return nil
	}
}

// readBulk returns the addresses that a form brings, typed or in a file, in UTF-8. wrong names what is wrong with it: the words "bulk.WRONG".
func readBulk(w http.ResponseWriter, r *http.Request) (text []byte, wrong string, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBulk+maxForm)
	if err := r.ParseMultipartForm(maxBulk); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, "too-large", nil
		}
		return nil, "", errNotUnderstood
	}
	if r.MultipartForm != nil {
		defer r.MultipartForm.RemoveAll()
	}
	text = []byte(r.PostFormValue("lines"))
	file, _, err := r.FormFile("file")
	if err == nil {
		defer file.Close()
		b, err := io.ReadAll(file)
		if err != nil {
			return nil, "", err
		}
		if len(bytes.TrimSpace(text)) > 0 && len(bytes.TrimSpace(b)) > 0 {
			return nil, "both", nil
		}
		text = append(text, b...)
	} else if !errors.Is(err, http.ErrMissingFile) && !errors.Is(err, http.ErrNotMultipart) {
		return nil, "", errNotUnderstood
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, "nothing", nil
	case len(text) > maxBulk:
		return nil, "too-large", nil
	}
	decoded, _ := message.DecodeCharset("utf-8", text) // spreadsheets in Japan write Shift_JIS
	return []byte(strings.ReplaceAll(decoded, "\x00", "")), "", nil
}

// getBulk returns what a token stands for, and its addresses with what is wrong with its lines as long as it is not done.
func getBulk(tx *storage.Tx, l *list.List, token string, now time.Time) (b bulk, roster *list.Roster, wrong []error, err error) {
	b, err = bulks.Get(tx, token)
	if err == nil && (b.List != l.ID || b.ended(now)) {
		err = storage.ErrNotFound
	}
	if err != nil || !b.Done.IsZero() {
		return b, nil, nil, err
	}
	var text bytes.Buffer
	for n := range b.Pieces {
		p, err := bulkTexts.Get(tx, pieceKey(token, n))
		if err != nil {
			return b, nil, nil, err
		}
		text.Write(p.Text)
	}
	roster, wrong = list.ParseRoster(&text)
	return b, roster, wrong, nil
}

// showBulk shows what would become of each address, or once it was done, what became of them. It changes nothing.
func (s *site) showBulk(w http.ResponseWriter, r *http.Request, _ actor, l *list.List) error {
	lang, token := templates.FrameOf(r.Context()).Lang, r.PathValue("token")
	view := templates.BulkPlan{Action: adminPath(l, "members/bulk/"+token)}
	var b bulk
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		var roster *list.Roster
		var wrong []error
		if b, roster, wrong, err = getBulk(tx, l, token, time.Now()); err != nil {
			return err
		}
		view.Groups, view.Lines = nil, nil
		if b.Outcome != nil {
			for _, state := range bulkStates {
				view.Groups = s.bulkGroup(view.Groups, lang, roleWords(b.Role, "bulk.done-"+string(state)), b.Outcome.Count[state], b.Outcome.Named[state])
			}
			return nil
		}
		view.Repeated = roster.Repeated
		for _, err := range wrong {
			view.Lines = append(view.Lines, s.lineWords(lang, err))
		}
		plan, err := s.Subscribe.Plan(tx, b.does(l, roster))
		if err != nil {
			return err
		}
		for _, state := range bulkStates {
			var named []string
			for _, a := range plan[state][:min(len(plan[state]), bulkNamed)] {
				named = append(named, a.String())
			}
			view.Groups = s.bulkGroup(view.Groups, lang, roleWords(b.Role, "bulk.plan-"+string(state)), len(plan[state]), named)
		}
		view.Todo = len(plan[subscribe.Changed]) + len(plan[subscribe.Joined]) + len(plan[subscribe.Asked]) + len(plan[subscribe.Left])
		return nil
	})
	if err != nil {
		return err
	}
	view.Done, view.Remove = !b.Done.IsZero(), b.Do == subscribe.DoRemove
	view.Back, view.Again = rolePath(l, "members", b.Role), rolePath(l, "members/add", b.Role)
	if view.Remove {
		view.Again = rolePath(l, "members/remove", b.Role)
	}
	key := string(b.Do)
	if b.Tell && b.Do != subscribe.DoInvite {
		key += "-tell"
	}
	view.Lead, view.Button = s.Templates.T(lang, roleWords(b.Role, "bulk.lead-"+key), "action", s.actionWords(lang, b.Action)), s.Templates.T(lang, "bulk.button-"+string(b.Do), "n", view.Todo)
	title := templates.Frame{Title: s.Templates.T(lang, "bulk.plan-title")}
	if view.Done {
		title.Title = s.Templates.T(lang, "bulk.done-title")
	}
	return s.adminPage(w, r, l, "members", templates.Reply{Page: "bulk-plan", Frame: title, View: view})
}

// bulkStates are what may become of an address, in the order in which a page says so.
var bulkStates = []subscribe.State{subscribe.Joined, subscribe.Changed, subscribe.MemberState, subscribe.Asked, subscribe.Left, subscribe.Already, subscribe.NotMember, subscribe.Refused, subscribe.Unwanted, subscribe.NoRoom, subscribe.Full}

func (s *site) bulkGroup(groups []templates.BulkGroup, lang, key string, n int, named []string) []templates.BulkGroup {
	if n == 0 {
		return groups
	}
	return append(groups, templates.BulkGroup{Title: s.Templates.T(lang, key, "n", n), Addresses: named, More: n - len(named)})
}

// lineWords say what is wrong with a line.
func (s *site) lineWords(lang string, err error) templates.BulkLine {
	e, ok := errors.AsType[list.LineError](err)
	if !ok {
		return templates.BulkLine{Text: s.Templates.T(lang, "bulk.wrong-more")}
	}
	line := templates.BulkLine{Number: e.Line, Text: s.Templates.T(lang, "bulk.wrong-"+string(e.Kind)), Input: e.Input}
	if r := []rune(line.Input); len(r) > bulkNamed {
		line.Input = string(r[:bulkNamed]) + "…"
	}
	return line
}

// carryBulk does what was looked at, once. Who presses the button again is led to what became of it.
func (s *site) carryBulk(w http.ResponseWriter, r *http.Request, a actor, l *list.List) error {
	if _, err := s.form(w, r); err != nil {
		return err
	}
	// Who closes the page must not stop it half way.
	ctx, token, now := context.WithoutCancel(r.Context()), r.PathValue("token"), time.Now().In(s.Site.Location)
	var b bulk
	var roster *list.Roster
	err := s.DB.View(ctx, func(tx *storage.Tx) (err error) {
		b, roster, _, err = getBulk(tx, l, token, now)
		return err
	})
	if err != nil {
		return err
	}
	if b.Done.IsZero() {
		todo := b.does(l, roster)
		todo.By, todo.Now = a.address.String(), now
		o, err := s.Subscribe.Carry(ctx, todo, func(int, int) {})
		if err != nil {
			return err
		}
		err = s.DB.Update(ctx, func(tx *storage.Tx) error {
			for n := range b.Pieces {
				if err := bulkTexts.Delete(tx, pieceKey(token, n)); err != nil {
					return err
				}
			}
			if was, err := bulks.Get(tx, token); err != nil || !was.Done.IsZero() { // pressed twice at the same time
				return err
			}
			b.Done, b.Outcome = now, &o
			return bulks.Put(tx, token, b)
		})
		if err != nil {
			return err
		}
	}
	http.Redirect(w, r, adminPath(l, "members/bulk/"+token), http.StatusSeeOther)
	return nil
}
