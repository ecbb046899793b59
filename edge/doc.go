// Package edge is what the HTTP side of every service shares.
//
//   - Identity: the door from outside exchanges a user's credential at backend for a JWT that lives a minute
//     ([Issuer], [IdentityRequest]); every service verifies it ([Verifier]) and asks [PrincipalOf] who is calling.
//     Nothing trusts a user id in a header.
//   - Answers: every error is a [Problem] (RFC 9457); its text is meant for the caller, the cause goes to the log.
//   - Requests: [NewAPI] sets huma up so that nothing unknown, malformed or oversized gets through silently.
//   - Operation: [Handler] logs, measures and traces each request, [Health] answers probes, [NewLogger] gives every
//     service the same structured log.
//
// [Task]: T022, T023, T089, T090, T091
package edge
