package task

import (
	"unicode"
	"unicode/utf8"
)

// appendFold appends s with each character replaced by the one that stands for all characters that differ from it
// only in case (Unicode simple case folding, CaseFolding.txt status C and S). Two texts are equal under
// [strings.EqualFold] exactly if they fold to the same.
func appendFold(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b = append(b, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		b = utf8.AppendRune(b, foldRune(r))
		i += n
	}
	return b
}

func fold(s string) string { return string(appendFold(nil, s)) }

// foldRune returns the smallest of the characters that differ only in case, but a small letter in ASCII.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if 'A' <= least && least <= 'Z' {
		return least + 'a' - 'A'
	}
	return least
}
