package dsn

import (
	"slices"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code     int
		enhanced string
		text     string
		class    Class
		rule     string
	}{
		{250, "2.0.0", "Ok", NotABounce, "accepted"},
		{550, "5.1.1", "<taro@example.jp>: Recipient address rejected: User unknown", Gone, "unknown-user"},
		{550, "5.1.1", "", Gone, "status-5.1.1"},
		{0, "5.4.4", "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)", Gone, "unknown-host"},
		{550, "5.6.0", "<taro@example.jp>: Recipient address rejected: Media error", Content, "media-error"},
		{550, "", "#5.1.0 Address rejected.", Gone, "address-rejected"},
		{0, "5.4.4", "Host or domain name not found. Name service error for name=example.org type=MX: Malformed or unexpected name server reply", Transient, "dns-trouble"},
		{550, "", "Unknown user taro@docomo.ne.jp", Gone, "docomo-unknown-user"},
		{550, "", "Unknown user taro@example.jp", Gone, "unknown-user"},
		{550, "5.4.1", "Recipient address rejected: Access denied. [x.protection.outlook.com]", Gone, "edge-unknown-recipient"},
		{550, "5.7.1", "No such user", Gone, "unknown-user"},
		{550, "5.1.1", "mailbox is over quota", Full, "mailbox-full"},
		{552, "5.2.2", "", Full, "status-5.2.2"},
		{452, "4.2.2", "The email account that you tried to reach is over quota", Full, "mailbox-full"},
		{550, "5.7.1", "ﾒｰﾙﾎﾞｯｸｽが一杯です", Full, "mailbox-full"},
		{550, "", "宛先\n不明", Gone, "unknown-user"},
		{552, "5.3.4", "Message size exceeds fixed limit; mailbox quota is fine", Content, "too-large"},
		{550, "5.7.1", "SPF check failed", Policy, "authentication"},
		{550, "5.7.26", "Unauthenticated email is not accepted due to domain's DMARC policy", Policy, "authentication"},
		{550, "5.7.27", "", Policy, "status-5.7.27"},
		{550, "5.7.25", "", Reputation, "status-5.7.25"},
		{550, "5.7.606", "", Reputation, "status-5.7.606"},
		{550, "5.7.649", "", Reputation, "status-5.7.649"},
		{550, "5.7.509", "", Policy, "status-5.7.509"},
		{550, "5.7.1", "", Policy, "status-5.7.1"},
		{554, "5.7.1", "Service unavailable; Client host [192.0.2.1] blocked using bl.example; user unknown", Reputation, "block-list"},
		{421, "4.7.0", "[TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", Reputation, "yahoo-deferred"},
		{450, "4.2.0", "Greylisted, see http://postgrey.example/help", Transient, "greylisted"},
		{450, "4.1.1", "<a@example.jp>: Recipient address rejected: unverified address: Address verification in progress", Transient, "being-verified"},
		{550, "", "Sender address rejected: Domain not found", Policy, "sender-refused"},
		{550, "", "spam@example.jp user-unknown@example.jp", Unknown, "no-rule"},
		{550, "", "", Unknown, "no-rule"},
		{554, "", "Transaction refused", Policy, "refused"},
		{551, "", "", Gone, "reply-551"},
		{451, "", "", Transient, "reply-451"},
		{455, "", "", Transient, "temporary"},
		{0, "", "smtp; 550 5.2.1 <a@example.jp>", Gone, "status-5.2.1"},
		{0, "", "host 5.1.1.2 said 550", Unknown, "no-rule"},
		{554, "5.7.1", "This message looks like spam to us", Content, "spam"},
		{550, "5.1.1", "scanned by SomeAntivirus", Gone, "status-5.1.1"},
		{550, "", "Destinatario desconocido", Gone, "unknown-user-abroad"},
		{0, "5.1.0", "5.1.0 - Unknown address error 550-'5.7.26 not today' (delivery attempts: 0)", Policy, "status-5.7.26"},
		{451, "4.7.1", "Try again later", Transient, "come-again"},
		{452, "4.2.2", "Try again later", Full, "status-4.2.2"},
	} {
		class, rule := Classify(tt.code, tt.enhanced, tt.text)
		if class != tt.class || rule != tt.rule {
			t.Errorf("Classify(%d, %q, %q) = %s, %s; want %s, %s", tt.code, tt.enhanced, tt.text, class, rule, tt.class, tt.rule)
		}
	}
}

// TestTables: what stands in the tables can match, and no row hides a phrase of a later one.
func TestTables(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, r := range slices.Concat(phrases, hints) {
		if names[r.name] || r.why == "" || len(r.phrases) == 0 {
			t.Errorf("rule %q: twice, empty, or without a reason", r.name)
		}
		names[r.name] = true
		for n, p := range r.phrases {
			if folded := fold(p); strings.TrimSpace(folded) != strings.TrimSpace(p) {
				t.Errorf("%s: %q is not folded: %q", r.name, p, folded)
			}
			if slices.Contains(r.phrases[:n], p) {
				t.Errorf("%s: %q twice", r.name, p)
			}
		}
	}
	for n, f := range formats {
		if f.why == "" || f.name == "subject" && n != len(formats)-1 {
			t.Errorf("format %q: without a reason, or not last", f.name)
		}
	}
}

func TestContains(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		words, phrase string
		want          bool
	}{
		{"a mailbox of taro is full", "mailbox ... full", true},
		{"full mailbox", "mailbox ... full", false},
		{"mailbox " + strings.Repeat("x", 200) + " full", "mailbox ... full", false},
		{"mailbox " + strings.Repeat("x", 200) + " mailbox full", "mailbox ... full", true},
		{"", "mailbox", false},
	} {
		if got := contains(tt.words, tt.phrase); got != tt.want {
			t.Errorf("contains(%.40q, %q) = %v", tt.words, tt.phrase, got)
		}
	}
}
