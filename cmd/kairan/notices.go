package main

import (
	"context"
	"fmt"
	"strconv"

	"kairan/list"
	"kairan/list/posting"
	"kairan/storage"
)

// tellLeft mails who has left, with the way back. That the mail cannot be queued does not undo the leaving.
func (app *App) tellLeft(ctx context.Context, l *list.List, m *list.Member) {
	lang := l.LanguageOf(m)
	subject, body, err := app.write(ctx, l, "undo", lang, map[string]string{
		"list":    l.Title(),
		"address": m.Address.String(),
		"days":    strconv.Itoa(list.UndoDays),
		"url":     app.Site.URL + "/-/undo/" + list.UndoToken(m.Token),
		"owner":   l.Suffixed("owner").String(),
	})
	if err == nil {
		err = app.Path.Notify(ctx, posting.Notice{List: l, To: m.Address, Subject: subject, Body: body})
	}
	if err != nil {
		app.Log.Error("the mail that confirms a leaving was not sent", "err", fmt.Errorf("%s from %s: %w", m.Address, l.Address, err))
	}
}

// tellRefused mails an author that a list refused a post which another one took.
func (app *App) tellRefused(ctx context.Context, l *list.List, p *list.Post) error {
	rule := p.Verdict.Reasons[0].Rule // a refusal by the rules always has one
	lang := l.Settings.PreferredLanguage
	subject, body, err := app.write(ctx, l, "refused", lang, map[string]string{
		"list":    l.Address.String(),
		"subject": p.Subject,
		"title":   app.Templates.T(lang, "reason."+rule+".title"),
		"means":   app.Templates.T(lang, "reason."+rule+".means"),
		"do":      app.Templates.T(lang, "reason."+rule+".do"),
		"url":     app.Site.URL + "/-/why/" + rule,
	})
	if err != nil {
		return err
	}
	return app.Path.Notify(ctx, posting.Notice{List: l, To: p.Author, Subject: subject, Body: body})
}

// write writes a mail about a list in the words that hold there.
func (app *App) write(ctx context.Context, l *list.List, name, lang string, args map[string]string) (subject, body string, err error) {
	err = app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		subject, body, err = list.Write(tx, app.Templates, l, name, lang, args)
		return err
	})
	return subject, body, err
}
