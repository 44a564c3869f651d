package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Of the part digest: an issue is closed by its 100th post.
const (
	digestPosts  = 100
	digestIssues = 2
)

// digests posts 200 times to a list whose members all get digests, half of them in MIME and half in one text, and measures what each
// of the two issues costs from its last post on: making its forms, and a copy of its own, signed, for each member.
func (b *bench) digests(ctx context.Context) error {
	l := b.small()
	l.set = []string{"digest_size_threshold=0"}
	s, err := b.newSite()
	if err != nil {
		return err
	}
	if err := s.create(ctx, l); err != nil {
		return err
	}
	if err := s.digesters(ctx, l); err != nil {
		return err
	}
	d, err := s.start(ctx)
	if err != nil {
		return err
	}
	defer d.stop(syscall.SIGKILL)
	p, err := newPoster(ctx, d.smtp, "EHLO")
	if err != nil {
		return d.failed(err, nil)
	}
	defer p.Close()
	var c comparison
	for range digestIssues {
		for range digestPosts - 1 {
			if _, _, err := p.post(l.address); err != nil {
				return d.failed(err, nil)
			}
		}
		pause(ctx, 2*time.Second) // they are being archived
		issue, err := b.fanout(ctx, d, l)
		if err != nil {
			return err
		}
		send, rsa, err := b.floor(ctx, l.members, l.members)
		if err != nil {
			return err
		}
		c.add(issue.per(l.members), send.plus(rsa).per(l.members))
	}
	b.table.add(c.row(fmt.Sprintf("digest of %d posts (%d KB) to %d", digestPosts, b.size>>10, l.members), l.members, l.members, "send + RSA", 0))
	b.table.bytes("peak anonymous memory with digests", d.memory.peak(), 0)
	return d.stop(syscall.SIGTERM)
}

// digesters imports the members of a list, who get digests.
func (s *site) digesters(ctx context.Context, l roster) error {
	var text strings.Builder
	text.WriteString("address,delivery_mode\n")
	for n, a := range members(l.members) {
		fmt.Fprintf(&text, "%s,%s\n", a, []string{"mime_digests", "plaintext_digests"}[n%2])
	}
	file := filepath.Join(s.dir, "members.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err
	}
	_, err := s.kairan(ctx, "member", "import", l.address, file)
	return err
}
