package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// strictJSON is huma's JSON format, except that nothing is silently replaced or dropped while reading.
var strictJSON = huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: UnmarshalJSON}

// UnmarshalJSON is json.Unmarshal that refuses what that would quietly mend: bytes that are not UTF-8, half
// surrogate pairs and, in objects, two members of one name. The error's text is fit for the caller.
func UnmarshalJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("is not valid UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return describe(err)
	}
	if bytes.Contains(data, []byte(`\u`)) && !pairedSurrogates(data) {
		return errors.New(`holds half of a surrogate pair (\ud800 to \udfff)`)
	}
	return uniqueNames(data)
}

func describe(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("is not valid JSON: %s, at byte %d", e.Error(), e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("does not have the right type at %q: found %s", e.Field, e.Value)
	}
	return errors.New("is not valid JSON")
}

// pairedSurrogates checks the \u escapes of valid JSON (RFC 8259 section 8.2).
func pairedSurrogates(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++ // the escape's letter
		if data[i] != 'u' {
			continue
		}
		unit := escaped(data[i+1:])
		i += 4
		switch {
		case unit >= 0xDC00 && unit < 0xE000:
			return false
		case unit >= 0xD800 && unit < 0xDC00:
			if !bytes.HasPrefix(data[i+1:], []byte(`\u`)) {
				return false
			}
			if low := escaped(data[i+3:]); low < 0xDC00 || low >= 0xE000 {
				return false
			}
			i += 6
		}
	}
	return true
}

func escaped(hex []byte) uint64 {
	unit, _ := strconv.ParseUint(string(hex[:4]), 16, 16) // json has checked the digits
	return unit
}

// uniqueNames checks valid JSON for objects with two members of one name (RFC 8259 section 4). A string is a name
// where a colon follows it.
func uniqueNames(data []byte) error {
	var open []names
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '{':
			open = append(open, names{})
		case '}':
			open = open[:len(open)-1]
		case '"':
			end := closingQuote(data, i)
			next := bytes.TrimLeft(data[end+1:], " \t\r\n")
			if len(next) > 0 && next[0] == ':' && !open[len(open)-1].add(data[i:end+1]) {
				return fmt.Errorf("names %s twice", data[i:end+1])
			}
			i = end
		}
	}
	return nil
}

// closingQuote returns where the string that starts at data[start] ends.
func closingQuote(data []byte, start int) int {
	for i := start + 1; ; i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
}

// names are the members of one object: a list while they are few, a set so that many do not take forever.
type names struct {
	few  [][]byte
	many map[string]bool
}

const fewNames = 24

// add notes a quoted name; false means that it was there already.
func (n *names) add(quoted []byte) bool {
	name := quoted
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var plain string
		if json.Unmarshal(quoted, &plain) == nil { // always: data is valid JSON
			name = append(append([]byte{'"'}, plain...), '"')
		}
	}
	if n.many == nil && len(n.few) < fewNames {
		for _, other := range n.few {
			if bytes.Equal(other, name) {
				return false
			}
		}
		n.few = append(n.few, name)
		return true
	}
	if n.many == nil {
		n.many = make(map[string]bool, 2*fewNames)
		for _, other := range n.few {
			n.many[string(other)] = true
		}
	}
	if n.many[string(name)] {
		return false
	}
	n.many[string(name)] = true
	return true
}
