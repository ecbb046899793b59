package edge

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/validation"
)

const (
	// MaxBody is the largest request body accepted, in bytes, unless the operation's MaxBodyBytes says otherwise.
	MaxBody = 64 << 10
	// humaMaxBody is what huma puts where an operation says nothing.
	humaMaxBody = 1 << 20
	// requiredMark starts huma's message for a missing property, followed by its name: huma reports it at the
	// object that lacks it, callers are told the field.
	requiredMark = "\x00required\x00"
	// notUUID is what is wrong with something that is no UUID.
	notUUID = "must be a UUID such as 018f2c5e-6a00-7b11-8c22-9d33e44f5566"
)

// huma is configured by package variables. They are set while this package is initialised, before any API exists.
var _ = func() struct{} {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := humaProblemFor(ctx, status, msg, errs)
		for name, values := range p.header {
			ctx.SetHeader(name, values[0])
		}
		return p
	}
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // an empty array is [], here as in most APIs; what can be null says so
	validation.MsgExpectedRFC4122UUID = notUUID + ": %v"
	validation.MsgExpectedRequiredProperty = requiredMark + "%s"
	return struct{}{}
}()

// NewAPI returns an API (OpenAPI 3.1) whose operations are served by mux.
//
//   - Errors are [Problem]s; what a handler returns goes through the same rules as in [WriteProblem].
//   - Validation answers 400 and names fields as the caller wrote them ("title", "limit").
//   - A query parameter that the operation does not declare, one given twice that is not a list, and one that is
//     not valid UTF-8 answer 400.
//   - JSON must be valid UTF-8, name each member once and hold nothing after the value.
//   - Bodies larger than [MaxBody], or the operation's own MaxBodyBytes, answer 413.
//   - The mux's BodyReadTimeout is not used: the server's timeouts hold.
//
// The document is not served; see [MergeOpenAPI].
func NewAPI(mux *http.ServeMux, title string) huma.API {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:        "3.1.0",
			Info:           &huma.Info{Title: title, Version: "1"},
			Components:     &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)},
			OnAddOperation: []huma.AddOpFunc{documentErrors},
		},
		Formats:       map[string]huma.Format{"application/json": strictJSON, "json": strictJSON},
		DefaultFormat: "application/json",
	}
	return huma.NewAPI(config, adapter{mux})
}

// documentErrors documents what can answer instead of any operation, where it has errors at all: the check of the
// query, the limit of the body, the refusal of changes to those who may only read and of those who ask too often, an outage. And it takes back the
// 422 that huma documents for validation, unless the operation has one of its own.
func documentErrors(_ *huma.OpenAPI, op *huma.Operation) {
	if len(op.Errors) == 0 {
		return
	}
	takesInput := len(op.Parameters) > 0 || op.RequestBody != nil
	defer func() {
		documentAs(op, op.Errors[0], http.StatusBadRequest, true)
		documentAs(op, op.Errors[0], http.StatusForbidden, !SafeMethod(op.Method))
		documentAs(op, op.Errors[0], http.StatusRequestEntityTooLarge, op.RequestBody != nil)
		documentAs(op, op.Errors[0], http.StatusTooManyRequests, true)
		documentAs(op, op.Errors[0], http.StatusServiceUnavailable, true)
	}()
	if !takesInput {
		return
	}
	added := slices.Index(op.Errors, http.StatusUnprocessableEntity)
	if added < 0 || slices.Contains(op.Errors[added+1:], http.StatusUnprocessableEntity) {
		return
	}
	unprocessable := op.Responses["422"]
	delete(op.Responses, "422")
	if _, ok := op.Responses["400"]; !ok && unprocessable != nil {
		bad := *unprocessable
		bad.Description = http.StatusText(http.StatusBadRequest)
		op.Responses["400"] = &bad
	}
}

// documentAs documents status as the operation documents like, if it applies and is not there yet.
func documentAs(op *huma.Operation, like, status int, applies bool) {
	code := strconv.Itoa(status)
	if known := op.Responses[strconv.Itoa(like)]; applies && known != nil && op.Responses[code] == nil {
		response := *known
		response.Description = http.StatusText(status)
		op.Responses[code] = &response
	}
}

// adapter serves huma's operations from a ServeMux, with the limits that [NewAPI] promises.
type adapter struct{ *http.ServeMux }

func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	if op.MaxBodyBytes == humaMaxBody {
		op.MaxBodyBytes = MaxBody
	}
	if op.MaxBodyBytes > 0 {
		op.MaxBodyBytes++ // huma refuses a body of exactly the limit
	}
	op.BodyReadTimeout = 0
	known := queryParameters(op)
	a.HandleFunc(strings.ToUpper(op.Method)+" "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			if err := CheckQuery(r.URL.RawQuery, known); err != nil {
				WriteProblem(w, r, err)
				return
			}
		}
		handler(humago.NewContext(op, r, w))
	})
}

// queryParameters returns the operation's query parameters, and whether each may be repeated.
func queryParameters(op *huma.Operation) map[string]bool {
	known := map[string]bool{}
	for _, p := range op.Parameters {
		if p.In == "query" {
			known[p.Name] = p.Schema != nil && p.Schema.Type == huma.TypeArray && p.Explode != nil && *p.Explode
		}
	}
	return known
}

// maxParameters is how many parameters a query may have: of one with more, net/url reads none at all.
const maxParameters = 10_000

// CheckQuery refuses a query with a parameter that is not known, is given twice though known says false, or is not
// properly encoded: for a route that no API serves. The error is a [Problem] with every parameter at fault. What it lets
// pass, net/url reads without leaving anything out.
func CheckQuery(raw string, known map[string]bool) error {
	if strings.Count(raw, "&") >= maxParameters {
		return validationProblem([]FieldError{{Field: "query", Detail: fmt.Sprintf("has more than %d parameters", maxParameters)}})
	}
	var bad []FieldError
	var seen [16]string
	names := seen[:0]
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		plain, nameErr := url.QueryUnescape(name)
		if nameErr == nil {
			name = plain
		}
		value, valueErr := url.QueryUnescape(value)
		repeats, ok := known[name]
		switch {
		case nameErr != nil || !utf8.ValidString(name):
			bad = append(bad, FieldError{Field: strings.ToValidUTF8(name, "\uFFFD"), Detail: "is not a properly encoded name"})
		case !ok:
			bad = append(bad, FieldError{Field: name, Detail: "unknown query parameter"})
		case strings.Contains(pair, ";"):
			bad = append(bad, FieldError{Field: name, Detail: "is not properly encoded: write ; as %3B"})
		case valueErr != nil || !utf8.ValidString(value):
			bad = append(bad, FieldError{Field: name, Detail: "is not properly encoded UTF-8"})
		case !repeats && slices.Contains(names, name):
			bad = append(bad, FieldError{Field: name, Detail: "may be given only once"})
		}
		names = append(names, name)
	}
	if bad == nil {
		return nil
	}
	return validationProblem(bad)
}

// inOurWords replaces what says more of Go than of the request.
func inOurWords(detail string) string {
	switch {
	case strings.HasPrefix(detail, "invalid date/time for format"):
		return "must be a moment such as 2026-03-31T09:00:00Z; in a URL, + is written %2B"
	case strings.HasPrefix(detail, notUUID):
		return notUUID
	}
	return detail
}

func validationProblem(fields []FieldError) *Problem {
	detail := "the request is not valid"
	if len(fields) > 0 {
		detail = fields[0].Error()
	}
	return NewProblem(http.StatusBadRequest, "validation_failed", detail, fields...)
}

// humaProblemFor is humaProblem for a request: server errors are logged with it and follow [WriteProblem]'s rules.
func humaProblemFor(ctx huma.Context, status int, msg string, errs []error) *Problem {
	switch {
	case status >= http.StatusInternalServerError && len(errs) > 0:
		return ProblemOf(ctx.Context(), errs[0])
	case status == http.StatusRequestEntityTooLarge:
		return tooLarge(ctx.Operation().MaxBodyBytes - 1)
	case status == http.StatusUnsupportedMediaType:
		return NewProblem(status, "", "send JSON, with the header Content-Type: application/json",
			FieldError{Field: "Content-Type", Detail: "must be application/json"})
	}
	return humaProblem(status, msg, errs)
}

// humaProblem makes a problem of what huma found wrong with a request.
func humaProblem(status int, msg string, errs []error) *Problem {
	var fields []FieldError
	for _, err := range errs {
		switch e := err.(type) {
		case *Problem: // a resolver's own answer
			return e
		case FieldError:
			fields = append(fields, e)
		case huma.ErrorDetailer:
			fields = append(fields, fieldOf(e.ErrorDetail()))
		default:
			fields = append(fields, FieldError{Field: "body", Detail: err.Error()})
		}
	}
	if status == http.StatusUnprocessableEntity || status == http.StatusBadRequest && len(fields) > 0 {
		return validationProblem(fields)
	}
	return NewProblem(status, "", msg, fields...)
}

// fieldOf names a field as the caller wrote it: without the place huma puts in front.
func fieldOf(d *huma.ErrorDetail) FieldError {
	field, detail := d.Location, d.Message
	if name, missing := strings.CutPrefix(detail, requiredMark); missing {
		field, detail = field+"."+name, "is required"
	}
	detail = inOurWords(detail)
	for _, place := range []string{"body.", "query.", "path.", "header.", "cookie."} {
		if rest, ok := strings.CutPrefix(field, place); ok {
			return FieldError{Field: rest, Detail: detail}
		}
	}
	return FieldError{Field: field, Detail: detail}
}
