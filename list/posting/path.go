package posting

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"

	"golang.org/x/time/rate"

	"kairan/archive"
	"kairan/list"
	"kairan/list/digest"
	"kairan/list/rules"
	"kairan/smtpd"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/storage"
	"kairan/templates"
)

// Path is everything a post meets on its way. Make one with [New].
type Path struct {
	Options
	wake     chan struct{}
	refusals *rate.Limiter
}

// Options are the parts a Path is made of. All but Trust, Rules and Waits are needed.
type Options struct {
	DB      *storage.DB
	Archive *archive.Archive
	Outbox  *queue.Outbox
	Digests *digest.Digester
	Checker *mailauth.Checker
	Site    *list.Site
	// Templates has the words of what authors are told.
	Templates *templates.Set
	Rules     rules.Site
	Trust     Trust
	// Waits is told of a post that can be taken back until it leaves, in the transaction that records it. It is set by package moderation.
	Waits func(tx *storage.Tx, l *list.List, p *list.Post) error
	Log   *slog.Logger
}

// Trust says whose word is taken about where mail came from.
type Trust struct {
	Networks    []netip.Prefix // relays in front of us, and hosts whose scripts post
	AuthservIDs []string       // whose Authentication-Results such a relay puts on top
}

// New returns a Path.
func New(o Options) *Path {
	return &Path{Options: o, wake: make(chan struct{}, 1), refusals: rate.NewLimiter(10, 1000)}
}

// Receive takes one message to some lists and returns a verdict for each. When it returns no error the
// verdicts are on disk, with one exception: SMTP has a single reply, so one Defer
// defers the whole message, and then it is not recorded for any list.
func (p *Path) Receive(ctx context.Context, env *smtpd.Envelope, to []*list.List, raw []byte) ([]*list.Post, error) {
	in := p.receive(env, to, raw)
	p.authenticate(ctx, in)
	if err := p.keepLarge(in); err != nil {
		return nil, err
	}
	err := p.DB.Update(ctx, func(tx *storage.Tx) error {
		if err := p.decide(tx, in); err != nil {
			return err
		}
		return p.record(tx, in)
	})
	p.dropLarge(in, err != nil)
	if err != nil {
		return nil, err
	}
	p.logReceived(in)
	p.Wake()
	return in.results(), nil
}

// Publish brings an accepted post into the archive and the queue. It is idempotent, and goes on where a crash stopped it. For a post
// that was taken back, or still can be, it does nothing.
func (p *Path) Publish(ctx context.Context, id list.PostID) error {
	w, err := p.number(ctx, id)
	if errors.Is(err, errNotDue) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.cook(ctx, w); err != nil {
		return err
	}
	if err := p.archive(ctx, w); err != nil {
		return err
	}
	if err := p.digest(ctx, w); err != nil {
		return err
	}
	return p.enqueue(ctx, w)
}
