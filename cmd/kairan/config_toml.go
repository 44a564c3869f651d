package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// mismatch is how the decoder says that a value has the wrong type.
var mismatch = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*?)"\): (.*)$`)

// decodeTOML decodes over v. It returns all unknown keys, or the first other error, with their lines in what is called name;
// "" is one line that needs no place.
func decodeTOML(name, text string, v any) error {
	md, err := toml.Decode(text, v)
	if pe, ok := errors.AsType[toml.ParseError](err); ok {
		key := ""
		if pe.LastKey != "" {
			key = pe.LastKey + ": "
		}
		return fmt.Errorf("%s%s%s", place(name, pe.Position.Line), key, pe.Message)
	}
	if err != nil {
		if m := mismatch.FindStringSubmatch(err.Error()); m != nil {
			line, _ := strconv.Atoi(m[1])
			return fmt.Errorf("%s%s: %s", place(name, line), m[2], m[3])
		}
		return fmt.Errorf("%s%w", place(name, 0), err)
	}
	var errs []error
	for _, key := range md.Undecoded() {
		errs = append(errs, fmt.Errorf("%sunknown key %q", place(name, lineOf(text, key.String())), key.String()))
	}
	return errors.Join(errs...)
}

// place starts an error with the line it is about; 0 is no line.
func place(name string, line int) string {
	switch {
	case name == "":
		return ""
	case line == 0:
		return name + ": "
	}
	return fmt.Sprintf("%s:%d: ", name, line)
}

// lineOf finds the line on which a key is set, or the table it stands in; 0 if there is none.
func lineOf(text, key string) int {
	for ; key != ""; key = key[:max(0, strings.LastIndexByte(key, '.'))] { // a quoted name has dots of its own, which do no harm
		if n := lineOfExactly(text, key); n > 0 {
			return n
		}
	}
	return 0
}

func lineOfExactly(text, key string) int {
	table, bare := "", strings.NewReplacer(`"`, "", "'", "")
	key = bare.Replace(key)
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			table, _, _ = strings.Cut(strings.TrimLeft(line, "["), "]")
			if table = bare.Replace(strings.TrimSpace(table)); table == key {
				return i + 1
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		name = bare.Replace(strings.TrimSpace(name))
		if table != "" {
			name = table + "." + name
		}
		if ok && name == key {
			return i + 1
		}
	}
	return 0
}
