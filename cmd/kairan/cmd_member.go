package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
	"kairan/templates"
)

type memberCmd struct {
	Add    memberAdd    `cmd:"" help:"Add an address to a list."`
	Import memberImport `cmd:"" help:"Add all addresses of a file."`
	Export memberExport `cmd:"" help:"Print the members as CSV."`
	Ls     memberLs     `cmd:"" help:"Name the members."`
	Show   memberShow   `cmd:"" help:"Show what is known of an address."`
	Set    memberSet    `cmd:"" help:"Change a member's settings."`
	Rm     memberRm     `cmd:"" help:"Remove an address from a list."`

	Pending  memberPending  `cmd:"" help:"Name who waits for a moderator, and of whom an answer is awaited: to an invitation, or a mail that confirms."`
	Resend   memberResend   `cmd:"" help:"Mail once more what an address has not answered."`
	Withdraw memberWithdraw `cmd:"" help:"Withdraw what an address has not answered; its link opens nothing any more."`
}

// whichMember names an address in a role of a list.
type whichMember struct {
	List    string    `arg:"" help:"Posting address of the list."`
	Address string    `arg:"" help:"The member's address."`
	Role    list.Role `enum:"member,nonmember,owner,moderator" default:"member" help:"${enum}."`
}

// find returns the list and the address.
func (w *whichMember) find(tx *storage.Tx) (*list.List, address.Address, error) {
	addr, err := address.Parse(w.Address)
	if err != nil {
		return nil, addr, usageError{err}
	}
	l, err := parseList(tx, w.List)
	return l, addr, err
}

type memberAdd struct {
	whichMember
	DisplayName string `help:"The person's name."`
	Welcome     *bool  `negatable:"" help:"Mail a welcome, or what the role means; a member's is as the list's settings say by default."`
	Moderation  string `enum:",default,accept,hold,reject,discard" default:"" help:"What happens to the posts of a nonmember: default, accept, hold, reject or discard."`
	Invite      bool   `help:"Ask the address whether it wants to be a member, instead of making it one."`
}

// Validate is called by kong.
func (cmd *memberAdd) Validate() error {
	if cmd.Moderation != "" && cmd.Role != list.RoleNonmember {
		return errors.New("--moderation is for --role=nonmember; of a member set it with kairan member set")
	}
	if cmd.Invite && (cmd.Role != list.RoleMember || cmd.Welcome != nil || cmd.DisplayName != "") {
		return errors.New("--invite asks for a membership only, and who accepts gives a name and is welcomed as others are")
	}
	return nil
}

func (cmd *memberAdd) run(ctx context.Context, app *App, _ call, std streams) error {
	res, err := app.Subscribe.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) {
		l, addr, err := cmd.find(tx)
		if err != nil {
			return subscribe.Result{}, err
		}
		r := subscribe.Request{List: l, Address: addr, Name: cmd.DisplayName, By: list.ByOperator, Tell: cmd.Welcome, Now: time.Now().In(app.Site.Location)}
		if cmd.Moderation != "" {
			return subscribe.Result{}, cmd.know(tx, l, r)
		}
		if cmd.Role != list.RoleMember {
			return app.Subscribe.Appoint(tx, r, cmd.Role)
		}
		if cmd.Invite {
			return app.Subscribe.Invite(tx, r)
		}
		return app.Subscribe.Add(tx, r)
	})
	if err != nil {
		return err
	}
	switch res.State {
	case subscribe.Full:
		return fmt.Errorf("%s was not asked: the list has sent as many invitations as it may in a day", cmd.Address)
	case subscribe.Already:
		return fmt.Errorf("%s, member of the list: %w", cmd.Address, list.ErrExists)
	case subscribe.Refused:
		return fmt.Errorf("%s is banned from the list or the site", cmd.Address)
	case subscribe.NoRoom:
		return fmt.Errorf("%s has as many members as it may (max_members)", cmd.List)
	case subscribe.Unwanted:
		return fmt.Errorf("%s has said that it wants no mail that others ask for", cmd.Address)
	}
	return nil
}

// know makes the address a nonmember whose posts are treated so.
func (cmd *memberAdd) know(tx *storage.Tx, l *list.List, r subscribe.Request) error {
	m := list.Member{List: l.ID, Address: r.Address, DisplayName: r.Name, ModerationAction: actionOf(cmd.Moderation)}
	changed, err := list.Know(tx, m, false, list.Edit{By: r.By, At: r.Now})
	if err == nil && !changed {
		err = fmt.Errorf("%s, nonmember of the list: %w", cmd.Address, list.ErrExists)
	}
	return err
}

// actionOf is the action that a flag names.
func actionOf(flag string) list.Action {
	if flag == "default" {
		return ""
	}
	return list.Action(flag)
}

type memberImport struct {
	List string `arg:"" help:"Posting address of the list."`
	File string `arg:"" help:"An address a line, or CSV with a header line; - is standard input."`
	// Of many, unlike of one: who moves a list here does not write to everybody.
	Welcome bool `help:"Mail each a welcome." xor:"how"`
	Invite  bool `help:"Ask each whether it wants to be a member, instead of making it one." xor:"how"`

	Role       list.Role `enum:"member,nonmember" default:"member" help:"${enum}."`
	Moderation string    `enum:",default,accept,hold,reject,discard" default:"" help:"What happens to the posts of nonmembers, where the file does not say it: default, accept, hold, reject or discard."`
}

// Validate is called by kong.
func (cmd *memberImport) Validate() error {
	if cmd.Role == list.RoleNonmember && (cmd.Welcome || cmd.Invite) || cmd.Role == list.RoleMember && cmd.Moderation != "" {
		return errors.New("--welcome and --invite are for members, --moderation for nonmembers")
	}
	return nil
}

func (cmd *memberImport) inputFile() string { return cmd.File }

func (cmd *memberImport) run(ctx context.Context, app *App, c call, std streams) error {
	var l *list.List
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = parseList(tx, cmd.List)
		return err
	})
	if err != nil {
		return err
	}
	roster, err := list.ReadRoster(std.in)
	if err != nil {
		return fmt.Errorf("nothing was imported from %s:\n%w", cmd.File, err)
	}
	total, repeated := roster.Len(), roster.Repeated
	update, end := progressBar(c, std.err, "importing")
	do, joined := subscribe.DoAdd, "joined"
	if cmd.Invite {
		do, joined = subscribe.DoInvite, "were asked"
	}
	bulk := subscribe.Bulk{List: l, Roster: roster, Do: do, Role: cmd.Role, Action: actionOf(cmd.Moderation), By: list.ByOperator, Tell: cmd.Welcome, Now: time.Now().In(app.Site.Location)}
	done, err := app.Subscribe.Carry(ctx, bulk, update)
	end()
	if err != nil {
		return err
	}
	n := done.Count
	if cmd.Role == list.RoleNonmember {
		fmt.Fprintf(std.out, "%d addresses: %d added, %d changed, %d as before, %d left out as members, %d lines repeated an address\n",
			total, n[subscribe.Joined], n[subscribe.Changed], n[subscribe.Already], n[subscribe.MemberState], repeated)
		return nil
	}
	fmt.Fprintf(std.out, "%d addresses: %d %s, %d were members before, %d lines repeated an address\n", total, n[subscribe.Joined]+n[subscribe.Asked], joined, n[subscribe.Already], repeated)
	for _, left := range []struct {
		state subscribe.State
		why   string
	}{
		{subscribe.Refused, "are banned"}, {subscribe.Unwanted, "want no mail that others ask for"},
		{subscribe.Full, "are more than may be invited in a day"}, {subscribe.NoRoom, "are more than the list may have (max_members)"},
	} {
		if n[left.state] > 0 {
			fmt.Fprintf(std.out, "%d %s and were left out:\n  %s\n", n[left.state], left.why, printable(strings.Join(done.Named[left.state], " ")))
		}
	}
	return nil
}

type memberExport struct {
	List string    `arg:"" help:"Posting address of the list."`
	Role list.Role `enum:"member,nonmember,owner,moderator" default:"member" help:"${enum}."`
}

func (cmd *memberExport) run(ctx context.Context, app *App, _ call, std streams) error {
	w := csv.NewWriter(std.out)
	w.Write(list.RosterColumns())
	err := app.eachMember(ctx, cmd.List, cmd.Role, func(m *list.Member) { w.Write(m.RosterRow()) })
	w.Flush()
	return errors.Join(err, w.Error())
}

// eachMember calls f for each member of the list that the argument names.
func (app *App) eachMember(ctx context.Context, listArg string, role list.Role, f func(*list.Member)) error {
	var l *list.List
	err := app.DB.View(ctx, func(tx *storage.Tx) (err error) {
		l, err = parseList(tx, listArg)
		return err
	})
	if err != nil {
		return err
	}
	return list.EachMember(ctx, app.DB, l.ID, role, func(m *list.Member) error {
		f(m)
		return nil
	})
}

type memberLs struct {
	List string    `arg:"" help:"Posting address of the list."`
	Role list.Role `enum:"member,nonmember,owner,moderator" default:"member" help:"${enum}."`
	format
}

// memberView is a member as ls and show print it: without its secret.
type memberView struct {
	List string    `json:"list,omitempty"`
	Role list.Role `json:"role"`
	list.Member
	Token   string       `json:"token,omitempty"` // hides Member's
	Bounces string       `json:"bounces,omitempty"`
	History []list.Event `json:"history,omitempty"`
	Former  bool         `json:"former,omitempty"` // has left, or was taken off
}

func viewMember(l string, m *list.Member) memberView {
	return memberView{List: l, Role: m.Role, Member: *m}
}

func (cmd *memberLs) run(ctx context.Context, app *App, _ call, std streams) error {
	views := []memberView{}
	err := app.eachMember(ctx, cmd.List, cmd.Role, func(m *list.Member) {
		if cmd.JSON {
			views = append(views, viewMember("", m))
			return
		}
		fmt.Fprintln(std.out, printable(m.Address.String()))
	})
	if err != nil {
		return err
	}
	return cmd.show(std.out, views, func(io.Writer) {})
}

type memberShow struct {
	Address string `arg:"" help:"The address."`
	format
}

func (cmd *memberShow) run(ctx context.Context, app *App, _ call, std streams) error {
	addr, err := address.Parse(cmd.Address)
	if err != nil {
		return usageError{err}
	}
	var views []memberView
	err = app.DB.View(ctx, func(tx *storage.Tx) error {
		views = []memberView{}
		for id, role := range list.Memberships(tx, addr) {
			l, err := list.Get(tx, id)
			if err != nil {
				return err
			}
			m, err := list.GetMember(tx, id, role, addr)
			if err != nil {
				return err
			}
			v := viewMember(l.Address.String(), m)
			if role == list.RoleMember {
				if v.Bounces, err = app.Bounces.Words(tx, templates.LastResort, l, m); err != nil {
					return err
				}
				v.History = slices.Collect(list.MemberHistory(tx, id, addr))
			}
			views = append(views, v)
		}
		views = append(views, former(tx, addr)...)
		return nil
	})
	if err != nil {
		return err
	}
	if len(views) == 0 {
		return fmt.Errorf("%s is in no list", addr)
	}
	return cmd.show(std.out, views, func(w io.Writer) {
		table(w, func(row func(...any)) {
			row("LIST", "ROLE", "DELIVERY", "MODE", "MODERATION", "SINCE")
			for _, v := range views {
				if v.Former {
					row(v.List, "no more", "-", "-", "-", "-")
					continue
				}
				row(v.List, v.Role, cmp.Or(string(v.DeliveryStatus), "enabled"), v.Mode(), cmp.Or(string(v.ModerationAction), "-"), app.when(v.Joined))
			}
		})
		for _, v := range views {
			if v.Bounces == "" && len(v.History) == 0 {
				continue
			}
			fmt.Fprintf(w, "\n%s\n", v.List)
			if v.Bounces != "" {
				fmt.Fprintf(w, "  bounces: %s\n", printable(v.Bounces))
			}
			for _, e := range v.History {
				fmt.Fprintf(w, "  %s  %s\n", app.when(e.At), printable(strings.TrimSpace(e.Stage+" "+e.Text)+by(e.By)))
			}
		}
	})
}

// former is what is remembered of somebody in lists that it has left or was taken off.
func former(tx *storage.Tx, addr address.Address) (views []memberView) {
	for l := range list.All(tx) {
		if _, err := list.GetMember(tx, l.ID, list.RoleMember, addr); !errors.Is(err, list.ErrNotMember) {
			continue
		}
		if h := slices.Collect(list.MemberHistory(tx, l.ID, addr)); len(h) > 0 {
			views = append(views, memberView{List: l.Address.String(), Member: list.Member{Address: addr}, History: h, Former: true})
		}
	}
	return views
}

func by(who string) string {
	if who == "" {
		return ""
	}
	return " (" + who + ")"
}

type memberSet struct {
	whichMember
	DisplayName     *string              `help:"The person's name."`
	Language        *string              `enum:"ja,en" help:"${enum}."`
	Delivery        *list.DeliveryStatus `enum:"enabled,by_user,by_moderator" help:"Whether mail is sent: ${enum}."`
	DeliveryMode    *list.DeliveryMode   `enum:"regular,mime_digests,plaintext_digests" help:"How posts come: ${enum}. It holds from the next post on."`
	Moderation      *string              `enum:"default,accept,hold,reject,discard" help:"What happens to this address's posts: ${enum}."`
	OwnPosts        *bool                `negatable:"" help:"Send copies of own posts."`
	Duplicates      *bool                `negatable:"" help:"Send copies of posts that name the member in To or Cc."`
	Ack             *bool                `negatable:"" help:"Tell the member when a post of its own went out."`
	Receipt         *bool                `negatable:"" help:"Tell the member, an hour after a post of its own, what became of the copies."`
	Unauthenticated *bool                `negatable:"" help:"Believe posts although the domain publishes no authentication."`
}

func (cmd *memberSet) run(ctx context.Context, app *App, _ call, std streams) error {
	if (*cmd == memberSet{whichMember: cmd.whichMember}) {
		return usageError{errors.New("nothing to set: give a flag")}
	}
	return app.DB.Update(ctx, func(tx *storage.Tx) error {
		l, addr, err := cmd.find(tx)
		if err != nil {
			return err
		}
		m, err := list.GetMember(tx, l.ID, cmd.Role, addr)
		if err != nil {
			return err
		}
		if err := canDigest(l, cmd.DeliveryMode); err != nil {
			return err
		}
		cmd.apply(m)
		return list.ChangeMember(tx, *m, "operator", time.Now())
	})
}

func (cmd *memberSet) apply(m *list.Member) {
	set(&m.DisplayName, cmd.DisplayName)
	set(&m.Language, cmd.Language)
	set(&m.DeliveryStatus, cmd.Delivery)
	set(&m.DeliveryMode, cmd.DeliveryMode)
	set(&m.Unauthenticated, cmd.Unauthenticated)
	set(&m.AcknowledgePosts, cmd.Ack)
	set(&m.DeliveryReceipt, cmd.Receipt)
	if cmd.OwnPosts != nil {
		m.NoOwnPosts = !*cmd.OwnPosts
	}
	if cmd.Duplicates != nil {
		m.NoDuplicates = !*cmd.Duplicates
	}
	if cmd.Moderation != nil {
		if m.ModerationAction = list.Action(*cmd.Moderation); *cmd.Moderation == "default" {
			m.ModerationAction = ""
		}
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

type memberRm struct {
	whichMember
	Goodbye *bool `negatable:"" help:"Mail a member that it is none any more; as the list's settings say by default."`
}

func (cmd *memberRm) run(ctx context.Context, app *App, _ call, std streams) error {
	res, err := app.Subscribe.Do(ctx, func(tx *storage.Tx) (subscribe.Result, error) {
		l, addr, err := cmd.find(tx)
		if err != nil {
			return subscribe.Result{}, err
		}
		r := subscribe.Request{List: l, Address: addr, By: list.ByOperator, Tell: cmd.Goodbye, Now: time.Now().In(app.Site.Location)}
		if cmd.Role != list.RoleMember {
			return app.Subscribe.Dismiss(tx, r, cmd.Role)
		}
		return app.Subscribe.Release(tx, r)
	})
	if err == nil && res.State == subscribe.NotMember {
		err = fmt.Errorf("%s: %w", cmd.Address, list.ErrNotMember)
	}
	return err
}
