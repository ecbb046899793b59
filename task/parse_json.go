package task

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Limits of a JSON body, beyond the size, which the caller limits.
const (
	maxDepth   = 8
	maxMembers = 64
)

// kind is the kind of a JSON value, named by its first byte ('-' and digits are number).
type kind byte

const (
	object  kind = '{'
	array   kind = '['
	text    kind = '"'
	number  kind = '0'
	boolean kind = 't'
	null    kind = 'n'
)

// what names a kind for an error text.
func (k kind) what() string {
	switch k {
	case object:
		return "an object"
	case array:
		return "an array"
	case text:
		return "a string"
	case number:
		return "a number"
	case boolean:
		return "true or false"
	default:
		return "null"
	}
}

// value is one JSON value: text holds a string's characters or a number's literal, items what an array or an
// object contains; inside an object each item has its name.
type value struct {
	kind  kind
	name  string
	text  string
	items []value
}

// reader reads strict JSON (RFC 8259, and of RFC 7493 what keeps a text from meaning two things): names are
// unique, strings are valid Unicode, nothing follows. encoding/json lets all three pass.
type reader struct {
	body  []byte
	pos   int
	field string // the top-level member being read, for errors
	fault *FieldError
}

// readObject reads body as one JSON object. The error is [Invalid] and names the top-level member it is in, or
// "body".
func readObject(body []byte) ([]value, error) {
	r := reader{body: body, field: "body"}
	r.space()
	if r.pos == len(body) {
		return nil, Invalid{{"body", "is empty: send a JSON object"}}
	}
	v, ok := r.value(1)
	if ok && v.kind != object {
		return nil, Invalid{{"body", "must be a JSON object, not " + v.kind.what()}}
	}
	if r.space(); ok && r.pos < len(body) {
		r.fail("something follows the JSON object at byte %d: send one object only", r.pos)
	}
	if r.fault != nil {
		return nil, Invalid{*r.fault}
	}
	return v.items, nil
}

// fail keeps the first fault and returns false.
func (r *reader) fail(format string, args ...any) bool {
	if r.fault == nil {
		r.fault = &FieldError{r.field, fmt.Sprintf(format, args...)}
	}
	return false
}

func (r *reader) space() {
	for r.pos < len(r.body) {
		switch r.body[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (r *reader) peek() byte {
	if r.pos < len(r.body) {
		return r.body[r.pos]
	}
	return 0
}

func (r *reader) unexpected(want string) bool {
	if r.pos >= len(r.body) {
		return r.fail("is not JSON: it ends where %s should come", want)
	}
	return r.fail("is not JSON: %q at byte %d where %s should come", rune(r.body[r.pos]), r.pos, want)
}

// value reads a value; a container read by it is the depth-th around its content.
func (r *reader) value(depth int) (value, bool) {
	switch c := r.peek(); {
	case c == '"':
		s, ok := r.string()
		return value{kind: text, text: s}, ok
	case c == '{' || c == '[':
		if depth > maxDepth {
			return value{}, r.fail("is nested more than %d deep", maxDepth)
		}
		if c == '{' {
			return r.object(depth)
		}
		return r.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	for _, w := range []string{"null", "true", "false"} {
		if strings.HasPrefix(string(r.body[r.pos:min(r.pos+len(w), len(r.body))]), w) {
			r.pos += len(w)
			if w == "null" {
				return value{kind: null}, true
			}
			return value{kind: boolean, text: w}, true
		}
	}
	return value{}, r.unexpected("a value")
}

func (r *reader) object(depth int) (value, bool) {
	v := value{kind: object}
	r.pos++
	if r.space(); r.peek() == '}' {
		r.pos++
		return v, true
	}
	v.items = make([]value, 0, 8)
	for {
		if r.space(); r.peek() != '"' {
			return v, r.unexpected("a name in double quotes")
		}
		name, ok := r.string()
		if !ok {
			return v, false
		}
		if depth == 1 {
			r.field = fieldName(name)
		}
		if !r.fresh(v.items, name) {
			return v, false
		}
		if r.space(); r.peek() != ':' {
			return v, r.unexpected("':'")
		}
		r.pos++
		r.space()
		item, ok := r.value(depth + 1)
		if !ok {
			return v, false
		}
		item.name = name
		v.items = append(v.items, item)
		if depth == 1 {
			r.field = "body"
		}
		if more, ok := r.more('}'); !more {
			return v, ok
		}
	}
}

// fresh says whether a member of that name may join the others.
func (r *reader) fresh(items []value, name string) bool {
	if len(items) == maxMembers {
		return r.fail("an object may have at most %d fields", maxMembers)
	}
	for i := range items {
		if items[i].name == name {
			return r.fail("%s is given twice in one object: give it once", strconv.Quote(shorten(name)))
		}
	}
	return true
}

func (r *reader) array(depth int) (value, bool) {
	v := value{kind: array}
	r.pos++
	if r.space(); r.peek() == ']' {
		r.pos++
		return v, true
	}
	for {
		r.space()
		item, ok := r.value(depth + 1)
		if !ok {
			return v, false
		}
		v.items = append(v.items, item)
		if more, ok := r.more(']'); !more {
			return v, ok
		}
	}
}

// more reads what follows an item: a comma (more), or the end of the container.
func (r *reader) more(end byte) (more, ok bool) {
	r.space()
	switch r.peek() {
	case ',':
		r.pos++
		return true, true
	case end:
		r.pos++
		return false, true
	}
	return false, r.unexpected("',' or '" + string(rune(end)) + "'")
}

func (r *reader) digits() bool {
	start := r.pos
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.pos++
	}
	return r.pos > start || r.unexpected("a digit")
}

func (r *reader) number() (value, bool) {
	start := r.pos
	if r.peek() == '-' {
		r.pos++
	}
	zero := r.peek() == '0'
	first := r.pos
	if !r.digits() {
		return value{}, false
	}
	if zero && r.pos > first+1 {
		return value{}, r.fail("is not JSON: a number starts with 0 at byte %d", first)
	}
	if r.peek() == '.' {
		r.pos++
		if !r.digits() {
			return value{}, false
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		if !r.digits() {
			return value{}, false
		}
	}
	return value{kind: number, text: string(r.body[start:r.pos])}, true
}

// string reads a string from its opening quote on.
func (r *reader) string() (string, bool) {
	r.pos++
	start := r.pos
	for i := start; i < len(r.body); i++ {
		switch c := r.body[i]; {
		case c == '"':
			r.pos = i + 1
			return r.plain(start, i)
		case c == '\\':
			return r.escaped(start, i)
		case c < 0x20:
			return "", r.fail("is not JSON: a string holds an unescaped control character at byte %d", i)
		}
	}
	return "", r.fail("is not JSON: a string does not end")
}

// plain returns body[from:to], which must be UTF-8.
func (r *reader) plain(from, to int) (string, bool) {
	if !utf8.Valid(r.body[from:to]) {
		return "", r.fail("is not valid UTF-8 in the string at byte %d", from)
	}
	return string(r.body[from:to]), true
}

// escaped goes on reading a string that has its first backslash at i.
func (r *reader) escaped(start, i int) (string, bool) {
	out := make([]byte, 0, 2*(i-start)+32)
	for from := start; ; from = r.pos {
		for i < len(r.body) && r.body[i] != '"' && r.body[i] != '\\' && r.body[i] >= 0x20 {
			i++
		}
		if i == len(r.body) {
			return "", r.fail("is not JSON: a string does not end")
		}
		if !utf8.Valid(r.body[from:i]) {
			return "", r.fail("is not valid UTF-8 in the string at byte %d", start)
		}
		out = append(out, r.body[from:i]...)
		if r.body[i] == '"' {
			r.pos = i + 1
			return string(out), true
		}
		if r.body[i] != '\\' {
			return "", r.fail("is not JSON: a string holds an unescaped control character at byte %d", i)
		}
		r.pos = i + 1
		var ok bool
		if out, ok = r.escape(out); !ok {
			return "", false
		}
		i = r.pos
	}
}

// escape appends what the escape after a backslash stands for.
func (r *reader) escape(out []byte) ([]byte, bool) {
	c := r.peek()
	r.pos++
	if c == 'u' {
		return r.codePoint(out)
	}
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return append(out, "\"\\/\b\f\n\r\t"[i]), true
	}
	return nil, r.fail("is not JSON: unknown escape in a string at byte %d", r.pos-2)
}

// codePoint appends the code point of a \u escape, of two if the first is a surrogate.
func (r *reader) codePoint(out []byte) ([]byte, bool) {
	at := r.pos - 2
	c, ok := r.hex()
	if ok && utf16.IsSurrogate(c) {
		var low rune
		if r.peek() == '\\' && r.pos+1 < len(r.body) && r.body[r.pos+1] == 'u' {
			r.pos += 2
			low, ok = r.hex()
		}
		if c = utf16.DecodeRune(c, low); ok && c == utf8.RuneError {
			return nil, r.fail("has half a surrogate pair (\\ud800–\\udfff alone) at byte %d", at)
		}
	}
	if !ok {
		return nil, r.fail("is not JSON: \\u needs four hexadecimal digits at byte %d", at)
	}
	return utf8.AppendRune(out, c), true
}

func (r *reader) hex() (rune, bool) {
	if r.pos+4 > len(r.body) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.body[r.pos:r.pos+4]), 16, 16)
	r.pos += 4
	return rune(n), err == nil
}

// shorten cuts a name from outside to what an error text can bear.
func shorten(s string) string {
	if utf8.RuneCountInString(s) <= 40 {
		return s
	}
	return string([]rune(s)[:40]) + "…"
}

// fieldName is the name of a member as an error may carry it: never empty, never with control characters.
func fieldName(name string) string {
	q := strconv.Quote(shorten(name))
	if q != `"`+name+`"` || name == "" {
		return q
	}
	return name
}
