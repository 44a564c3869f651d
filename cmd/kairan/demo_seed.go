package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/storage"
)

// community is a list of the demo, and where its past is written.
type community struct {
	name     string // local part
	threads  string // file in demo
	settings func(*list.Settings)
	roles    map[list.Role][]string
	member   func(person) bool
}

func communities() []community {
	return []community{{
		name:    "netops",
		threads: "netops.txt",
		settings: func(s *list.Settings) {
			s.DisplayName = "netops"
			s.Description = list.Text{
				"ja": "ネットワーク運用の相談と雑談。障害の話も、勉強会の話も。",
				"en": "Network operations: questions, stories and meetings, in Japanese and English.",
			}
			s.SubjectPrefix = "[netops:%05d] "
			s.IncludeMLHeaders = true
			s.UnauthenticatedAction = list.Reject // so that a forger hears it at once
			s.HeaderMatches = []list.HeaderMatch{{Header: "X-Spam-Flag", Pattern: "^yes", Action: list.Hold}}
		},
		roles: map[list.Role][]string{
			list.RoleOwner:     {"haruka@example.jp"},
			list.RoleModerator: {"kenji@example.jp", "sora@isp.test"},
		},
		member: func(person) bool { return true },
	}, {
		name:    "wg-dns",
		threads: "wg-dns.txt",
		settings: func(s *list.Settings) {
			s.DisplayName = "DNS Working Group"
			s.Description = list.Text{
				"ja": "DNS ワーキンググループ。リゾルバの手引きと権威サーバのテストを作っています。",
				"en": "The DNS working group: a handbook for resolver operators and tests for authoritative servers.",
			}
			s.SubjectPrefix = "[wg-dns] "
			s.ReplyGoesToList = "list"
			s.MsgFooter = "{list}\n{url}\n"
			s.ArchivePolicy = "private"
			s.SubscriptionPolicy = list.PolicyConfirmThenModerate
			s.UnauthenticatedExempt = []string{"plain.test"}
		},
		roles: map[list.Role][]string{
			list.RoleOwner:     {"haruka@example.jp", "emma@example.com"},
			list.RoleModerator: {"midori@isp.test"},
		},
		member: func(p person) bool { return p.dns },
	}}
}

// seed makes the lists with their members and two months of posts, and what waits for the moderators. It goes on where an earlier start left off, and touches
// nothing that is there.
func (d *demo) seed(ctx context.Context, now time.Time) error {
	people, err := readPeople()
	if err != nil {
		return err
	}
	lists := map[string]*list.List{}
	g, telling := errgroup.WithContext(ctx)
	for _, c := range communities() {
		l, err := d.found(ctx, c, people, now)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", c.name, err), g.Wait())
		}
		lists[c.name] = l
		g.Go(func() error {
			if err := d.tell(telling, l, c.threads, people, now); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return d.hold(ctx, lists, now)
}

// found returns the list of a community, with everybody in it when it is new.
func (d *demo) found(ctx context.Context, c community, people []person, now time.Time) (l *list.List, err error) {
	addr, err := address.New(c.name, demoDomain)
	if err != nil {
		return nil, err
	}
	settings := list.DefaultSettings("ja")
	c.settings(&settings)
	since := now.AddDate(0, 0, -62)
	err = d.app.DB.Update(ctx, func(tx *storage.Tx) error {
		if l, err = list.ByAddress(tx, addr); !errors.Is(err, list.ErrNoList) {
			return err
		}
		if l, err = list.Create(tx, addr, settings, since); err != nil {
			return err
		}
		for i, p := range people {
			if !c.member(p) {
				continue
			}
			m := list.Member{List: l.ID, Role: list.RoleMember, Address: p.address, DisplayName: p.name, Language: "ja", Joined: joinedAt(i, since)}
			if p.name[0] < 0x80 {
				m.Language = "en"
			}
			if err := list.Join(tx, m); err != nil {
				return fmt.Errorf("%s: %w", p.address, err)
			}
		}
		for role, who := range c.roles {
			for _, a := range who {
				if err := list.Join(tx, list.Member{List: l.ID, Role: role, Address: address.Must(a), Joined: since}); err != nil {
					return fmt.Errorf("%s: %w", a, err)
				}
			}
		}
		return past(tx, l, len(people), now.In(d.app.Site.Location))
	})
	return l, err
}

// tell archives the past of a list: posts with the numbers that they would have got.
func (d *demo) tell(ctx context.Context, l *list.List, file string, people []person, now time.Time) error {
	local := now.In(d.app.Site.Location)
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
	stories, err := readThreads(file, people, today)
	if err != nil {
		return err
	}
	var done uint64
	err = d.app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		done, err = list.LastNumber(tx, l.ID)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range stories[min(int(done), len(stories)):] {
		// Add and the number are one transaction, so a number tells that its post is in the archive.
		_, err := d.app.Archive.Add(ctx, archive.Entry{
			List:     string(l.ID),
			Post:     fmt.Sprintf("demo%05d", s.number), // the same at the next start, for Add may have got half way
			Number:   s.number,
			ID:       s.id,
			Received: s.at,
			Raw:      received(s, s.mail(l.Address.String(), numbering(l))),
		}, func(tx *storage.Tx, _ *archive.Message) error {
			n, err := list.NextNumber(tx, l.ID)
			if err == nil && n != s.number {
				err = fmt.Errorf("post %d got the number %d", s.number, n)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// numbering returns what a list puts before the Subject of a post.
func numbering(l *list.List) func(n uint64) string {
	prefix := l.Settings.SubjectPrefix
	return func(n uint64) string {
		if strings.Contains(prefix, "%") {
			return fmt.Sprintf(prefix, n)
		}
		return prefix
	}
}

// received puts on top what is found at receipt: the archive keeps it with a post.
func received(s *story, raw []byte) []byte {
	domain := s.author.address.Domain()
	msg := message.Parse(raw)
	return message.Join(msg.Header().Prepend(
		message.NewField("Authentication-Results", fmt.Sprintf("%s;\r\n spf=pass smtp.mailfrom=%s;\r\n dmarc=pass header.from=%s", demoDomain, s.author.address, domain)),
		message.NewField("Received", fmt.Sprintf("from mail.%s (mail.%s [127.0.0.1])\r\n by %s (Kairan) with ESMTPS; %s", domain, domain, demoDomain, s.at.Format("Mon, 2 Jan 2006 15:04:05 -0700"))),
	), msg.Body())
}
