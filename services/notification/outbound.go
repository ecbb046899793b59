package notification

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// outboundTimeout bounds one attempt, from the name's resolution to the head of the answer.
const outboundTimeout = 15 * time.Second

// outbound is a client for addresses that users have given: it reaches public ones only, or with allowPrivate any.
func outbound(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: outboundTimeout}
	if !allowPrivate {
		dialer.Control = dialPublic
	}
	return &http.Client{
		Timeout: outboundTimeout,
		// No proxy: it would make the connection where the check does not see it.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: outboundTimeout, ForceAttemptHTTP2: true,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// unanswered judges an attempt that brought no answer. What net/http says around the cause repeats the URL, and what the resolver says
// is of this network, which is not the user's to explore.
func unanswered(err error) Answer {
	if errors.Is(err, errNotPublic) {
		return Answer{Outcome: Failed, Text: "its address " + errNotPublic.Error()}
	}
	if unresolved, ok := errors.AsType[*net.DNSError](err); ok {
		return Answer{Outcome: Retry, Text: fmt.Sprintf("the name %s cannot be resolved", unresolved.Name)}
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return Answer{Outcome: Retry, Text: err.Error()}
}

// judgeHTTP judges by the status alone: 2xx is delivered, those of gone are that, and 3xx (redirects are not followed,
// Standard Webhooks, "Server-side request forgery") and most of 4xx are final.
func judgeHTTP(res *http.Response, now time.Time, gone ...int) Answer {
	a := Answer{Outcome: Retry, Text: res.Proto + " " + res.Status}
	switch code := res.StatusCode; {
	case code/100 == 2:
		a.Outcome = Delivered
	case slices.Contains(gone, code):
		a.Outcome = Gone
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		a.RetryAfter = retryAfter(res.Header.Get("Retry-After"), now)
	default:
		a.Outcome = Failed
	}
	return a
}

// retryAfter reads seconds or an HTTP date (RFC 9110 §10.2.3); what it cannot read is zero.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
