package audit

import "testing"

// Of versions that are kept at once those leave a hint that lie far above all before them, and each once.
func TestMarks(t *testing.T) {
	var m marks
	for _, step := range []struct {
		version int64
		far     bool
	}{{1, false}, {2, false}, {2 + stride, true}, {2 + stride, false}, {3 + stride, false}, {3, false}, {64, true}, {63, false}, {60, false}} {
		if far := m.claim("list/a", step.version); far != step.far {
			t.Errorf("version %d: far %v, want %v", step.version, far, step.far)
		}
	}
	if m.claim("list/b", 1) {
		t.Error("another trail counts from its own beginning")
	}
	m.forget("list/a")
	if !m.claim("list/a", 65) {
		t.Error("after a hint that was not written the next version leaves one")
	}
}
