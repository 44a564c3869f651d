package archivetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"mime/quotedprintable"
	"strings"
	"time"

	"golang.org/x/text/encoding/japanese"
)

// mail is the message as an archive receives it, with what the servers on its way wrote into its header.
func (c *Corpus) mail(t *told, body string) []byte {
	name, addr, _ := strings.Cut(t.from, " <")
	addr = strings.TrimSuffix(addr, ">")
	when := Start.Add(time.Duration(t.n) * Every).Format(time.RFC1123Z)
	var h bytes.Buffer
	c.received(&h, addr, t.n, when)
	c.signed(&h, addr)
	fmt.Fprintf(&h, "From: %s <%s>\nTo: ops@lists.example.jp\n", word(name), addr)
	if len(t.refs) > 0 && t.n%3 > 0 {
		fmt.Fprintf(&h, "Cc: %s,\n\t%s\n", mailbox(people[t.n%len(people)]), mailbox(people[t.n*7%len(people)]))
	}
	fmt.Fprintf(&h, "Subject: %s\nDate: %s\nMessage-ID: <%s>\n", word(t.subject), when, id(t.n))
	if len(t.refs) > 0 {
		h.WriteString("In-Reply-To: <" + id(t.refs[len(t.refs)-1]) + ">\nReferences:")
		for _, n := range t.refs {
			h.WriteString(" <" + id(n) + ">\n")
		}
	}
	h.WriteString(programs[len(addr)%len(programs)])
	h.WriteString(listFields)
	h.WriteString("MIME-Version: 1.0\n")
	h.WriteString(c.content(t, body))
	return bytes.ReplaceAll(h.Bytes(), []byte("\n"), []byte("\r\n"))
}

// received writes the trace: the archive's own server, the list's, its filter, the author's provider, the author.
func (c *Corpus) received(h *bytes.Buffer, addr string, n int, when string) {
	domain := addr[strings.IndexByte(addr, '@')+1:]
	hop := func(from, ip, by, how string) {
		fmt.Fprintf(h, "Received: from %s (%s [%s])\n\tby %s (Postfix) with %s id %X%X\n\tfor <ops@lists.example.jp>; %s\n", from, from, ip, by, how, n*7919+len(by), n*31, when)
	}
	h.WriteString("Return-Path: <ops-bounces@lists.example.jp>\nX-Original-To: archive@store.example.jp\nDelivered-To: archive@store.example.jp\n")
	hop("lists.example.jp", "192.0.2.26", "store.example.jp", "ESMTPS")
	hop("localhost", "127.0.0.1", "lists.example.jp", "ESMTP")
	hop("filter.example.jp", "192.0.2.27", "lists.example.jp", "ESMTPS")
	fmt.Fprintf(h, "X-Virus-Scanned: Example Scanner at filter.example.jp\nX-Spam-Flag: NO\nX-Spam-Score: -%d.%d\nX-Spam-Level:\n", n%4, n%10)
	fmt.Fprintf(h, "X-Spam-Status: No, score=-%d.%d required=5.0 tests=[DKIM_SIGNED=0.1,\n\tDKIM_VALID=-0.1, DKIM_VALID_AU=-0.1, RCVD_IN_DNSWL_LOW=-0.7,\n\tSPF_PASS=-0.001] autolearn=ham autolearn_force=no\n", n%4, n%10)
	fmt.Fprintf(h, "Authentication-Results: filter.example.jp;\n\tdkim=pass (2048-bit key; unprotected) header.d=%s header.i=@%s header.a=rsa-sha256 header.s=s2016;\n\tspf=pass smtp.mailfrom=%s; dmarc=pass (p=none dis=none) header.from=%s\n", domain, domain, addr, domain)
	fmt.Fprintf(h, "Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=198.51.100.%d;\n\thelo=out%d.%s; envelope-from=%s; receiver=ops@lists.example.jp\n", n%250, n%9, domain, addr)
	hop(fmt.Sprintf("out%d.%s", n%9, domain), fmt.Sprintf("198.51.100.%d", n%250), "filter.example.jp", "ESMTPS")
	hop("submit."+domain, "203.0.113.5", fmt.Sprintf("out%d.%s", n%9, domain), "ESMTP")
	hop(fmt.Sprintf("client%d.%s", n%999, domain), fmt.Sprintf("203.0.113.%d", n%250), "submit."+domain, "ESMTPSA")
}

// signed writes the signatures: the provider's, and the forwarder's of a fifth.
func (c *Corpus) signed(h *bytes.Buffer, addr string) {
	domain := addr[strings.IndexByte(addr, '@')+1:]
	if len(addr)%5 == 0 {
		fmt.Fprintf(h, "ARC-Seal: i=1; a=rsa-sha256; t=946684800; cv=none; d=forward.example.com; s=arc;\n b=%s\n", c.noise(256, "\n "))
		fmt.Fprintf(h, "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=forward.example.com; s=arc;\n h=to:subject:message-id:date:from:mime-version;\n bh=%s;\n b=%s\n", c.noise(32, ""), c.noise(256, "\n "))
		fmt.Fprintf(h, "ARC-Authentication-Results: i=1; forward.example.com; dkim=pass header.d=%s; spf=pass smtp.mailfrom=%s\n", domain, addr)
	}
	fmt.Fprintf(h, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s2016;\n h=from:to:cc:subject:date:message-id:in-reply-to:references:mime-version:content-type;\n bh=%s;\n b=%s\n", domain, c.noise(32, ""), c.noise(256, "\n "))
}

// programs are the fields of programs that authors use.
var programs = []string{
	"User-Agent: Example Mail 1.0\nContent-Language: ja\n",
	"X-Mailer: Example Post [ja] 7.2\nX-Priority: 3\nX-Accept-Language: ja, en\n",
	"User-Agent: Sample/2.3 (X11; Example OS)\n",
	"Thread-Topic: ops\nThread-Index: AQHVexampleexampleexampleexample==\nAccept-Language: ja-JP, en-US\nContent-Language: ja-JP\nX-MS-Has-Attach:\nX-MS-TNEF-Correlator:\nx-originating-ip: [203.0.113.77]\n",
}

// listFields are those of the list.
const listFields = `Precedence: list
X-BeenThere: ops@lists.example.jp
X-Mailman-Version: 2.1.29
List-Id: Talk of operators <ops.lists.example.jp>
List-Unsubscribe: <https://lists.example.jp/mailman/options/ops>,
 <mailto:ops-request@lists.example.jp?subject=unsubscribe>
List-Archive: <https://lists.example.jp/pipermail/ops/>
List-Post: <mailto:ops@lists.example.jp>
List-Help: <mailto:ops-request@lists.example.jp?subject=help>
List-Subscribe: <https://lists.example.jp/mailman/listinfo/ops>,
 <mailto:ops-request@lists.example.jp?subject=subscribe>
Errors-To: ops-bounces@lists.example.jp
Sender: "ops" <ops-bounces@lists.example.jp>
`

// content is the body with its fields: a few have HTML beside the text, and a few a file with them.
func (c *Corpus) content(t *told, body string) string {
	part := c.part(t, body)
	switch c.r.IntN(33) {
	case 0:
		name := c.en[t.n%500]
		return fmt.Sprintf("Content-Type: multipart/mixed; boundary=\"=_%d\"\n\n--=_%d\n%s\n--=_%d\nContent-Type: application/pdf; name=\"%s.pdf\"\nContent-Disposition: attachment; filename=\"%s.pdf\"\nContent-Transfer-Encoding: base64\n\n%s\n--=_%d--\n",
			t.n, t.n, part, t.n, name, name, c.noise(10_000+c.r.IntN(20_000), "\n"), t.n)
	case 1, 2:
		rich := "<html><body><div>" + strings.ReplaceAll(html.EscapeString(body), "\n", "<br>\n") + "</div></body></html>\n"
		return fmt.Sprintf("Content-Type: multipart/alternative; boundary=\"=_%d\"\n\n--=_%d\n%s\n--=_%d\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s\n--=_%d--\n",
			t.n, t.n, part, t.n, printable(rich), t.n)
	}
	return part
}

// part is the text with the header fields that say how it is written.
func (c *Corpus) part(t *told, body string) string {
	const fields = "Content-Type: text/plain; charset=%s\nContent-Transfer-Encoding: %s\n\n"
	switch how := c.r.IntN(10); {
	case t.ja && how < 3:
		if s, err := japanese.ISO2022JP.NewEncoder().String(body); err == nil {
			return fmt.Sprintf(fields, "iso-2022-jp", "7bit") + s
		}
	case how == 3:
		return fmt.Sprintf(fields, "utf-8", "base64") + lines(base64.StdEncoding.EncodeToString([]byte(body)), "\n") + "\n"
	case how == 4:
		return fmt.Sprintf(fields, "utf-8", "quoted-printable") + printable(body)
	}
	return fmt.Sprintf(fields, "utf-8", "8bit") + body
}

// printable is quoted-printable.
func printable(s string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	w.Write([]byte(s)) // a strings.Builder does not fail
	w.Close()
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

func mailbox(who string) string {
	name, addr, _ := strings.Cut(who, " <")
	return word(name) + " <" + addr
}

// word is an encoded word (RFC 2047) where one is needed; long ones are folded.
func word(s string) string {
	ascii := true
	for _, r := range s {
		ascii = ascii && r < 0x80
	}
	if ascii {
		return s
	}
	var out []string
	for r := []rune(s); len(r) > 0; {
		n := min(len(r), 13)
		out = append(out, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(string(r[:n])))+"?=")
		r = r[n:]
	}
	return strings.Join(out, "\n ")
}

// noise is base64 of n bytes that mean nothing, its lines ended by end.
func (c *Corpus) noise(n int, end string) string {
	b := make([]byte, 0, n+8)
	for len(b) < n {
		v := c.r.Uint64()
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56))
	}
	return lines(base64.StdEncoding.EncodeToString(b[:n]), end)
}

// lines cuts s into lines of 72 characters.
func lines(s, end string) string {
	var b strings.Builder
	for len(s) > 72 {
		b.WriteString(s[:72] + end)
		s = s[72:]
	}
	return b.String() + s
}
