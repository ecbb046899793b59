package quick

import (
	"strings"
	"time"
)

// The vocabulary. A word in one of these tables is only a candidate; the matchers decide.

var weekdays = map[string]time.Weekday{
	"monday": time.Monday, "mon": time.Monday,
	"tuesday": time.Tuesday, "tue": time.Tuesday, "tues": time.Tuesday,
	"wednesday": time.Wednesday, "wed": time.Wednesday, "weds": time.Wednesday,
	"thursday": time.Thursday, "thu": time.Thursday, "thur": time.Thursday, "thurs": time.Thursday,
	"friday": time.Friday, "fri": time.Friday,
	"saturday": time.Saturday, "sat": time.Saturday,
	"sunday": time.Sunday, "sun": time.Sunday,
}

// plurals say "every" when "on" stands before them.
var plurals = map[string]time.Weekday{
	"mondays": time.Monday, "tuesdays": time.Tuesday, "wednesdays": time.Wednesday, "thursdays": time.Thursday,
	"fridays": time.Friday, "saturdays": time.Saturday, "sundays": time.Sunday,
}

var months = map[string]time.Month{
	"january": time.January, "jan": time.January,
	"february": time.February, "feb": time.February,
	"march": time.March, "mar": time.March,
	"april": time.April, "apr": time.April,
	"may":  time.May,
	"june": time.June, "jun": time.June,
	"july": time.July, "jul": time.July,
	"august": time.August, "aug": time.August,
	"september": time.September, "sep": time.September, "sept": time.September,
	"october": time.October, "oct": time.October,
	"november": time.November, "nov": time.November,
	"december": time.December, "dec": time.December,
}

// nameMonths are months that are also names or other words.
var nameMonths = set("jan march mar april may june august")

type unit int

const (
	minute unit = iota
	hour
	day
	week
	month
	quarter
	year
)

var units = map[string]unit{
	"minute": minute, "minutes": minute, "min": minute, "mins": minute,
	"hour": hour, "hours": hour, "hr": hour, "hrs": hour,
	"day": day, "days": day,
	"week": week, "weeks": week, "wk": week, "wks": week,
	"month": month, "months": month,
	"quarter": quarter, "quarters": quarter,
	"year": year, "years": year, "yr": year, "yrs": year,
}

// shortUnits count only right behind the number: 30m, 2h.
var shortUnits = map[string]unit{"m": minute, "h": hour, "d": day, "w": week}

var numbers = map[string]int{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
	"seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}

// ordinals are read in repetitions only: "Second opinion" is a title.
var ordinals = map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}

// dayparts are the hours meant by a part of the day, in minutes from midnight.
var dayparts = map[string]int{"morning": 9 * 60, "afternoon": 14 * 60, "evening": 18 * 60, "night": 20 * 60}

// singles are words that are a date on their own: days from today.
var singles = map[string]int{"today": 0, "tod": 0, "tomorrow": 1, "tmr": 1, "tmrw": 1}

// plainRepeats are adverbs that are a repetition on their own.
var plainRepeats = map[string]rule{
	"daily":       {freq: "DAILY", interval: 1},
	"weekly":      {freq: "WEEKLY", interval: 1},
	"fortnightly": {freq: "WEEKLY", interval: 2},
	"monthly":     {freq: "MONTHLY", interval: 1},
	"quarterly":   {freq: "MONTHLY", interval: 3, quarter: true},
	"yearly":      {freq: "YEARLY", interval: 1},
	"annually":    {freq: "YEARLY", interval: 1},
}

var priorities = map[string]string{
	"!high": "high", "!h": "high", "!1": "high", "p1": "high",
	"!medium": "medium", "!m": "medium", "!2": "medium", "p2": "medium",
	"!low": "low", "!l": "low", "!3": "low", "p3": "low",
	"p4": "none",
}

// others are the remaining words that a phrase can hang on.
var others = set(`tonight noon midnight weekend weekends workday workdays weekday weekdays eod eow eom eoy
	times reminder reminders`)

// leads are words that begin or continue a phrase but are none alone. Escape leaves them as they are.
var leads = set("on by due for at in every next this the until till starting from remind no end last coming")

// prepositions end a phrase that would otherwise run on into a name: "friday with Bob", but "Friday Bob".
var prepositions = set(`with at for in from to about via near by on before after until till because if when so
	then but and or as & + @ during regarding re while unless`)

// relations before a date or time make it part of what is said: "before friday", "leaders of tomorrow".
var relations = set(`from to before after since until till than of about between like not through thru past
	last previous without usa ago vs - – / & then or`)

// determiners make a noun of what follows: "the 9am train", "my monday", "enjoy the sun".
var determiners = set("the a an my our your his her their its this that these those some any no each one's")

// holidays and other fixed pairs with a weekday, noon or a day of the month.
var holidays = set(`black good cyber casual palm ash easter fat super manic bloody shrove maundy freaky ruby
	high get got be is was newly man giving`)

// aboutOn are words whose "on" is not about time: "work on friday presentation".
var aboutOn = set("work working works report focus based comment comments spend rely write talk notes feedback based")

// lookAt are words whose "at" is not about time: "look at 3".
var lookAt = set("look looks looking aim aims priced price sold capped stuck stay stays valued version starts rated good")

// counted are words before a fraction or ratio that make it no date or time.
var counted = set(`part step page room version chapter no ratio score psalm psalms proverbs isaiah genesis john romans
	in under over v verse track scale size section figure bus gate`)

// verbs let a day begin a text: "monday call mom", but "Sunday roast".
var verbs = set(`call buy pay send meet go email mail write finish submit book clean pick get do make check prepare
	take visit bring ask order fix read start return review update plan water wash cook practice study talk text`)

// predicates make a sentence about the day before them.
var predicates = set("is isn't was wasn't are were will won't has had never counts matters comes came can")

// joiners make a range or choice of two dates, which are then both title.
var joiners = set("and or to through thru - – — & + / vs")

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// core tells whether a word in lower case can be what a phrase hangs on: each phrase has at least one.
func core(w string) bool {
	if w == "" {
		return false
	}
	if w[0] == '#' || w[0] == '!' || digit(rune(w[0])) {
		return true
	}
	return has(weekdays, w) || has(plurals, w) || has(units, unowned(w)) || has(dayparts, w) || has(singles, w) ||
		has(plainRepeats, w) || has(priorities, w) || others[w] || weekdayRun(w) != nil
}

func has[V any](m map[string]V, w string) bool {
	_, ok := m[w]
	return ok
}
