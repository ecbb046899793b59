package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// property is one content line of an iCalendar stream (RFC 5545 §3.1).
type property struct {
	// name and the names of params are in upper case.
	name   string
	params map[string]string
	// value is raw: escapes belong to the type TEXT alone.
	value string
}

// component is what stands between BEGIN and END.
type component struct {
	name  string
	props []property
	subs  []*component
	// text is the component as it was read, without its folds.
	text strings.Builder
}

// first returns the first property of that name; false where there is none.
func (c *component) first(name string) (property, bool) {
	for _, p := range c.props {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

// contentID identifies what has no id by what is in it.
func contentID(text []byte) string {
	sum := sha256.Sum256(text)
	return "content-" + hex.EncodeToString(sum[:])
}

// maxNesting bounds components within components; to-dos need three.
const maxNesting = 16

var errNoCalendar = errors.New("is neither JSON nor iCalendar: it does not begin with BEGIN:VCALENDAR")

// parseCalendar reads iCalendar streams, one after the other. A line that is no content line is told in faults and left
// aside; components that are not closed, or closed crosswise, make the file unreadable.
func parseCalendar(b []byte) (calendars []*component, faults []string, err error) {
	if !utf8.Valid(b) {
		return nil, nil, errors.New("is not UTF-8 (RFC 5545 §6): convert it first")
	}
	root := &component{}
	open := []*component{root}
	for number, line := range unfold(string(b)) {
		p, ok := parseLine(line)
		at := open[len(open)-1]
		switch {
		case line == "":
		case !ok && len(calendars) == 0 && at == root:
			return nil, nil, errNoCalendar
		case !ok:
			faults = append(faults, fmt.Sprintf("logical line %d is no content line and was left aside: %q", number+1, cut(clean(line), 40)))
		case p.name == "BEGIN":
			c := &component{name: strings.ToUpper(strings.TrimSpace(p.value))}
			if at == root && c.name != "VCALENDAR" {
				return nil, nil, errNoCalendar
			}
			if len(open) > maxNesting {
				return nil, nil, fmt.Errorf("has components nested more than %d deep", maxNesting)
			}
			if at.subs = append(at.subs, c); at == root {
				calendars = append(calendars, c)
			}
			open = append(open, c)
		case p.name == "END":
			if name := strings.ToUpper(strings.TrimSpace(p.value)); at == root || at.name != name {
				return nil, nil, fmt.Errorf("logical line %d ends %s where %s is open", number+1, clean(name), clean(at.name))
			}
			open = open[:len(open)-1]
		case at == root:
			return nil, nil, errNoCalendar
		default:
			at.props = append(at.props, p)
			for _, c := range open[min(2, len(open)):] { // a calendar needs no id
				c.text.WriteString(line)
				c.text.WriteByte('\n')
			}
		}
	}
	if len(open) > 1 {
		return nil, nil, fmt.Errorf("ends in the middle: %s is not closed", clean(open[len(open)-1].name))
	}
	return calendars, faults, nil
}

// unfold splits a stream into logical lines: a line break followed by a space or a tab is none. Lone LF and CR
// end lines too, as many programs write them.
func unfold(s string) []string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\n ", ""), "\n\t", "")
	return strings.Split(s, "\n")
}

// parseLine reads name *(";" param) ":" value.
func parseLine(line string) (property, bool) {
	p := property{params: map[string]string{}}
	end := strings.IndexAny(line, ";:")
	if end < 1 || strings.ContainsFunc(line[:end], func(r rune) bool { return !nameRune(r) }) {
		return p, false
	}
	p.name = strings.ToUpper(line[:end])
	rest := line[end:]
	for strings.HasPrefix(rest, ";") {
		name, after, ok := strings.Cut(rest[1:], "=")
		if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return !nameRune(r) }) {
			return p, false
		}
		value, left, ok := parseParam(after)
		if !ok {
			return p, false
		}
		p.params[strings.ToUpper(name)], rest = value, left
	}
	value, ok := strings.CutPrefix(rest, ":")
	p.value = value
	return p, ok
}

func nameRune(r rune) bool {
	return r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// paramEscapes are those of RFC 6868.
var paramEscapes = strings.NewReplacer("^n", "\n", "^'", `"`, "^^", "^")

// parseParam reads param-value *("," param-value), each perhaps quoted, and returns what follows.
func parseParam(s string) (value, rest string, ok bool) {
	var b strings.Builder
	quoted := false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ';' || c == ':'):
			return paramEscapes.Replace(b.String()), s[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// unescape reads a value of type TEXT (RFC 5545 §3.3.11).
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		switch i++; s[i] {
		case 'n', 'N':
			b.WriteByte('\n')
		case '\\', ';', ',', ':', '"':
			b.WriteByte(s[i])
		default: // no escape of the RFC: as it stands
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// splitList splits a list of TEXT values at its commas that are not escaped.
func splitList(s string) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',':
			out = append(out, unescape(s[start:i]))
			start = i + 1
		}
	}
	return append(out, unescape(s[start:]))
}
