package templates

import (
	"slices"
	"sync"
)

// Fault is what is wrong with something that was entered. A page says it in its reader's language ([Set.Fault]), everything else, as
// an error, in English. The words of both are "fault.KEY" in templates/locale.
type Fault struct {
	Field string // what it is about: a setting, or a part of a mail; "" inside another fault
	Key   string
	Args  []any // pairs of a parameter's name and its value, which may be a *Fault: a part that has words of its own
}

// NewFault returns what is wrong with a field.
func NewFault(field, key string, args ...any) *Fault { return &Fault{field, key, args} }

// FaultPart returns a value for a parameter of a fault that has words of its own.
func FaultPart(key string, args ...any) *Fault { return &Fault{"", key, args} }

// Error says in English which field is wrong and why.
func (f *Fault) Error() string {
	text := english().fault(f)
	if f.Field == "" {
		return text
	}
	return f.Field + ": " + text
}

// Fault says what is wrong in a language, without the name of the field.
func (s *Set) Fault(lang string, f *Fault) string { return s.words[s.known(lang)].fault(f) }

func (w words) fault(f *Fault) string {
	args := slices.Clone(f.Args)
	for i, v := range args {
		if part, ok := v.(*Fault); ok {
			args[i] = w.fault(part)
		}
	}
	text, err := w.text("fault."+f.Key, args)
	if err != nil {
		return f.Key // which a test makes sure does not happen
	}
	return text
}

// Faults returns the faults that an error is made of, which may be several joined ones.
func Faults(err error) (all []*Fault) {
	switch e := err.(type) {
	case *Fault:
		return []*Fault{e}
	case interface{ Unwrap() error }:
		return Faults(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			all = append(all, Faults(err)...)
		}
	}
	return all
}

// english are the words of errors and records: the files of the language are part of the program.
var english = sync.OnceValue(func() words {
	w, err := readWords(LastResort)
	if err != nil {
		panic(err) // unreachable: New has read the same files, or a test has
	}
	return w
})
