package task

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// fewTexts is how many texts are searched one by one rather than by their words.
const fewTexts = 256

// words tells which texts have a needle, without looking into them: it has the slots of each word that the list's texts
// have, a word being a longest run of bytes that are no ASCII punctuation, space or control. A needle within a word is
// exactly in the texts of the words that it is in. One that goes beyond is only where a word ends with its
// first run, one begins with its last, and those between are words.
//
// The first search of a list builds it; writers, who are alone, keep it up.
type words struct {
	once  sync.Once
	built bool
	of    map[string]*posting
	// table has every word between NULs, to be searched at once: that of postings[i] begins after the NUL at starts[i].
	table    []byte
	starts   []int
	postings []*posting
	unused   int // of them, those that no text has any more
	// letters has the slots of each letter and digit: what is searched for first while something is typed.
	letters [36]bitmap
}

// isWordByte tells whether c belongs to a word.
func isWordByte(c byte) bool { return letter(c) >= 0 || c >= 0x80 }

// letter returns the number of a small letter or digit, -1 for other bytes.
func letter(c byte) int {
	switch {
	case 'a' <= c && c <= 'z':
		return int(c - 'a')
	case '0' <= c && c <= '9':
		return 26 + int(c-'0')
	}
	return -1
}

// nextWord returns the first word of text and what follows it, both empty if there is none.
func nextWord(text string) (word, rest string) {
	from := 0
	for from < len(text) && !isWordByte(text[from]) {
		from++
	}
	to := from
	for to < len(text) && isWordByte(text[to]) {
		to++
	}
	return text[from:to], text[to:]
}

// indexWords returns the words of all texts.
func (x *Index) indexWords() *words {
	w := x.words
	w.once.Do(func() {
		w.of, w.built = map[string]*posting{}, true
		for slot := range x.entries {
			w.add(uint32(slot), x.entries[slot].text)
		}
	})
	return w
}

// add says that slot has the text.
func (w *words) add(slot uint32, text string) {
	for i := range len(text) {
		if n := letter(text[i]); n >= 0 {
			w.letters[n] = w.letters[n].grown(slot)
			w.letters[n].add(slot)
		}
	}
	for word, rest := nextWord(text); word != ""; word, rest = nextWord(rest) {
		p := w.of[word]
		switch {
		case p == nil:
			p = w.enter(word)
		case p.n == 0:
			w.unused--
		}
		if !p.has(slot) {
			p.add(slot)
		}
	}
}

// enter puts a new word into the table.
func (w *words) enter(word string) *posting {
	p := &posting{tag: strings.Clone(word)} // the text itself goes with its task
	w.of[p.tag] = p
	if len(w.table) == 0 {
		w.table = append(w.table, 0)
	}
	w.starts = append(w.starts, len(w.table)-1)
	w.table = append(append(w.table, word...), 0)
	w.postings = append(w.postings, p)
	return p
}

// drop says that slot has the text no more.
func (w *words) drop(slot uint32, text string) {
	for _, set := range w.letters {
		set.drop(slot)
	}
	for word, rest := nextWord(text); word != ""; word, rest = nextWord(rest) {
		if p := w.of[word]; p.has(slot) {
			if p.drop(slot); p.n == 0 {
				w.unused++
			}
		}
	}
	if w.unused > len(w.postings)/2 {
		w.tidy()
	}
}

// tidy makes the table anew, of the words in use.
func (w *words) tidy() {
	used := w.postings
	w.table, w.starts, w.postings, w.unused = w.table[:0], w.starts[:0], nil, 0
	clear(w.of)
	for _, p := range used {
		if p.n > 0 {
			*w.enter(p.tag) = *p
		}
	}
}

// narrow keeps in b the slots whose text may have needle, and tells whether each of them does. any is for its use.
func (w *words) narrow(b bitmap, needle string, any bitmap) (exact bool) {
	if len(needle) == 1 && letter(needle[0]) >= 0 {
		b.and(w.letters[letter(needle[0])])
		return true
	}
	word, rest := nextWord(needle)
	if len(word) == len(needle) {
		w.keep(b, needle, any)
		return true
	}
	for ; word != ""; word, rest = nextWord(rest) {
		pattern := word
		if begin := len(needle) - len(rest) - len(word); begin > 0 {
			pattern = "\x00" + pattern
		}
		if rest != "" {
			pattern += "\x00"
		}
		w.keep(b, pattern, any)
	}
	return false
}

// keep keeps in b the slots that have a word in which pattern is; a NUL in it stands for a border of the word.
func (w *words) keep(b bitmap, pattern string, any bitmap) {
	clear(any)
	find := []byte(pattern)
	for from, i := 0, 0; ; {
		at := bytes.Index(w.table[from:], find)
		if at < 0 {
			break
		}
		n, exact := slices.BinarySearch(w.starts[i:], from+at)
		if i += n; !exact {
			i-- // it begins within the word
		}
		w.postings[i].addTo(any)
		if i++; i == len(w.starts) {
			break
		}
		from = w.starts[i]
	}
	b.and(any)
}
