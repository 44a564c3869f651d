package message

import "time"

// Limits that Check enforces on what comes from outside.
type Limits struct {
	HeaderBytes int // of the whole top header
	Fields      int // header fields
	Depth       int // MIME nesting
	Parts       int // MIME parts in all
	Received    int // hops
}

// DefaultLimits are what the daemon accepts unless configured otherwise.
var DefaultLimits = Limits{HeaderBytes: 128 << 10, Fields: 500, Depth: 20, Parts: 200, Received: 100}

// Message is a raw message (RFC 5322) with its header split into fields. It is immutable.
type Message struct {
	// unexported: raw, header, offset of the body
}

// Parse splits raw into header and body. It never fails: a line without a colon is kept as
// part of what stands before it, a missing blank line means an empty body.
// Lines end in CRLF, or in LF for mail from old files.
func Parse(raw []byte) *Message { panic("contract") }

// Raw returns the message as it came.
func (m *Message) Raw() []byte { panic("contract") }

// Body returns what follows the blank line.
func (m *Message) Body() []byte { panic("contract") }

// Header returns the header fields in order.
func (m *Message) Header() Header { panic("contract") }

// Check says which limit the message breaks, in a sentence for an SMTP reply, or "".
// It reads no more of the message than it must.
func (m *Message) Check(l Limits) string { panic("contract") }

// Field is one header field as it stands in the message: name, colon, value and line ends.
type Field struct {
	Name string // as written
	Raw  []byte // whole, with its line ends
}

// Value returns the value unfolded and trimmed, otherwise as written.
func (f Field) Value() string { panic("contract") }

// Header is the fields of a message in order. Editing returns a new Header and leaves the bytes of other fields alone.
type Header []Field

// Get returns the value of the first field of that name (any case), or "".
func (h Header) Get(name string) string { panic("contract") }

// Text is Get with encoded words decoded and control characters removed.
func (h Header) Text(name string) string { panic("contract") }

// All returns the fields of that name, in order.
func (h Header) All(name string) []Field { panic("contract") }

// Without returns the header without the fields for which drop is true.
func (h Header) Without(drop func(Field) bool) Header { panic("contract") }

// Prepend returns the header with fields on top, in the order given.
func (h Header) Prepend(fields ...Field) Header { panic("contract") }

// Set replaces the first field of that name in its place and drops the others;
// it is appended at the end of the header if there is none.
func (h Header) Set(f Field) Header { panic("contract") }

// Bytes returns the header with the blank line that ends it.
func (h Header) Bytes() []byte { panic("contract") }

// NewField makes a field from a value that is already in wire form (ASCII, or UTF-8 in an SMTPUTF8 message),
// folded at 78 columns where it has white space; CR, LF and NUL in name or value are removed.
func NewField(name, value string) Field { panic("contract") }

// TextField makes an unstructured field (Subject…) from text, encoded as RFC 2047 asks, in the charset
// given if it can hold the text ("ISO-2022-JP" or "UTF-8"), else UTF-8.
func TextField(name, text, charset string) Field { panic("contract") }

// Join returns header, blank line and body as one message.
func Join(h Header, body []byte) []byte { panic("contract") }

// Part is a leaf or a container of the MIME tree, in the order of the message.
type Part struct {
	Path        string // "1.2": position in the tree, "" for the message itself
	Header      Header
	ContentType string            // lower case, "text/plain" if absent or unreadable
	Params      map[string]string // of Content-Type; names in lower case
	Disposition string            // "inline", "attachment" or ""
	Filename    string            // decoded (RFC 2231, RFC 2047, raw), base name only, safe
	Raw         []byte            // the body as in the message, encoded
}

// Parts walks the MIME tree without recursion and returns its leaves and containers within
// DefaultLimits; what lies beyond them is returned as opaque leaves.
func (m *Message) Parts() []Part { panic("contract") }

// IsMultipart reports whether the part only holds others.
func (p Part) IsMultipart() bool { panic("contract") }

// Decode undoes the content transfer encoding; damaged input gives what could be read.
func (p Part) Decode() []byte { panic("contract") }

// Text returns the decoded body of a text part as UTF-8 with LF line ends, format=flowed joined (RFC 3676, DelSp too),
// and the charset that was used.
func (p Part) Text() (text, charset string) { panic("contract") }

// DecodeCharset turns bytes into UTF-8: first as the charset declared (any name used in the wild), then, where that does
// not fit the bytes, as what Japanese mail most likely is (ISO-2022-JP with vendor extensions and half-width kana, CP932, EUC-JP, UTF-8).
// used names the charset that was taken.
func DecodeCharset(declared string, b []byte) (text, used string) { panic("contract") }

// EncodeCharset encodes text in "UTF-8", "US-ASCII" or a Japanese charset as a mail program would (half-width kana made full width,
// wave dash and minus mapped for ISO-2022-JP). ok is false when the charset cannot hold the text.
func EncodeCharset(charset, text string) (b []byte, ok bool) { panic("contract") }

// DecodeHeader returns the text of a header value: encoded words (RFC 2047, also where the
// standard does not allow them), raw 8-bit bytes, control characters removed.
func DecodeHeader(value string) string { panic("contract") }

// MessageID returns the first message identifier in value without "<>", or "".
func MessageID(value string) string { panic("contract") }

// MessageIDs returns all identifiers of a References or In-Reply-To value, without "<>".
func MessageIDs(value string) []string { panic("contract") }

// Date returns the Date field's time, read tolerantly; ok is false when it is missing or absurd.
func (m *Message) Date() (t time.Time, ok bool) { panic("contract") }

// BaseSubject strips reply and forward words in any of their forms (Re: RE： Ｒｅ： Re[2]: Re^2: 返信： 転送： Fwd:), list prefixes
// in brackets and white space (RFC 5256, section 2.1, and Japanese practice). reply is true if a reply word was there.
func BaseSubject(subject string) (base string, reply bool) { panic("contract") }
