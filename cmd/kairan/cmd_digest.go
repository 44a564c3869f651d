package main

import (
	"cmp"
	"context"
	"fmt"

	"kairan/list"
	"kairan/storage"
)

type listDigest struct {
	List string `arg:"" help:"Posting address."`
}

func (cmd *listDigest) run(ctx context.Context, app *App, _ call, std streams) error {
	var l *list.List
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = parseList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	issue, err := app.Digests.Send(ctx, l, "operator")
	if err != nil {
		return err
	}
	if issue == nil {
		return fmt.Errorf("nothing waits for a digest of %s, or nobody gets digests", l.Address)
	}
	fmt.Fprintf(std.out, "volume %d, issue %d with %d posts; see kairan trace %s\n", issue.Digest.Volume, issue.Digest.Issue, len(issue.Digest.Posts), issue.MessageID)
	return nil
}

// digestWords says how far a list is with its digests.
func (app *App) digestWords(s list.DigestState) string {
	last := "none yet"
	if s.Volume != 0 {
		last = fmt.Sprintf("volume %d, issue %d on %s", s.Volume, s.Issue, app.when(s.Closed))
	}
	waits := ""
	if s.Posts > 0 {
		waits = fmt.Sprintf("; %d posts (%d KB) wait since %s", s.Posts, (s.Size+1023)>>10, app.when(s.Since))
	}
	return last + waits
}

// canDigest returns why a delivery mode cannot be chosen in a list.
func canDigest(l *list.List, mode *list.DeliveryMode) error {
	if mode == nil || cmp.Or(*mode, list.DeliveryRegular) == list.DeliveryRegular || l.Settings.DigestsEnabled {
		return nil
	}
	return fmt.Errorf("%s has no digests: its setting digests_enabled is false", l.Address)
}
