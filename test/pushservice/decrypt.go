package pushservice

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// decrypt opens a message as the browser does that has the private key and the authentication secret (RFC 8291 §3.4),
// from a body of one record in the coding aes128gcm (RFC 8188 §2).
func decrypt(body []byte, private *ecdh.PrivateKey, auth []byte) ([]byte, error) {
	const salt, header = 16, 16 + 4 + 1
	if len(body) < header || len(body) < header+int(body[header-1]) {
		return nil, errors.New("the header is cut off")
	}
	keyID := body[header : header+int(body[header-1])]
	record := body[header+len(keyID):]
	if size := binary.BigEndian.Uint32(body[salt:]); len(record) > int(size) {
		return nil, errors.New("there is more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(keyID)
	if err != nil {
		return nil, err
	}
	shared, err := private.ECDH(sender)
	if err != nil {
		return nil, err
	}
	info := append(append([]byte("WebPush: info\x00"), private.PublicKey().Bytes()...), keyID...)
	ikm, err := hkdf.Key(sha256.New, shared, auth, string(info), 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, body[:salt], "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, body[:salt], "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded, err := gcm.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, err
	}
	plain := bytes.TrimRight(padded, "\x00")
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("the record is not marked as the last (RFC 8188 §2)")
	}
	return plain[:len(plain)-1], nil
}
