/**
 * The one-time code in what somebody pastes: a whole link, or the code alone, with whatever white space a mail or a
 * terminal put into it; undefined if there is none. Pure. A code is 32 bytes in unpadded base64url (RFC 4648 §5).
 */
export function codeIn(text: string): string | undefined {
  const code = text.replace(/\s+/g, '').replace(/^.*#/, '');
  return /^[A-Za-z0-9_-]{43}$/.test(code) ? code : undefined;
}
