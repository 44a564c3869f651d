package dsn

// code is a row of the table of enhanced status codes; x in its first place means 4 or 5.
type code struct {
	status string
	class  Class
	weight weight
	why    string
}

// codes is searched from the top (RFC 3463, 5248, 7372, 7505, and what large hosts made of them).
var codes = []code{
	{"x.1.1", Gone, firm, "bad destination mailbox"},
	{"x.1.2", Gone, firm, "bad destination system"},
	{"x.1.3", Gone, firm, "bad destination syntax"},
	{"x.1.6", Gone, firm, "mailbox has moved"},
	{"x.1.7", Policy, firm, "bad syntax of the sender's address"},
	{"x.1.8", Policy, firm, "bad system of the sender's address"},
	{"x.1.10", Gone, firm, "null MX (RFC 7505); Exchange Online: recipient not found"},
	{"5.1.0", Gone, vague, "other address status; many use it for a sender they dislike"},
	{"x.1.*", Unknown, vague, "other trouble with an address"},
	{"5.2.1", Gone, firm, "mailbox disabled"},
	{"x.2.2", Full, firm, "mailbox full"},
	{"x.2.3", Content, firm, "message longer than the mailbox allows"},
	{"x.2.4", Transient, firm, "trouble expanding a list"},
	{"4.2.*", Transient, vague, "other trouble with a mailbox"},
	{"x.3.4", Content, firm, "message too big for the system"},
	{"x.3.*", Transient, vague, "system full, down, not capable, misconfigured"},
	{"x.4.310", Gone, firm, "Exchange Online: the domain is not in the DNS"},
	{"x.4.4", Transient, vague, "no route; the words tell an unknown domain from a lost network"},
	{"x.4.*", Transient, firm, "network, routing, loop, expired"},
	{"x.5.3", Transient, firm, "too many recipients"},
	{"x.5.*", Unknown, vague, "protocol; many use it for anything"},
	{"x.6.*", Content, vague, "content or its encoding"},
	{"x.7.13", Gone, firm, "account disabled (RFC 5248)"},
	{"x.7.17-19", Gone, firm, "RFC 7293: the mailbox has another owner now"},
	{"x.7.20-24", Policy, firm, "DKIM or SPF (RFC 7372)"},
	{"x.7.25", Reputation, firm, "reverse DNS of the sending host (RFC 7372)"},
	{"x.7.26-27", Policy, firm, "authentication (RFC 7372), null MX of the sender (RFC 7505)"},
	{"x.7.28", Reputation, firm, "mail flood; Gmail: rate of unsolicited mail"},
	{"x.7.29-30", Policy, firm, "ARC (RFC 8617), REQUIRETLS (RFC 8689); Gmail: TLS"},
	{"x.7.40", Policy, firm, "Gmail: DMARC missing"},
	{"x.7.509", Policy, firm, "Exchange Online: DMARC"},
	{"x.7.515", Policy, firm, "Outlook.com: sender requirements"},
	{"x.7.500-521", Reputation, firm, "Exchange Online: sending IP"},
	{"x.7.600-699", Reputation, firm, "Exchange Online and Outlook.com: banned or throttled IP"},
	{"x.7.700-799", Reputation, firm, "Exchange Online: tenant or IP with too little reputation"},
	{"x.7.*", Policy, vague, "security or policy; also used for unknown users and for spam"},
}

// replies is for replies without words or an enhanced code that we know. 550 and 554 are not here: hosts use them for everything.
var replies = []struct {
	code  int
	class Class
	why   string
}{
	{421, Transient, "service not available"},
	{450, Transient, "mailbox busy"},
	{451, Transient, "local error"},
	{452, Transient, "insufficient storage, or too many recipients"},
	{521, Gone, "host takes no mail (RFC 7504)"},
	{523, Content, "too long"},
	{530, Policy, "authentication required (RFC 4954)"},
	{535, Policy, "authentication failed (RFC 4954)"},
	{551, Gone, "user not local"},
	{552, Full, "storage allocation exceeded"},
	{553, Gone, "mailbox name not allowed"},
	{556, Gone, "domain takes no mail (RFC 7504)"},
}
