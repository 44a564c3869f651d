package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/storage"
	"kairan/templates"
)

const passkeysPath = "/-/my/passkeys"

// myPasskeys are the passkeys of the actor.
func (s *site) myPasskeys(w http.ResponseWriter, r *http.Request, a actor) error {
	return s.passkeysPage(w, r, a, http.StatusOK, "")
}

// passkeysPage shows them. wrong is why none was added, or "".
func (s *site) passkeysPage(w http.ResponseWriter, r *http.Request, a actor, status int, wrong string) error {
	f := templates.FrameOf(r.Context())
	view := templates.Passkeys{Wrong: wrong}
	err := s.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
		view.Rows, err = s.passkeyRows(tx, list.PersonOf(tx, a.address), f.Lang)
		return err
	})
	if err != nil {
		return err
	}
	view.Full = len(view.Rows) >= list.MaxPasskeys
	f.Private, f.Title = true, s.Templates.T(f.Lang, "passkeys.title")
	return s.Templates.Serve(w, r, templates.Reply{Status: status, Page: "passkeys", Frame: f, View: view})
}

// passkeyRows are the passkeys of a person.
func (s *site) passkeyRows(tx *storage.Tx, who *list.Person, lang string) (rows []templates.PasskeyRow, err error) {
	for _, k := range who.Passkeys(tx) {
		c, err := credentialOf(k)
		if err != nil {
			return nil, err
		}
		rows = append(rows, templates.PasskeyRow{
			Key: k.Key, Name: k.Name, Synced: c.Flags.BackupState, Suspect: templates.NewTime(lang, k.Suspect.In(s.Site.Location)),
			Created: templates.NewTime(lang, k.Created.In(s.Site.Location)), Used: templates.NewTime(lang, k.Used.In(s.Site.Location)),
		})
	}
	return rows, nil
}

// changePasskeys is a button of that page: "add" or "remove".
func (s *site) changePasskeys(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	switch form.Get("do") {
	case "add":
		return s.challengePasskey(w, r, a, cmp.Or(cleanName(form.Get("name")), browserName(r.UserAgent()), s.Templates.T(lang, "passkeys.unnamed")))
	case "remove":
		_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (subscribe.Result, error) {
			return s.Subscribe.RemovePasskey(tx, list.PersonOf(tx, a.address), form.Get("key"), a.edit())
		})
		if err != nil {
			return err
		}
		return s.done(w, r, passkeysPath, templates.Flash{Text: s.Templates.T(lang, "passkeys.removed")})
	}
	return errNotUnderstood
}

// challengePasskey asks the browser for a new passkey.
func (s *site) challengePasskey(w http.ResponseWriter, r *http.Request, a actor, name string) error {
	var who *list.Person
	holder := keyHolder{name: a.address.String()}
	err := s.DB.Update(r.Context(), func(tx *storage.Tx) error {
		holder.keys = nil
		who = list.PersonOf(tx, a.address)
		for _, k := range who.Passkeys(tx) {
			c, err := credentialOf(k)
			if err != nil {
				return err
			}
			holder.keys = append(holder.keys, c)
		}
		if len(holder.keys) >= list.MaxPasskeys {
			return list.ErrPasskeys
		}
		return who.Keep(tx, time.Now())
	})
	if errors.Is(err, list.ErrPasskeys) {
		lang := templates.FrameOf(r.Context()).Lang
		return s.passkeysPage(w, r, a, http.StatusUnprocessableEntity, s.Templates.T(lang, "passkeys.full"))
	}
	if err != nil {
		return err
	}
	holder.handle = []byte(who.ID)
	options, session, err := s.passkeys.BeginRegistration(holder,
		webauthn.WithExclusions(webauthn.Credentials(holder.keys).CredentialDescriptors()), // one device, one passkey
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationPreferred,
		}))
	if err != nil {
		return fmt.Errorf("passkey: %w", err)
	}
	text, err := json.Marshal(options.Response)
	if err != nil {
		return err
	}
	return s.ask(w, r, challenge{Session: *session, Person: who.ID, Name: name}, templates.Passkey{
		Adds: true, Options: string(text), Action: passkeysPath + "/add", Back: passkeysPath,
	})
}

// addPasskey is the browser's answer.
func (s *site) addPasskey(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang := templates.FrameOf(r.Context()).Lang
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(form.Get("response")))
	var refused error
	if err != nil {
		refused = err
	} else {
		_, err = s.Subscribe.Do(r.Context(), func(tx *storage.Tx) (res subscribe.Result, err error) {
			res, refused, err = s.keepPasskey(tx, r, a, answer)
			return res, err
		})
		if err != nil {
			return err
		}
	}
	http.SetCookie(w, s.cookie("passkey", "", -1))
	if refused != nil {
		s.Log.Info("passkey not added", "address", a.address.String(), "error", refused)
		return s.passkeysPage(w, r, a, http.StatusUnprocessableEntity, s.Templates.T(lang, "passkeys.not-added"))
	}
	return s.done(w, r, passkeysPath, templates.Flash{Text: s.Templates.T(lang, "passkeys.added")})
}

// keepPasskey checks the answer to the browser's challenge and adds the passkey. refused says why not.
func (s *site) keepPasskey(tx *storage.Tx, r *http.Request, a actor, answer *protocol.ParsedCredentialCreationData) (res subscribe.Result, refused, err error) {
	now := time.Now()
	who := list.PersonOf(tx, a.address)
	c, err := s.takeChallenge(tx, r, now)
	if errors.Is(err, storage.ErrNotFound) || err == nil && (c.Person == "" || c.Person != who.ID) {
		return res, errNoChallenge, nil
	}
	if err != nil {
		return res, nil, err
	}
	credential, refused := s.passkeys.CreateCredential(keyHolder{handle: []byte(who.ID)}, c.Session, answer)
	if refused != nil {
		return res, refused, nil
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return res, nil, err
	}
	k := list.Passkey{Handle: []byte(who.ID), Name: c.Name, Created: now, Credential: text}
	res, err = s.Subscribe.AddPasskey(tx, who, credential.ID, k)
	if errors.Is(err, list.ErrExists) || errors.Is(err, list.ErrPasskeys) {
		return res, err, nil
	}
	return res, nil, err
}
