package smtpd

import (
	"iter"
	"strconv"
	"strings"
)

// cutPath splits what follows "FROM:" or "TO:" into the path between "<" and ">" and the
// parameters after it (RFC 5321, section 4.1.2). A source route is dropped as section 4.1.1.3
// asks. The path is found by its brackets only; what may stand in it, address.Parse knows.
func cutPath(s string) (path, params string, ok bool) {
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, "<") {
		return "", "", false
	}
	quoted := false
	for i := 1; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '>' && !quoted:
			params = s[i+1:]
			if params != "" && params[0] != ' ' {
				return "", "", false
			}
			return dropRoute(s[1:i]), params, true
		}
	}
	return "", "", false
}

// dropRoute turns "@a,@b:ann@c" into "ann@c".
func dropRoute(path string) string {
	if !strings.HasPrefix(path, "@") {
		return path
	}
	_, mailbox, _ := strings.Cut(path, ":")
	return mailbox
}

// mailParams are the parameters of MAIL that mean something to us.
type mailParams struct {
	size int64 // RFC 1870; 0 if not given
	utf8 bool  // RFC 6531
}

// parseMailParams reads the parameters of MAIL. RET, ENVID (RFC 3461) and AUTH (RFC 4954)
// are accepted whatever they say: nothing here depends on them.
// A fault that is not OK is the answer to the command.
func parseMailParams(s string) (p mailParams, fault Reply) {
	for key, value := range params(s) {
		switch key {
		case "SIZE":
			size, err := strconv.ParseUint(value, 10, 63)
			if err != nil {
				return p, badParam("SIZE is not a number")
			}
			p.size = int64(size)
		case "BODY":
			if body := strings.ToUpper(value); body != "7BIT" && body != "8BITMIME" {
				return p, badParam("BODY must be 7BIT or 8BITMIME")
			}
		case "SMTPUTF8":
			p.utf8 = true
		case "RET", "ENVID", "AUTH":
		default:
			return p, unknownParam()
		}
	}
	return p, Reply{}
}

// parseRcptParams accepts the parameters of RFC 3461 and no others.
func parseRcptParams(s string) (fault Reply) {
	for key := range params(s) {
		if key != "NOTIFY" && key != "ORCPT" {
			return unknownParam()
		}
	}
	return Reply{}
}

func badParam(text string) Reply {
	return Reply{Code: 501, Enhanced: [3]int{5, 5, 4}, Text: text}
}

func unknownParam() Reply {
	return Reply{Code: 555, Enhanced: [3]int{5, 5, 4}, Text: "Parameter not recognised"}
}

// params yields keywords in upper case with their values.
func params(s string) iter.Seq2[string, string] {
	return func(yield func(key, value string) bool) {
		for field := range strings.FieldsSeq(s) {
			key, value, _ := strings.Cut(field, "=")
			if !yield(strings.ToUpper(key), value) {
				return
			}
		}
	}
}
