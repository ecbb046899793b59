package edge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/docket-tasks/docket/edge"
)

// TestStrictJSON lists what json.Unmarshal would quietly mend, beside what only looks like it.
func TestStrictJSON(t *testing.T) {
	for text, ok := range map[string]bool{
		`{}`: true, `[]`: true, `"x"`: true, `7`: true, `null`: true, ` {"a":{"a":[{"a":1},{"a":2}]},"b":"a"} `: true,
		`{"a":["a","a"],"b":"b"}`: true, `"\ud83d\ude00"`: true, `"\\ud800"`: true, `"\\\\ud800 \u0041"`: true,
		`{"a":1,"a":1}`: false, `[{"b":{"a":1,"c":[],"a":2}}]`: false, `{"a":1,"\u0061":2}`: false,
		`"\ud800"`: false, `"\udc00"`: false, `"\ud800x"`: false, `"\ud800\u0041"`: false, `"\ud800\ud800"`: false, `"\\\ud800"`: false, `"\ud83d\ude00\ude00"`: false,
		"\"\xff\"": false, "\"\xed\xa0\x80\"": false, `{}{}`: false, `{"a":1}x`: false, ``: false, `{`: false, `nul`: false, `"\u12"`: false, "\"\t\"": false,
	} {
		var v any
		if err := edge.UnmarshalJSON([]byte(text), &v); (err == nil) != ok {
			t.Errorf("%q: %v, want accepted %v", text, err, ok)
		}
	}
	many := `{"k0":0`
	for i := range 5000 {
		many += fmt.Sprintf(`,"k%d":{"k%d":0}`, i+1, i)
	}
	var v any
	if err := edge.UnmarshalJSON([]byte(many+"}"), &v); err != nil {
		t.Errorf("5001 different names: %v", err)
	}
	if err := edge.UnmarshalJSON([]byte(many+`,"k3000":0}`), &v); err == nil {
		t.Error("the same name 3000 members later was accepted")
	}
	var typed struct{ N int }
	if err := edge.UnmarshalJSON([]byte(`{"n":"x"}`), &typed); err == nil || strings.Contains(err.Error(), "Go ") {
		t.Errorf("a wrong type: %v", err)
	}
}

// FuzzStrictJSON holds what is accepted to being exactly representable: nothing was replaced or dropped.
func FuzzStrictJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\ud83d\ude00",{"b":null}]}`))
	f.Add([]byte(`{"a":"\\ud800","a":2}`))
	f.Add([]byte(`"\ud800\`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if edge.UnmarshalJSON(data, &v) != nil {
			return
		}
		if !utf8.Valid(data) || !json.Valid(data) {
			t.Fatalf("%q was accepted", data)
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsRune(again, utf8.RuneError) && !bytes.ContainsRune(data, utf8.RuneError) && !bytes.Contains(bytes.ToLower(data), []byte(`\ufffd`)) {
			t.Errorf("%q became %q", data, again)
		}
		if members(data) != members(again) {
			t.Errorf("%q lost members: %q", data, again)
		}
	})
}

// members counts the colons outside strings: one for each member.
func members(text []byte) (n int) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case quoted && text[i] == '\\':
			i++
		case !quoted && text[i] == ':':
			n++
		}
	}
	return n
}

func BenchmarkStrictJSON(b *testing.B) {
	text := []byte(`{"title":"Water the plants","description":"` + strings.Repeat("Sch\u00f6n ", 30) + `","priority":"high","tags":["home","garden"],"reminder_minutes":[30,60]}`)
	for name, unmarshal := range map[string]func([]byte, any) error{"strict": edge.UnmarshalJSON, "plain": json.Unmarshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var v struct {
					Title, Description, Priority string
					Tags                         []string
				}
				if err := unmarshal(text, &v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
