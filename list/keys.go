package list

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"strings"
	"time"

	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/storage"
)

// DKIMKey is a domain's signing key as it is kept: PKCS #8 in PEM.
type DKIMKey struct {
	Selector string `json:"selector"`
	PEM      string `json:"pem"`
}

var (
	dkimKeys = storage.NewTable[string, DKIMKey]("dkim_keys", text)
	secrets  = storage.NewTable[string, []byte]("secrets", text)
)

// SetDKIMKey gives a domain (A-labels) its signing key.
func SetDKIMKey(tx *storage.Tx, domain string, k DKIMKey) error { return dkimKeys.Put(tx, domain, k) }

// GetDKIMKey returns a domain's signing key, or storage.ErrNotFound.
func GetDKIMKey(tx *storage.Tx, domain string) (DKIMKey, error) { return dkimKeys.Get(tx, domain) }

// NewKey makes a signing key for a domain (A-labels), or returns nil if it has one. It takes a while: call it outside of
// transactions, and then GiveKey within.
func NewKey(ctx context.Context, db *storage.DB, domain string, now time.Time) (*DKIMKey, error) {
	found := false
	err := db.View(ctx, func(tx *storage.Tx) error {
		found = dkimKeys.Has(tx, domain)
		return nil
	})
	if err != nil || found {
		return nil, err
	}
	key, err := mailauth.GenerateKey()
	if err != nil {
		return nil, err
	}
	pem, err := mailauth.EncodeKey(key)
	return &DKIMKey{Selector: "kairan" + now.Format("200601"), PEM: string(pem)}, err
}

// GiveKey gives a domain a key that NewKey has made, unless it has got one meanwhile, and reports whether it did.
func GiveKey(tx *storage.Tx, domain string, k *DKIMKey) (bool, error) {
	if k == nil || dkimKeys.Has(tx, domain) {
		return false, nil
	}
	return true, SetDKIMKey(tx, domain, *k)
}

// DKIMKeys yields the domains that have a signing key.
func DKIMKeys(tx *storage.Tx) iter.Seq2[string, DKIMKey] {
	return dkimKeys.Scan(tx, storage.Range[string]{})
}

// SignerOf returns who signs mail of a domain (A-labels), or storage.ErrNotFound.
func SignerOf(tx *storage.Tx, domain string) (*mailauth.Signer, error) {
	k, err := GetDKIMKey(tx, domain)
	if err != nil {
		return nil, fmt.Errorf("DKIM key of %s: %w", domain, err)
	}
	key, err := mailauth.ParseKey([]byte(k.PEM))
	if err != nil {
		return nil, fmt.Errorf("DKIM key of %s: %w", domain, err)
	}
	return &mailauth.Signer{Domain: domain, Selector: k.Selector, Key: key}, nil
}

// VERPSecret names the secret that bounce addresses are made with.
const VERPSecret = "verp"

// Secret returns the site's secret of that name, 32 bytes, made by the first schema.
func Secret(tx *storage.Tx, name string) ([]byte, error) { return secrets.Get(tx, name) }

func makeSecrets(tx *storage.Tx) error {
	s := make([]byte, 32)
	rand.Read(s)
	return secrets.Put(tx, VERPSecret, s)
}

// Migrations are those of everything in the store, in order.
func Migrations() []storage.Migration {
	return []storage.Migration{
		{Version: 1, Name: "the first schema", Run: makeSecrets},
		{Version: 2, Name: "settings for bounces", Run: func(tx *storage.Tx) error {
			return addSettings(tx, func(s *Settings) bool { return s.BounceScoreThreshold == 0 }, (*Settings).defaultBounces)
		}},
		{Version: 3, Name: "settings for digests", Run: func(tx *storage.Tx) error {
			return addSettings(tx, func(s *Settings) bool { return s.DigestVolumeFrequency == "" }, (*Settings).defaultDigests)
		}},
		{Version: 4, Name: "the setting withdraw_hours", Run: func(tx *storage.Tx) error {
			return addSettings(tx, func(s *Settings) bool { return s.WithdrawHours == 0 }, func(s *Settings) { s.WithdrawHours = withdrawHours })
		}},
		{Version: 5, Name: "posts by their author", Run: indexAuthors},
		{Version: 6, Name: "the numbers of members", Run: recountMembers},
		{Version: 7, Name: "the numbers of members without delivery", Run: recountOff},
		{Version: 8, Name: "sessions by address and end", Run: indexSessions},
		{Version: 9, Name: "requests and links of who has left by address", Run: indexForgotten},
		{Version: 10, Name: "the latest change of each setting, and how bans came", Run: indexRevisions},
	}
}

// VERP makes and reads the envelope senders that tell post and member when a copy bounces:
// list-bounces+TOKEN@domain. TOKEN is 15 bytes in lower-case base32, because
// some MTAs fold case: post number (4), start of the member's token hash (6), MAC (5).
type VERP struct{ key []byte }

// NewVERP returns a VERP over the site's secret.
func NewVERP(secret []byte) *VERP { return &VERP{key: secret} }

var verpEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Sender returns the envelope sender of a copy of post number n to the member with that token.
func (v *VERP) Sender(l *List, n uint64, token string) address.Address {
	hash := sha256.Sum256([]byte(token))
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	b = append(b, hash[:6]...)
	b = append(b, v.mac(l.ID, b)...)
	return l.Suffixed("bounces+" + strings.ToLower(verpEncoding.EncodeToString(b)))
}

// Parse returns the post number and the tag for [MemberByTag] of a token that we made for this list.
func (v *VERP) Parse(l *List, token string) (n uint64, tag string, err error) {
	b, err := verpEncoding.DecodeString(strings.ToUpper(token))
	if err != nil || len(token) != 24 || len(b) != 15 || !hmac.Equal(b[10:], v.mac(l.ID, b[:10])) {
		return 0, "", fmt.Errorf("bounce token %q is not ours", token)
	}
	return uint64(binary.BigEndian.Uint32(b)), hex.EncodeToString(b[4:10]), nil
}

func (v *VERP) mac(l ID, b []byte) []byte {
	m := hmac.New(sha256.New, v.key)
	m.Write([]byte("verp\x00" + string(l) + "\x00"))
	m.Write(b)
	return m.Sum(nil)[:5]
}
