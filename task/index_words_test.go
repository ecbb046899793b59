package task

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestWordsAreTheScan changes texts at random, and asks for what is in them and for what is not: the words leave every
// text that has the needle, and no other if they say so.
func TestWordsAreTheScan(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aab1é -\x00")), 0, 12, -1)
	needle := rapid.StringOfN(rapid.RuneFrom([]rune("ab1é -")), 1, 4, -1)
	rapid.Check(t, func(rt *rapid.T) {
		texts := map[uint32]string{}
		w := NewIndex(nil).indexWords()
		for range rapid.IntRange(1, 40).Draw(rt, "changes") {
			slot := rapid.Uint32Range(0, 99).Draw(rt, "slot")
			if old, held := texts[slot]; held {
				w.drop(slot, old)
				delete(texts, slot)
			}
			if rapid.Bool().Draw(rt, "put") {
				texts[slot] = text.Draw(rt, "text")
				w.add(slot, texts[slot])
			}
		}
		find := needle.Draw(rt, "needle")
		left, scratch := make(bitmap, 2), make(bitmap, 2)
		for slot := range texts {
			left.add(slot)
		}
		exact := w.narrow(left, find, scratch)
		for slot, text := range texts {
			if has := strings.Contains(text, find); has && !left.has(slot) || exact && !has && left.has(slot) {
				rt.Fatalf("%q in %q: left %v, exact %v", find, text, left.has(slot), exact)
			}
		}
	})
}

// TestWordsAreForgotten: what no text has any more does not pile up.
func TestWordsAreForgotten(t *testing.T) {
	w := NewIndex(nil).indexWords()
	for i := range 1000 {
		text := fmt.Sprint("number ", i)
		w.add(0, text)
		w.drop(0, text)
	}
	if n := len(w.postings); n > 4 {
		t.Errorf("%d words are kept for no text", n)
	}
}
