package edge

import (
	"net/url"
	"strconv"
	"strings"
)

// ETag is the entity tag of something at a version (RFC 9110 section 8.8.3).
func ETag(version int64) string { return strconv.Quote(strconv.FormatInt(version, 10)) }

// IfMatch tells whether an If-Match header, empty where there is none, allows a change of something that exists at
// version (RFC 9110 section 13.1.1). A weak tag matches nothing.
func IfMatch(header string, version int64) bool {
	if header = strings.TrimSpace(header); header == "" || header == "*" {
		return true
	}
	want := ETag(version)
	for tag := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(tag) == want {
			return true
		}
	}
	return false
}

// IfNoneMatch tells whether an If-None-Match header, empty where there is none, asks for what is not at tag
// (RFC 9110 section 13.1.2, weak comparison); if not, the answer is 304.
func IfNoneMatch(header, tag string) bool {
	if header = strings.TrimSpace(header); header == "" || header == "*" {
		return header == ""
	}
	for t := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(t), "W/") == strings.TrimPrefix(tag, "W/") {
			return false
		}
	}
	return true
}

// NextPage is the Link header (RFC 8288) of a page that another one follows.
func NextPage(path string, query url.Values) string {
	return "<" + path + "?" + query.Encode() + `>; rel="next"`
}
