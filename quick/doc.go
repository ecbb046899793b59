// Package quick reads one line of English as a task: "Pay rent every month on the 1st at 9am #home !high" is the
// title "Pay rent", a due date, a repetition, a tag and a priority. It is pure: the moment of entry comes in.
//
// What is understood leaves the title and becomes a [Span]; everything else is title. A second date, time,
// repetition or priority is title. Two dates or times joined by "to", "and", "or" or a dash ("monday to friday")
// are title, as which of them is meant is not said. If a date would leave no title at all ("tomorrow"), it is the
// title. Letters' case does not matter, but names written like names are left alone ("The Today Show").
//
// # Markers
//
//	tag        #home #work/projekt-1 #über    letters, digits, - _ /, at least one letter: "#1" is a number
//	priority   !high !medium !low, !h !m !l, !1 !2 !3, p1 p2 p3; p4 says none
//	reminder   remind me 1 day and 30 min before, reminder 2h, !30m !2h !1d !1w, no reminder
//	escape     \#1 \!high \tomorrow "every day"
//
// A backslash is an escape, and not in the title, only before a marker, a number, a quotation mark or a word of
// the grammar; \alpha and \\server are text. A quoted part stays title with its quotation marks. [Escape] makes
// any text a title as a whole.
//
// # Days
//
//	relative   today, tomorrow (tmr, tmrw), day after tomorrow, in 3 days, in two weeks, in a month, a week from now
//	hours      in 2 hours, in 45 min, in 2h: elapsed time, also across daylight saving
//	sums       in 1 hour 30 minutes, in 1h 30m, in 2 days and 3 hours, in an hour and a half: from larger to smaller units
//	weekdays   friday: the next one, never today · this friday: today counts · next friday: in the week after this
//	periods    next week, month, quarter, year: its first day · end of (the/next) week, month, quarter, year, eow, eom
//	           this weekend, at the weekend: Saturday, or today on a Sunday · next weekend
//	dates      2026-12-01, 2026/12/01, 2026-12-01T09:00, 1 dec, dec 1st, 1st of december 2027, december 1, 2027
//	           12/24 is month and day, 24/12 (no such month) day and month, 12/24/2027 with a year
//	           on the 15th, the 1st: the next month that has it · the 3rd of next month
//
// Weeks run from Monday to Sunday (ISO 8601). A date without a year is the next one, today included; a written
// year counts though it has passed. "in 1 month" from the 31st is the last day of a shorter month. A weekday
// before a date has to agree with it, otherwise it is title. Days the calendar does not have, and years outside
// 1970–9999, are title. The prepositions on, by, due and for belong to the date; before, after, since and until
// do not say when something is due, and leave it title.
//
// # Times
//
//	9am, 9:30pm, 9.30pm, 9 p.m., at 9, at 9:30, 21:00, 9:30, noon, midnight, at 9 in the evening
//	morning 09:00, afternoon 14:00, evening 18:00, night and tonight 20:00: this morning, friday evening, at night
//
// An hour without am or pm is one of 24: "at 5" is 05:00; behind a part of the day it is of that part ("tomorrow
// evening at 8" is 20:00). A time alone is today, or tomorrow if it is not after now. A part of today that has
// passed is today without a time. Midnight begins the day, but "today at midnight" is the coming one. Due dates
// are floating: the time on the wall, wherever the user is; a time that daylight saving skips or repeats
// is written as said.
//
// # Repetition
//
//	daily, weekly, fortnightly, monthly, quarterly, yearly, annually, weekly on friday, monthly on the 1st
//	every (other, second, 3rd, 3) day, week, month, quarter, year; every morning, every friday evening
//	every weekday, workday (Monday to Friday), weekend (Saturday); every mon, wed and fri; mon/wed; mon-fri; on mondays
//	every month on the 1st (and 15th), on the last day, on the 2nd tuesday, on the last workday; every 15th
//	on the 1st of every month, last friday of each month
//	every 2nd tuesday (of the month); every last friday; every first workday; every other tuesday is fortnightly
//	every year on dec 24; every 24th of december
//	until 2027-01-01, for 5 times, 5 times, for 3 weeks; starting monday, from dec 1
//
// The first due date is the first matching day from today, or from the date that is said; if its time is not
// after now, the next one of the series. Where that date says all about the series, the pattern is daily, weekly,
// monthly or yearly, which keep to the end of a shorter month; otherwise an RRULE (RFC 5545 §3.3.10) that does
// the same for a single day of the month. UNTIL has the form of the due date: floating, the end of that day. An
// end before the first day is title. Repetitions finer than daily are title.
//
// # What counts
//
// A word of a date is often just a word. Phrases that can hardly be anything else count anywhere: tomorrow,
// 2026-12-01, dec 1, 9am, every monday, on friday. The others count only where they stop: before the end,
// punctuation, a marker, another phrase or a preposition ("friday with Bob", not "friday drinks"); the months
// that are names (may, march, april …) too; at the beginning of the text a preposition is not enough ("Midnight
// in Paris"), but a verb is ("monday call mom"). sat and sun need a preposition or a time ("sat 9am"), or to be
// written as days ("Dinner Sat"). What looks like a fraction ("1/2", "3/4") is a date with a preposition, a time or
// a year only. An article or possessive makes a noun of what follows: "the 9am train", "my monday".
//
// [Task]: T028, T042
package quick
