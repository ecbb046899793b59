package quick

import (
	"strings"
	"time"
)

// phrase is a run of tokens that a matcher understood; whether it counts depends on what stands around it.
type phrase struct {
	from, to int // tokens, to exclusive
	kind     Kind
	value    string
	need     stop // what has to follow

	date    time.Time // due: the day; end: the last day
	start   bool      // due: "from monday", which only a repetition can have
	clock   clock     // time, or the hour of a part of the day
	rule    *rule     // repeat
	count   int       // end: number of occurrences
	unit    unit      // end: count of this unit instead of occurrences, where span is set
	span    bool
	minutes []int // reminder
	quiet   bool  // reminder: none wanted
}

// stop says how clearly a phrase ends before some token.
type stop int

const (
	open    stop = iota // a word that may belong to the phrase: "friday drinks"
	soft                // a preposition or conjunction: "friday with Bob"
	hard                // the end, punctuation, a quoted part or another phrase
	company             // a time or the end of a repetition: "sat 9am", "daily until friday"
)

// candidates finds what every matcher sees at every position, from right to left, because a weak phrase counts
// only where it is followed by a stop, and the next phrase is one. Phrases that do not count are kept apart:
// they still make a range of "monday and friday".
func (p *parser) candidates() (found [][]phrase) {
	n := len(p.tokens)
	found = make([][]phrase, n+1)
	stops := make([]stop, n+1)
	stops[n] = hard
	for i := n - 1; i >= 0; i-- {
		stops[i] = p.stopAt(i)
		for _, match := range matchers {
			ph, ok := match(p, i)
			if !ok || ph.to > n || p.tokens[i].glued && i > 0 && p.tokens[i-1].class == literal {
				continue
			}
			ph.from = i
			if !p.counts(ph, stops) {
				ph.need = p.otherwise(ph)
			}
			if ph.need == never {
				// No stop for what is before it.
			} else if ph.need == tied {
				stops[i] = max(stops[i], hard)
			} else if ph.kind == KindTime || ph.kind == KindEnd {
				stops[i] = company
			} else {
				stops[i] = max(stops[i], hard)
			}
			found[i] = append(found[i], ph)
		}
	}
	return found
}

const (
	// tied asks for something else: that the phrase stands right behind another one that was chosen.
	tied stop = 98
	// never marks a candidate that does not count where it stands.
	never stop = 99
)

// matchers read a phrase that begins at a token. Each looks at a bounded number of tokens.
var matchers = []func(p *parser, i int) (phrase, bool){
	(*parser).tag, (*parser).priority, (*parser).reminder,
	(*parser).repeat, (*parser).ending,
	(*parser).due, (*parser).time,
}

// otherwise returns what a phrase needs that does not count by what follows: a bare time may still count behind
// a day ("daily at 8 journal"), but not before a name or a number of things ("at 9 Elms", "at 2 papers").
func (p *parser) otherwise(ph phrase) stop {
	next := p.word(ph.to)
	if ph.kind != KindTime || !ph.clock.exact || ph.need != soft || p.titleCase(ph.to) || strings.HasSuffix(next, "s") {
		return never
	}
	return tied
}

// stopAt returns the stop that the token itself makes.
func (p *parser) stopAt(i int) stop {
	switch t := p.tokens[i]; {
	case t.class == punct, t.class == literal && !t.escaped && !t.plain, t.low == "-" || t.low == "–":
		return hard
	case t.class == word && prepositions[t.low]:
		return soft
	}
	return open
}

// counts tells whether what follows the phrase lets it count. A phrase that begins the text needs a hard stop
// ("Midnight in Paris"), unless it is a day and something to do follows ("monday call mom"). A day that
// something is said about is none to do something on ("tomorrow is another day").
func (p *parser) counts(ph phrase, stops []stop) bool {
	if (ph.kind == KindDue || ph.kind == KindRepeat) && predicates[p.word(ph.to)] {
		return false
	}
	got := stops[ph.to]
	if ph.need == tied {
		return true
	}
	if ph.need == soft && got == soft && ph.from == 0 {
		return false
	}
	if ph.need == soft && got == open && ph.from == 0 && ph.kind == KindDue {
		return verbs[p.word(ph.to)]
	}
	return got >= ph.need
}

// choose takes the phrases from left to right, the longest first where two begin together, the first of each
// kind. Two dates or two times joined to a range or a choice are both left in the title.
func (p *parser) choose(found [][]phrase) []phrase {
	c := choice{p: p, taken: map[Kind]bool{}, tags: map[string]bool{}}
	for i := 0; i < len(p.tokens); {
		if end := p.joined(found, i); end > i {
			i = end
			continue
		}
		best := phrase{}
		for _, ph := range found[i] {
			if ph.need != never && ph.to > best.to && c.free(ph) {
				best = ph
			}
		}
		if best.to == 0 {
			i++
			continue
		}
		c.take(best)
		i = best.to
	}
	return c.list
}

// choice is what choose has taken so far.
type choice struct {
	p         *parser
	list      []phrase
	taken     map[Kind]bool
	tags      map[string]bool
	reminders int
}

func (c *choice) take(ph phrase) {
	c.list = append(c.list, ph)
	c.taken[ph.kind] = true
	switch ph.kind {
	case KindTag:
		c.tags[fold(ph.value)] = true
	case KindReminder:
		c.reminders += len(ph.minutes)
	case KindDue:
		if ph.clock.exact {
			c.taken[KindTime] = true
		}
	}
}

// free tells whether the kind of the phrase is still to be had, and what it needs before it is there: "5 times"
// and "for 3 weeks" have to stand right behind another part of the repetition, "at night" behind a day.
func (c *choice) free(ph phrase) bool {
	switch ph.kind {
	case KindTag:
		return c.tags[fold(ph.value)] || len(c.tags) < MaxTags
	case KindReminder:
		return c.reminders+len(ph.minutes) <= MaxReminders
	case KindTime:
		return !c.taken[KindTime] && (ph.need != tied || c.p.follows(ph, c.list))
	case KindDue:
		if ph.start && !c.taken[KindRepeat] || ph.clock.exact && c.taken[KindTime] {
			return false
		}
	case KindEnd:
		if ph.count > 0 && !(c.taken[KindRepeat] && c.p.follows(ph, c.list)) {
			return false
		}
	}
	return !c.taken[ph.kind]
}

// follows tells whether nothing but a comma stands between the phrase and the one chosen before it.
func (p *parser) follows(ph phrase, chosen []phrase) bool {
	if len(chosen) == 0 {
		return false
	}
	last := chosen[len(chosen)-1]
	return last.to == ph.from || last.to == ph.from-1 && p.comma(last.to)
}

// joined returns the end of a chain of dates or of times at i ("monday to friday", "9am - 10am"), or i.
func (p *parser) joined(found [][]phrase, i int) int {
	end := i
	for _, kind := range []Kind{KindDue, KindTime} {
		a, ok := longest(found[i], kind)
		for ok && a.to < len(p.tokens) && p.joiner(a.to) {
			b, also := longest(found[a.to+1], kind)
			switch {
			case also:
				end = max(end, b.to)
			case kind == KindTime && p.bareHour(a.to+1): // "at 9 or 10"
				end = max(end, a.to+2)
			}
			a, ok = b, also
		}
	}
	return end
}

func (p *parser) joiner(i int) bool { return joiners[p.word(i)] || p.tokens[i].text == "—" }

func longest(ps []phrase, k Kind) (best phrase, ok bool) {
	for _, ph := range ps {
		if ph.kind == k && ph.to > best.to {
			best, ok = ph, true
		}
	}
	return best, ok
}
