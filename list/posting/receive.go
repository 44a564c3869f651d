package posting

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/rules"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
	"kairan/storage"
)

// incoming is one message on its way through Receive.
type incoming struct {
	env   *smtpd.Envelope
	msg   *message.Message // with our Received on top
	facts rules.Facts      // what is the same for every list
	posts []*posted        // one for each list
}

// posted is an incoming message for one list.
type posted struct {
	list  *list.List
	post  *list.Post
	facts rules.Facts
}

func (in *incoming) results() []*list.Post {
	var posts []*list.Post
	for _, p := range in.posts {
		posts = append(posts, p.post)
	}
	return posts
}

// deferred reports whether the message as a whole is to come again.
func (in *incoming) deferred() bool {
	return !in.env.LMTP && slices.ContainsFunc(in.posts, func(p *posted) bool { return p.post.Verdict.Action == list.Defer })
}

// receive reads the message and makes a post for each list.
func (p *Path) receive(env *smtpd.Envelope, to []*list.List, raw []byte) *incoming {
	msg := message.Parse(raw)
	in := &incoming{env: env, facts: rules.Gather(msg, env)}
	in.msg = message.Parse(slices.Concat(env.Received(p.Site.Hostname).Raw, raw))
	id := message.MessageID(msg.Header().Get("Message-ID"))
	if id == "" {
		id = message.NewID(p.Site.Hostname, env.At)
	}
	body := sha256.Sum256(msg.Body())
	for _, l := range to {
		in.posts = append(in.posts, &posted{list: l, post: &list.Post{
			ID:        list.PostID(storage.NewID(env.At)),
			List:      l.ID,
			MessageID: id,
			Received:  env.At,
			Author:    in.facts.Author,
			Subject:   in.facts.Subject,
			Size:      len(raw),
			BodyHash:  hex.EncodeToString(body[:]),
			Sender:    env.From,
			To:        in.facts.To[:min(len(in.facts.To), 100)],
			RemoteIP:  env.RemoteIP,
			Helo:      env.Helo,
			Transact:  env.ID,
		}})
	}
	return in
}

// authenticate asks who the message comes from. It finds facts and refuses nothing.
func (p *Path) authenticate(ctx context.Context, in *incoming) {
	in.facts.Auth, in.facts.Trusted = p.ask(ctx, in.env, in.msg)
}

// ErrUnproven says that DNS did not tell whether a message comes from the author it names: it may be asked again later.
var ErrUnproven = errors.New("DNS does not tell now who the author is")

// Authenticated reports whether a message that is not a post comes from the author it names. With false it may
// return ErrUnproven.
func (p *Path) Authenticated(ctx context.Context, env *smtpd.Envelope, msg *message.Message) (bool, error) {
	auth, trusted := p.ask(ctx, env, message.Parse(slices.Concat(env.Received(p.Site.Hostname).Raw, msg.Raw())))
	if !trusted && auth.Unknown() {
		return false, ErrUnproven
	}
	return trusted || auth.Author(), nil
}

// ask believes a trusted relay's Authentication-Results. Mail that was written in a trusted network, and so has no
// Received but ours, needs no authentication.
func (p *Path) ask(ctx context.Context, env *smtpd.Envelope, msg *message.Message) (auth mailauth.Results, trusted bool) {
	q := mailauth.Input{IP: env.RemoteIP, Helo: env.Helo, MailFrom: env.From, Message: msg}
	if p.trusts(env.RemoteIP) {
		if auth, ok := p.Checker.Trusted(ctx, q, p.Trust.AuthservIDs); ok {
			return auth, false
		}
		trusted = len(msg.Header().All("Received")) == 1
	}
	return p.Checker.Check(ctx, q), trusted
}

// trusts reports whether mail from there comes from one of ours. Who can open our unix socket is, and has no address.
func (p *Path) trusts(ip netip.Addr) bool {
	return !ip.IsValid() || slices.ContainsFunc(p.Trust.Networks, func(n netip.Prefix) bool { return n.Contains(ip.Unmap()) })
}

// site are the site's rules, with the bans of this day.
func (p *Path) site(tx *storage.Tx) rules.Site {
	site := p.Rules
	site.BanList = slices.Concat(site.BanList, list.SiteBanList(tx))
	site.Quotas = p.Site.Quotas
	return site
}

// decide asks the rules about the post of each list.
func (p *Path) decide(tx *storage.Tx, in *incoming) error {
	site := p.site(tx)
	for _, post := range in.posts {
		post.facts = in.facts
		if err := errors.Join(lookUp(tx, post), p.measure(tx, post)); err != nil {
			return fmt.Errorf("decide: %w", err)
		}
		post.post.Auth = in.facts.Auth
		post.post.Verdict = rules.Decide(post.list, site, &post.facts)
		post.post.Decided = in.env.At
		if undo := post.list.Settings.UndoWindow(); undo > 0 && post.post.Verdict.Action == list.Accept {
			post.post.Leaves = in.env.At.Add(undo)
		}
	}
	return nil
}

// lookUp adds what the store knows about the author to the facts.
func lookUp(tx *storage.Tx, in *posted) error {
	f, l := &in.facts, in.list
	f.Duplicate, f.DigestReply = duplicate(tx, in), digestReply(tx, in)
	if f.Author.IsNull() {
		return nil
	}
	var err error
	if f.Nonmember, err = list.GetMember(tx, l.ID, list.RoleNonmember, f.Author); err != nil && !errors.Is(err, list.ErrNotMember) {
		return err
	}
	person := list.PersonOf(tx, f.Author)
	if f.Nonmember != nil && f.Nonmember.ModerationAction != "" { // what was said about this address goes before what others of the person are
		person = &list.Person{Addresses: []address.Address{f.Author}}
	}
	if f.Member, err = person.Member(tx, l.ID, f.Author); err != nil && !errors.Is(err, list.ErrNotMember) {
		return err
	}
	f.Owner = person.Is(tx, l.ID, list.RoleOwner, list.RoleModerator)
	f.Others = others(tx, l, mine(tx, person))
	f.Held, f.HeldSame = list.CountHeld(tx, l.ID, f.Author, f.Auth.Author())
	return lateness(tx, in)
}

// measure adds what the list has taken of its quotas to the facts.
func (p *Path) measure(tx *storage.Tx, in *posted) (err error) {
	if in.facts.Today, err = list.PostsToday(tx, in.list.ID, in.post.Received.In(p.Site.Location)); err != nil {
		return err
	}
	in.facts.Archived = 0
	if p.Site.Quotas.Of(in.list).Archive > 0 {
		in.facts.Archived = archive.Size(tx, string(in.list.ID))
	}
	return nil
}

// turnedAway notes that a post waits because of a quota.
func turnedAway(tx *storage.Tx, p *list.Post) error {
	if p.Verdict.Action != list.Hold {
		return nil
	}
	for _, r := range p.Verdict.Reasons {
		if q, ok := rules.QuotaOf(r.Rule); ok {
			if err := list.TurnedAway(tx, p.List, q, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// others returns the entries "@otherlist@example.jp" of the list's settings whose list is among mine.
func others(tx *storage.Tx, l *list.List, mine map[list.ID]bool) []string {
	s := &l.Settings
	var found []string
	for _, entry := range slices.Concat(s.AcceptTheseNonmembers, s.HoldTheseNonmembers, s.RejectTheseNonmembers, s.DiscardTheseNonmembers) {
		name, ok := strings.CutPrefix(entry, "@")
		if !ok {
			continue
		}
		if addr, err := address.Parse(name); err == nil {
			if other, err := list.ByAddress(tx, addr); err == nil && mine[other.ID] {
				found = append(found, entry)
			}
		}
	}
	return found
}

// duplicate compares with accepted posts of that Message-ID, and with held ones of the same authenticated
// author only, so that a forgery cannot swallow the real post.
func duplicate(tx *storage.Tx, in *posted) string {
	worst := ""
	for id, old := range list.PostsByMessageID(tx, in.post.MessageID) {
		if id != in.list.ID || old.ID == in.post.ID {
			continue
		}
		same := old.Held() && old.Author == in.post.Author && old.Auth.Author() && in.facts.Auth.Author()
		if old.Verdict.Action != list.Accept && !same {
			continue
		}
		if old.BodyHash == in.post.BodyHash {
			return "same"
		}
		worst = "other"
	}
	return worst
}

// digestReply reports whether a post answers an issue of the list's digest and has its subject.
func digestReply(tx *storage.Tx, in *posted) bool {
	base, reply := message.BaseSubject(in.facts.Subject)
	h := message.Parse(in.facts.Header).Header()
	ids := append(message.MessageIDs(h.Get("References")), message.MessageIDs(h.Get("In-Reply-To"))...)
	if len(ids) == 0 || !reply {
		return false
	}
	for id, p := range list.PostsByMessageID(tx, ids[len(ids)-1]) {
		if id == in.list.ID && p.Digest.Called(base) {
			return true
		}
	}
	return false
}

// late notes since when the DNS of an author's domain keeps mail from being decided.
var late = storage.NewTable[string, time.Time]("late_domains", storage.Strings[string]())

func lateness(tx *storage.Tx, in *posted) error {
	since, err := late.Get(tx, in.facts.Author.ASCIIDomain())
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	in.facts.LateHours = int(in.post.Received.Sub(since).Hours())
	return err
}

// record writes posts, verdicts, facts and history. The reply 250 comes after it.
func (p *Path) record(tx *storage.Tx, in *incoming) error {
	whole := in.deferred()
	for _, post := range in.posts {
		if whole || post.post.Verdict.Action == list.Defer {
			if err := recordLate(tx, post); err != nil {
				return fmt.Errorf("record: %w", err)
			}
			continue
		}
		if err := p.recordPost(tx, in, post); err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	return nil
}

func (p *Path) recordPost(tx *storage.Tx, in *incoming, post *posted) error {
	refused := refused(post.post.Verdict)
	if refused && (!p.refusals.AllowN(in.env.At, 1) || list.Posted(tx, post.post.MessageID) >= maxRecorded) {
		return nil
	}
	if err := late.Delete(tx, post.facts.Author.ASCIIDomain()); err != nil {
		return err
	}
	var raw []byte
	if post.post.Blob = !refused && list.Large(in.msg.Raw()); !refused && !post.post.Blob {
		raw = in.msg.Raw()
	}
	post.facts.Header = post.facts.Header[:min(len(post.facts.Header), 64<<10)]
	if !refused {
		post.facts.Header = nil // the message has it
	}
	if !post.post.Leaves.IsZero() && p.Waits != nil {
		if err := p.Waits(tx, post.list, post.post); err != nil {
			return err
		}
	}
	return errors.Join(
		list.Record(tx, post.post, raw, post.facts),
		list.Note(tx, post.post.ID, story(in, post)...),
		turnedAway(tx, post.post),
		list.Count(tx, post.list.ID, in.env.At.In(p.Site.Location), func(t *list.Tally) {
			switch post.post.Verdict.Action {
			case list.Accept:
				t.Accepted++
			case list.Hold:
				t.Held++
			default:
				t.Refused++
			}
		}),
	)
}

// maxRecorded is how many posts of one Message-ID are recorded before refused ones are only logged.
const maxRecorded = 50

func recordLate(tx *storage.Tx, post *posted) error {
	domain := post.facts.Author.ASCIIDomain()
	if domain == "" || late.Has(tx, domain) {
		return nil
	}
	return late.Put(tx, domain, post.post.Received)
}

// refused reports whether nothing of the message is kept but its record.
func refused(v list.Verdict) bool { return v.Action == list.Reject || v.Action == list.Discard }

// keepLarge writes a large message to its blobs, before the record that names them.
func (p *Path) keepLarge(in *incoming) error {
	if !list.Large(in.msg.Raw()) {
		return nil
	}
	for _, post := range in.posts {
		if err := p.DB.Blobs.Create(post.post.ID.RawBlob(), in.msg.Raw()); err != nil {
			p.dropLarge(in, true)
			return fmt.Errorf("keep message: %w", err)
		}
	}
	return nil
}

// dropLarge removes the blobs that no record names.
func (p *Path) dropLarge(in *incoming, failed bool) {
	if !list.Large(in.msg.Raw()) {
		return
	}
	for _, post := range in.posts {
		if v := post.post.Verdict; failed || in.deferred() || refused(v) || v.Action == list.Defer {
			if err := p.DB.Blobs.Delete(post.post.ID.RawBlob()); err != nil {
				p.Log.Warn("a blob that nothing names is left behind", "blob", post.post.ID.RawBlob(), "err", err)
			}
		}
	}
}
