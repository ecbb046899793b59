package quick

import (
	"fmt"
	"strconv"
	"strings"
)

// clock is a time of the day in minutes from midnight.
type clock struct {
	minutes int
	set     bool
	// exact is a time that was said; otherwise it is the usual hour of a part of the day.
	exact bool
	// half is a time on a twelve-hour dial without am or pm: "at 8", "8:30".
	half bool
	// part is the part of the day that was said, which settles the half: "tomorrow evening at 8".
	part string
}

func (c clock) String() string { return fmt.Sprintf("%02d:%02d", c.minutes/60, c.minutes%60) }

// in returns the time as the part of the day has it.
func (c clock) in(part string) clock {
	later := part == "afternoon" || part == "evening" || part == "night"
	if c.half && later && c.minutes < 12*60 {
		c.minutes += 12 * 60
	}
	return c
}

// time matches a time of the day: "9am", "at 9", "21:00", "at noon", "in the evening".
func (p *parser) time(i int) (phrase, bool) {
	prev := p.word(i - 1)
	if ph, ok := p.inTheDaypart(i); ok {
		return ph, true
	}
	j, lead := i, p.word(i)
	switch lead {
	case "at", "by", "@", "around":
		j++
	}
	led := j > i
	if !led && determiners[prev] || led && lead == "at" && lookAt[prev] {
		return phrase{}, false
	}
	c, to, need, ok := p.clockAt(j, lead)
	if !ok {
		return phrase{}, false
	}
	if !led && need != open && (counted[prev] || holidays[prev]) {
		return phrase{}, false
	}
	if part, end := p.clockPart(to); end > to && c.half {
		c, to, need = c.in(part), end, open
		c.half = false
	}
	if relations[prev] {
		need = never // but it can be the end of a range
	}
	return phrase{to: to, kind: KindTime, need: need, clock: c, value: c.String()}, true
}

// inTheDaypart matches "in the morning", "in the evening", "at night".
func (p *parser) inTheDaypart(i int) (phrase, bool) {
	part, to := p.clockPart(i)
	if to == i {
		return phrase{}, false
	}
	c := clock{minutes: dayparts[part], set: true, part: part}
	need := soft
	if part == "night" {
		need = tied
	}
	return phrase{to: to, kind: KindTime, need: need, clock: c, value: c.String()}, true
}

// clockPart reads "in the morning" or "at night" at i.
func (p *parser) clockPart(i int) (string, int) {
	j := p.skip(i, "in", "the")
	if j > i && has(dayparts, p.word(j)) && p.word(j) != "night" {
		return p.word(j), j + 1
	}
	if j = p.skip(i, "at", "night"); j > i {
		return "night", j
	}
	return "", i
}

// clockAt reads the time itself; lead is the word before it ("at" allows a bare hour).
func (p *parser) clockAt(j int, lead string) (c clock, to int, need stop, ok bool) {
	w := p.word(j)
	led := lead == "at" || lead == "by" || lead == "@"
	switch w {
	case "noon", "midnight":
		c = clock{set: true, exact: true}
		if w == "noon" {
			c.minutes = 12 * 60
		}
		if led {
			return c, j + 1, open, true
		}
		return c, j + 1, hard, true
	}
	digits, suffix := splitNumber(w)
	if digits == "" {
		return c, 0, 0, false
	}
	to = j + 1
	if suffix == "" && meridiems[p.word(to)] != "" {
		suffix = p.word(to)
		to++
	}
	c, ok = readClock(digits, meridiems[suffix])
	if !ok || suffix != "" && meridiems[suffix] == "" {
		return c, 0, 0, false
	}
	if strings.Contains(suffix, ".") && to < len(p.tokens) && p.tokens[to].text == "." && p.tokens[to].glued {
		to++
	}
	if suffix != "" {
		return c, to, open, true
	}
	if k := p.skip(to, "o'clock"); k > to {
		return c, k, open, led
	}
	return p.bareClock(c, digits, to, lead)
}

// bareClock decides on a time without am or pm: "21:00" is one anywhere, "9:30" where the text stops behind
// it, "9" only after "at".
func (p *parser) bareClock(c clock, digits string, to int, lead string) (clock, int, stop, bool) {
	colon := strings.IndexByte(digits, ':')
	led := lead == "at" || lead == "by" || lead == "@"
	switch {
	case colon < 0:
		return c, to, soft, lead == "at" || lead == "@"
	case led:
		return c, to, open, true
	case colon == 2 && (c.minutes%5 == 0 || c.minutes >= 13*60):
		return c, to, open, !counted[p.word(to-2)]
	case c.minutes%5 != 0:
		return c, to, tied, true
	case to == 1: // begins the text: "9:30 call Bob"
		return c, to, open, true
	}
	return c, to, soft, true
}

// bareHour tells whether an hour in figures stands at i, without anything that makes it a time.
func (p *parser) bareHour(i int) bool {
	digits, suffix := splitNumber(p.word(i))
	_, ok := readClock(digits, "")
	return ok && suffix == ""
}

var meridiems = map[string]string{"am": "am", "a.m": "am", "pm": "pm", "p.m": "pm"}

// splitNumber cuts "9:30pm" into "9:30" and "pm".
func splitNumber(w string) (string, string) {
	if len(w) > 9 {
		return "", ""
	}
	k := 0
	for k < len(w) && (digit(rune(w[k])) || w[k] == ':' || w[k] == '.' && k+1 < len(w) && digit(rune(w[k+1]))) {
		k++
	}
	return w[:k], w[k:]
}

// readClock reads "9", "9:30" or, with am or pm, "9.30".
func readClock(digits, meridiem string) (clock, bool) {
	sep := ":"
	if meridiem != "" && strings.Contains(digits, ".") {
		sep = "."
	}
	hs, ms, split := strings.Cut(digits, sep)
	h, err := strconv.Atoi(hs)
	m := 0
	if split && err == nil {
		m, err = strconv.Atoi(ms)
	}
	if err != nil || len(hs) > 2 || split && len(ms) != 2 || m > 59 || h > 23 {
		return clock{}, false
	}
	if meridiem != "" && (h < 1 || h > 12) {
		return clock{}, false
	}
	half := meridiem == "" && h >= 1 && h < 12 && !(split && len(hs) == 2 && hs[0] == '0')
	switch {
	case meridiem == "am" && h == 12:
		h = 0
	case meridiem == "pm" && h < 12:
		h += 12
	}
	return clock{minutes: h*60 + m, set: true, exact: true, half: half}, true
}
