package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// uniqueNames checks valid JSON for objects with two members of one name (RFC 8259 section 4).
func uniqueNames(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []map[string]bool // nil for an array
	name := false              // the next token of an object is a name
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return describe(err)
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
		case string:
			if name {
				in := open[len(open)-1]
				if in[t] {
					return fmt.Errorf("names %q twice", t)
				}
				in[t], name = true, false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
