package edge_test

import (
	"net/url"
	"testing"

	"github.com/docket-tasks/docket/edge"
)

func TestConditions(t *testing.T) {
	for header, want := range map[string]bool{
		"": true, "*": true, ` * `: true, `"3"`: true, `"1", "3"`: true, `"1","2"`: false, `W/"3"`: false, "3": false, `"33"`: false,
	} {
		if got := edge.IfMatch(header, 3); got != want {
			t.Errorf("If-Match: %s at version 3: %v", header, got)
		}
	}
	for header, want := range map[string]bool{
		"": true, "*": false, `"3"`: false, `W/"3"`: false, `"1", W/"3"`: false, `"1"`: true, "3": true,
	} {
		for _, tag := range []string{edge.ETag(3), "W/" + edge.ETag(3)} {
			if got := edge.IfNoneMatch(header, tag); got != want {
				t.Errorf("If-None-Match: %s at %s: %v", header, tag, got)
			}
		}
	}
}

func TestNextPage(t *testing.T) {
	if got := edge.NextPage("/api/x", url.Values{"cursor": {"a b"}, "limit": {"2"}}); got != `</api/x?cursor=a+b&limit=2>; rel="next"` {
		t.Error(got)
	}
}
