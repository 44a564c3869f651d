package list

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"kairan/templates"
)

// wrongRegexp says why a pattern is no regular expression, or returns nil.
func wrongRegexp(pattern string) *templates.Fault {
	_, err := regexp.Compile("(?i)" + pattern)
	if err == nil {
		return nil
	}
	var wrong *syntax.Error
	errors.As(err, &wrong) // regexp returns no other
	return templates.FaultPart("regexp", "value", pattern, "why", templates.FaultPart("regexp."+regexpFault(wrong.Code), "at", strings.TrimPrefix(wrong.Expr, "(?i)")))
}

func regexpFault(code syntax.ErrorCode) string {
	switch code {
	case syntax.ErrInvalidCharClass:
		return "class"
	case syntax.ErrInvalidCharRange:
		return "range"
	case syntax.ErrInvalidEscape:
		return "escape"
	case syntax.ErrInvalidNamedCapture:
		return "name"
	case syntax.ErrInvalidPerlOp:
		return "perl"
	case syntax.ErrInvalidRepeatOp:
		return "repeat"
	case syntax.ErrInvalidRepeatSize:
		return "size"
	case syntax.ErrInvalidUTF8:
		return "utf8"
	case syntax.ErrMissingBracket:
		return "bracket"
	case syntax.ErrMissingParen:
		return "paren"
	case syntax.ErrMissingRepeatArgument:
		return "nothing"
	case syntax.ErrTrailingBackslash:
		return "backslash"
	case syntax.ErrUnexpectedParen:
		return "unexpected"
	}
	return "large"
}
