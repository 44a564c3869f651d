package moderation

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/storage"
)

// Edit is somebody's word about a message in the archive, said on a page, by mail or on the command line.
type Edit struct {
	List    *list.List
	Message *archive.Message
	Word    string           // withdraw, of the author; redact, hide, unhide, split, join, of who moderates (the caller sees to that)
	To      *archive.Message // join: what it is to answer
	By      string           // an address, or list.ByOperator
	Reason  string           // for the ledger
	Now     time.Time        // when it was said
}

// Check says why an edit cannot be, as [Edit.Do] would: ErrWord, archive.ErrNotAuthor, archive.ErrTooLate, archive.ErrPurged or archive.ErrThread.
func (e Edit) Check(tx *storage.Tx) error {
	switch e.Word {
	case "withdraw":
		return errors.Join(e.withdrawal().Check(e.Message), archive.CheckPurged(tx, e.Message))
	case "redact", "hide", "unhide":
		return archive.CheckPurged(tx, e.Message)
	case "split":
		return archive.CheckSplit(tx, e.Message)
	case "join":
		return archive.CheckJoin(tx, e.Message, e.To)
	}
	return ErrWord
}

func (e Edit) withdrawal() archive.Withdrawal {
	return archive.Withdrawal{Author: e.By, Window: e.List.Settings.WithdrawWindow(), Now: e.Now}
}

// Do carries an edit out; doing it twice is as good as once.
func (e Edit) Do(ctx context.Context, a *archive.Archive) (err error) {
	order := archive.Order{By: e.By, Reason: e.Reason}
	switch e.Word {
	case "withdraw":
		err = a.Withdraw(ctx, e.Message, e.withdrawal())
	case "redact":
		err = a.Redact(ctx, e.Message, order)
	case "hide":
		err = a.Hide(ctx, e.Message, order)
	case "unhide":
		err = a.Unhide(ctx, e.Message, order)
	case "split":
		err = a.Split(ctx, e.Message, order)
	case "join":
		err = a.Join(ctx, e.Message, e.To, order)
	default:
		err = ErrWord
	}
	return err
}

// FindMessage returns the message that people name by its post number, its Message-ID, with or without "<>", or its address in the
// web; hidden or not. Of several of one Message-ID nth is meant, from 1, unless the address says which.
func FindMessage(tx *storage.Tx, l *list.List, name string, nth int) (*archive.Message, error) {
	if n, err := strconv.ParseUint(name, 10, 64); err == nil {
		m, err := archive.FindNumber(tx, string(l.ID), n)
		if !errors.Is(err, storage.ErrNotFound) {
			return m, err
		}
	}
	id, nth := MessageID(l, name, nth)
	return archive.Find(tx, string(l.ID), id, nth)
}

// MessageID returns the Message-ID, and which message of that ID, that people mean by it or by an address in the web.
func MessageID(l *list.List, name string, n int) (id string, nth int) {
	u, err := url.Parse(strings.Trim(name, "<> "))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return strings.Trim(name, "<> "), n
	}
	path, ok := strings.CutPrefix(u.EscapedPath(), "/"+l.Name+"/m/")
	if !ok {
		path, ok = strings.CutPrefix(u.EscapedPath(), "/"+l.Name+"/t/") // the thread that it begins
	}
	if !ok {
		return "", n // another list's
	}
	segments := strings.Split(path, "/")
	if len(segments) > 1 {
		if which, err := strconv.Atoi(segments[1]); err == nil {
			n = which
		}
	}
	if id, err = url.PathUnescape(segments[0]); err != nil {
		return "", n
	}
	return id, n
}

// orderedEdit is an edit that was ordered in a transaction, and is carried out after it: an archive is files, which no transaction holds.
type orderedEdit struct {
	List   list.ID   `json:"list"`
	Post   string    `json:"post"` // archive.Message.Post
	Word   string    `json:"word"`
	To     string    `json:"to,omitempty"` // archive.Message.Post of what it is to answer
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Now    time.Time `json:"now"`
}

var orderedEdits = storage.NewTable[string, orderedEdit]("moderation_edits", storage.Strings[string]())

// OrderEdit lets an edit be carried out if the transaction is committed, however soon we crash after it. It returns what [Edit.Check]
// does. Call Wake after the commit.
func (m *Moderation) OrderEdit(tx *storage.Tx, e Edit) error {
	if err := e.Check(tx); err != nil {
		return err
	}
	o := orderedEdit{List: e.List.ID, Post: e.Message.Post, Word: e.Word, By: e.By, Reason: e.Reason, Now: e.Now}
	if e.To != nil {
		o.To = e.To.Post
	}
	return orderedEdits.Put(tx, storage.NewID(e.Now), o)
}

// carryOutEdits does what OrderEdit has noted, in that order.
func (m *Moderation) carryOutEdits(ctx context.Context) error {
	type order struct {
		id string
		orderedEdit
	}
	var all []order
	err := m.DB.View(ctx, func(tx *storage.Tx) error {
		all = nil
		for id, o := range orderedEdits.Scan(tx, storage.Range[string]{}) {
			all = append(all, order{id, o})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what is to be done in archives: %w", err)
	}
	var errs []error
	for _, o := range all {
		err := m.carryOutEdit(ctx, o.orderedEdit)
		if errors.Is(err, archive.ErrPurged) || errors.Is(err, archive.ErrTooLate) || errors.Is(err, archive.ErrThread) || errors.Is(err, storage.ErrNotFound) {
			m.Log.Warn("an order about an archive could no longer be carried out", "word", o.Word, "post", o.Post, "by", o.By, "err", err)
			err = nil
		}
		if err == nil {
			err = m.DB.Update(ctx, func(tx *storage.Tx) error { return orderedEdits.Delete(tx, o.id) })
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s message of post %s: %w", o.Word, o.Post, err))
		}
	}
	return errors.Join(errs...)
}

func (m *Moderation) carryOutEdit(ctx context.Context, o orderedEdit) error {
	e := Edit{Word: o.Word, By: o.By, Reason: o.Reason, Now: o.Now}
	err := m.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if e.List, err = list.Get(tx, o.List); err == nil {
			e.Message, err = archive.FindPost(tx, string(o.List), o.Post)
		}
		if err == nil && o.To != "" {
			e.To, err = archive.FindPost(tx, string(o.List), o.To)
		}
		return err
	})
	if err != nil {
		return err
	}
	return e.Do(ctx, m.Archive)
}
