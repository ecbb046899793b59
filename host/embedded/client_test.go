package embedded

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/docket-tasks/docket/host"
)

// The buffer of an answer goes from one call to the next: an answer never shows another one's bytes, whether it was read
// by a copy or in pieces, before or after others were closed, and a closed one is empty.
func TestAnswersShareNoBytes(t *testing.T) {
	n := openNode(t, Options{})
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := strings.Repeat(r.URL.Query().Get("s"), 1000)
		_, _ = io.WriteString(w, text[:len(text)/2]) // the caller sees it missing
		_, _ = io.WriteString(w, text[len(text)/2:])
	})
	if err := n.Start(t.Context(), host.Service{Name: "echo", Public: echo}); err != nil {
		t.Fatal(err)
	}
	client := n.Host("caller").Client("echo")
	var callers sync.WaitGroup
	for caller := range 8 {
		callers.Go(func() {
			for i := range 200 {
				said := fmt.Sprintf("%d-%d,", caller, i)
				res, err := client.Get("http://echo/?s=" + said)
				if err != nil {
					t.Error(err)
					return
				}
				var got bytes.Buffer
				if _, err := io.CopyN(&got, res.Body, int64(i)); err != nil {
					t.Error(err)
				}
				if i%3 > 0 {
					if _, err := io.Copy(&got, res.Body); err != nil {
						t.Error(err)
					}
					if got.String() != strings.Repeat(said, 1000) {
						t.Errorf("call %s was answered %.40q…", said, got.String())
					}
				}
				_ = res.Body.Close() // never fails
				_ = res.Body.Close() // a second time does nothing
				if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
					t.Errorf("%d bytes (%v) after Close", len(rest), err)
				}
			}
		})
	}
	callers.Wait()
}
