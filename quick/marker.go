package quick

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tag matches #home: letters, digits, marks, - _ and /, at least one of them a letter ("#1" is a number).
func (p *parser) tag(i int) (phrase, bool) {
	p.steps++
	t := p.tokens[i]
	if t.class != word || t.text[0] != '#' {
		return phrase{}, false
	}
	name := t.text[1:]
	letters := false
	for _, r := range name {
		switch {
		case unicode.IsLetter(r):
			letters = true
		case unicode.IsNumber(r), unicode.IsMark(r), r == '-', r == '_', r == '/', r == '\u200d':
		default:
			return phrase{}, false
		}
	}
	if !letters || utf8.RuneCountInString(name) > MaxTag {
		return phrase{}, false
	}
	return phrase{to: i + 1, kind: KindTag, value: name}, true
}

func fold(s string) string { return strings.ToLower(s) }

// priority matches !high, !h, !1, p1 and so on; p4 says that there is none.
func (p *parser) priority(i int) (phrase, bool) {
	v, ok := priorities[p.word(i)]
	return phrase{to: i + 1, kind: KindPriority, value: v}, ok
}

// reminder matches "remind me 1 day and 30 min before", "reminder 2h", "!30m" and "no reminder".
func (p *parser) reminder(i int) (phrase, bool) {
	w := p.word(i)
	ph := phrase{kind: KindReminder}
	if strings.HasPrefix(w, "!") {
		n, u, ok := gluedAmount(w[1:])
		ph.to = i + 1
		return p.withMinutes(ph, ok, n, u)
	}
	if w == "no" && p.is(i+1, "reminder", "reminders") {
		return phrase{to: i + 2, kind: KindReminder, quiet: true, need: hard}, true
	}
	if w != "remind" && w != "reminder" && w != "reminders" {
		return phrase{}, false
	}
	j := p.skip(i+1, "me")
	ok := false
	for range MaxReminders {
		n, u, to, amount := p.amount(j)
		if !amount {
			break
		}
		if ph, ok = p.withMinutes(ph, true, n, u); !ok {
			return phrase{}, false
		}
		ph.to, j, ph.need = to, to, hard
		if end := p.ahead(to); end > to {
			ph.to, j, ph.need = end, end, open
		}
		if p.comma(j) || p.is(j, "and", "&") {
			j++
		}
	}
	return ph, ok
}

// ahead returns the end of "before", "earlier", "in advance" and the like at j.
func (p *parser) ahead(j int) int {
	if p.is(j, "before", "earlier", "prior", "ahead", "beforehand") {
		return j + 1
	}
	return p.skip(j, "in", "advance")
}

// withMinutes adds a reminder to the phrase, if it is one the task may have.
func (p *parser) withMinutes(ph phrase, ok bool, n int, u unit) (phrase, bool) {
	per := map[unit]int{minute: 1, hour: 60, day: 24 * 60, week: 7 * 24 * 60}[u]
	if !ok || per == 0 || n*per > MaxReminderMinutes {
		return phrase{}, false
	}
	ph.minutes = append(ph.minutes, n*per)
	if ph.value != "" {
		ph.value += ","
	}
	ph.value += strconv.Itoa(n * per)
	return ph, true
}

// amount reads "30 min", "30min", "2h", "two weeks", "a week", "an hour", "half an hour" at j.
func (p *parser) amount(j int) (n int, u unit, to int, ok bool) {
	w := p.word(j)
	if n, u, ok = gluedAmount(w); ok {
		return n, u, j + 1, true
	}
	if k := p.skip(j, "half", "an", "hour"); k > j {
		return 30, minute, k, true
	}
	switch n, ok = number(w); {
	case ok:
	case w == "a" || w == "an":
		n = 1
	default:
		return 0, 0, 0, false
	}
	u, ok = units[unowned(p.word(j+1))]
	return n, u, j + 2, ok
}

// unowned cuts the apostrophe of "3 weeks' time".
func unowned(w string) string { return strings.TrimRight(w, "'’") }

// number reads up to five digits or a number word.
func number(w string) (int, bool) {
	if n, ok := numbers[w]; ok {
		return n, true
	}
	if len(w) == 0 || len(w) > 5 || !digit(rune(w[0])) {
		return 0, false
	}
	n, err := strconv.Atoi(w)
	return n, err == nil
}

// gluedAmount reads "30min" or "2h".
func gluedAmount(w string) (int, unit, bool) {
	digits, suffix := splitNumber(w)
	n, ok := number(digits)
	if !ok || suffix == "" {
		return 0, 0, false
	}
	if u, ok := shortUnits[suffix]; ok {
		return n, u, true
	}
	u, ok := units[suffix]
	return n, u, ok
}
