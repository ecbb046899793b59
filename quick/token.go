package quick

import (
	"slices"
	"strings"
	"unicode"
)

// class tells what a token may be used for.
type class int

const (
	word    class = iota // may be part of a phrase
	literal              // quoted or escaped: always title
	punct                // one punctuation mark at the edge of a word
)

// token is a stretch of text without white space (or a quoted part, which may have some).
type token struct {
	text, low  string
	start, end int // code points
	class      class
	capital    bool // begins with an ASCII upper-case letter
	glued      bool // no white space before it
	escaped    bool // a backslash stands before start
	plain      bool // the caller wants it left in the title
}

// lexed is a text cut into tokens.
type lexed struct {
	runes  []rune
	tokens []token
}

// keep makes literals of the words of each text, wherever they stand together.
func (l *lexed) keep(plain []string) {
	for _, text := range plain {
		want := []rune(text)
		for i := range l.tokens {
			l.keepAt(i, want)
		}
	}
}

// keepAt makes literals of the tokens from i on that are the text want, if there are such.
func (l *lexed) keepAt(i int, want []rune) {
	start := l.tokens[i].start
	end := start + len(want)
	if end > len(l.runes) || !slices.Equal(l.runes[start:end], want) {
		return
	}
	j := i
	for j < len(l.tokens) && l.tokens[j].end < end {
		j++
	}
	if j == len(l.tokens) || l.tokens[j].end != end {
		return // it ends within a word
	}
	for k := i; k <= j; k++ {
		l.tokens[k].class, l.tokens[k].plain = literal, true
	}
}

const (
	openers  = "([{<"
	closers  = ".,;:!?)]}>…"
	quotes   = "\"“”"
	splitter = ",;—"
)

// lex cuts the text at white space, commas, semicolons and em dashes, and separates punctuation from the
// edges of words, so that "(tomorrow)," has the word tomorrow while "tomorrow's" and "9am-10am" stay whole.
func lex(text string) lexed {
	l := lexed{runes: []rune(text)}
	for i := 0; i < len(l.runes); {
		switch r := l.runes[i]; {
		case unicode.IsSpace(r):
			i++
		case strings.ContainsRune(openers, r) || strings.ContainsRune(splitter, r):
			i = l.add(i, i+1, punct)
		case strings.ContainsRune(quotes, r):
			i = l.quoted(i)
		case r == '\\' && l.escapes(i):
			i = l.add(i+1, l.wordEnd(i+1), literal)
			l.tokens[len(l.tokens)-1].escaped = true
		default:
			i = l.plain(i)
		}
	}
	return l
}

func (l *lexed) add(start, end int, c class) int {
	s := string(l.runes[start:end])
	l.tokens = append(l.tokens, token{
		text: s, low: strings.ToLower(s), start: start, end: end, class: c,
		capital: s[0] >= 'A' && s[0] <= 'Z',
		glued:   start > 0 && !unicode.IsSpace(l.runes[start-1]),
	})
	return end
}

// quoted adds the part up to the closing quotation mark; one that is never closed is part of a word.
func (l *lexed) quoted(i int) int {
	for j := i + 1; j < len(l.runes); j++ {
		if strings.ContainsRune(quotes, l.runes[j]) {
			return l.add(i, j+1, literal)
		}
	}
	return l.add(i, l.wordEnd(i), literal)
}

// plain adds a word and the punctuation behind it.
func (l *lexed) plain(i int) int {
	end := l.wordEnd(i)
	core := l.trimmed(i, end)
	if core > i {
		l.add(i, core, word)
	}
	for k := core; k < end; k++ {
		l.add(k, k+1, punct)
	}
	return end
}

// trimmed returns where the word at i ends without its closing punctuation.
func (l *lexed) trimmed(i, end int) int {
	for end > i && strings.ContainsRune(closers, l.runes[end-1]) {
		end--
	}
	return end
}

// wordEnd returns the end of the run of word characters at i; a comma between digits belongs to the word.
func (l *lexed) wordEnd(i int) int {
	j := i + 1
	for ; j < len(l.runes) && !unicode.IsSpace(l.runes[j]); j++ {
		r := l.runes[j]
		if r == ',' && j+1 < len(l.runes) && digit(l.runes[j-1]) && digit(l.runes[j+1]) {
			continue
		}
		if strings.ContainsRune(splitter, r) {
			break
		}
	}
	return j
}

// escapes tells whether the backslash at i is an escape: one before a marker, a quotation mark or a word of
// the grammar. Other backslashes (\alpha, \\server) are text, and one more makes text of an escape.
func (l *lexed) escapes(i int) bool {
	for i < len(l.runes) && l.runes[i] == '\\' {
		i++
	}
	if i == len(l.runes) {
		return false
	}
	if strings.ContainsRune(quotes, l.runes[i]) {
		return true
	}
	end := min(l.wordEnd(i), i+maxEscaped)
	w := strings.ToLower(string(l.runes[i:l.trimmed(i, end)]))
	return core(w) || leads[w]
}

// maxEscaped bounds the look at a word behind a backslash: markers and words of the grammar are told by less.
const maxEscaped = 80

func digit(r rune) bool { return r >= '0' && r <= '9' }
