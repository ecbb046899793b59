package task

// gramBuckets is how many sets of slots the pairs of neighbouring bytes are spread over; gramLetters is how many more
// there are for single letters and digits. Together 36.5 bytes for each task.
const (
	gramBuckets = 256
	gramLetters = 36
	gramSets    = gramBuckets + gramLetters
)

// grams tells quickly which texts cannot contain a needle: for each of 64 slots, and each set, one word that has the
// slots whose text has such a pair or letter. A needle can only be where all its pairs are; a needle of one letter,
// the start of everything that is searched for while it is typed, is exactly where the letter is.
type grams []uint64

func gramBucket(a, b byte) int { return int((uint32(a)<<8 | uint32(b)) * 2654435761 >> 24) }

// gramLetter returns the set of a letter or digit, -1 for other bytes.
func gramLetter(c byte) int {
	switch {
	case 'a' <= c && c <= 'z':
		return gramBuckets + int(c-'a')
	case '0' <= c && c <= '9':
		return gramBuckets + 26 + int(c-'0')
	}
	return -1
}

// grown returns g with room for slot.
func (g grams) grown(slot uint32) grams {
	if n := (int(slot>>6) + 1) * gramSets; n > len(g) {
		return append(g, make([]uint64, n-len(g))...)
	}
	return g
}

// write says whether slot, whose text is given, is in the sets of that text.
func (g grams) write(slot uint32, text string, in bool) {
	words, bit := g[int(slot>>6)*gramSets:][:gramSets], uint64(1)<<(slot&63)
	put := func(set int) {
		if in {
			words[set] |= bit
		} else {
			words[set] &^= bit
		}
	}
	for i := range len(text) {
		c := text[i]
		if set := gramLetter(c); set >= 0 {
			put(set)
		}
		if i > 0 {
			put(gramBucket(text[i-1], c))
		}
	}
}

// narrow keeps in b the slots whose text may contain needle, and says whether each of them does.
func (g grams) narrow(b bitmap, needle string) (exact bool) {
	var sets [16]int
	n := min(len(needle)-1, len(sets))
	for i := range n {
		sets[i] = gramBucket(needle[i], needle[i+1])
	}
	if len(needle) == 1 && gramLetter(needle[0]) >= 0 {
		sets[0], n, exact = gramLetter(needle[0]), 1, true
	}
	for i, w := range b {
		if w == 0 {
			continue
		}
		words := g[i*gramSets:][:gramSets]
		for _, set := range sets[:n] {
			w &= words[set]
		}
		b[i] = w
	}
	return exact
}
