package openid

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// badCode is what GitHub calls invalid_grant.
const badCode = "bad_verification_code"

// maxAnswer is more than GitHub says of anybody, in bytes.
const maxAnswer = 1 << 20

// gitHub is the code flow of GitHub and of its Enterprise Server (https://docs.github.com/apps/oauth-apps), which tells who somebody is by its
// REST API. It has no nonce, for there is no ID token to carry one: state and PKCE bind the code to the attempt.
type gitHub struct {
	issuer string
	api    string
	client oauth2.Config
}

func newGitHub(issuer string, client oauth2.Config) *gitHub {
	issuer = strings.TrimSuffix(issuer, "/")
	client.Endpoint = oauth2.Endpoint{
		AuthURL: issuer + "/login/oauth/authorize", TokenURL: issuer + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
	}
	client.Scopes = []string{"read:user", "user:email"}
	api := issuer + "/api/v3"
	if issuer == "https://github.com" {
		api = "https://api.github.com"
	}
	return &gitHub{issuer: issuer, api: api, client: client}
}

func (g *gitHub) config(context.Context) (oauth2.Config, error) { return g.client, nil }

func (g *gitHub) options(Attempt) []oauth2.AuthCodeOption { return nil }

func (g *gitHub) person(ctx context.Context, _ Attempt, token *oauth2.Token) (Person, error) {
	ask := g.client.Client(ctx, token)
	var user struct {
		ID    int64  `json:"id"` // the login can be changed, and given to somebody else
		Login string `json:"login"`
		Name  string `json:"name"`
	}
	if err := g.read(ctx, ask, "/user", &user); err != nil {
		return Person{}, err
	}
	if user.ID == 0 {
		return Person{}, fmt.Errorf("%w: %s/user names nobody", ErrRefused, g.api)
	}
	var addresses []struct {
		Email    string `json:"email"`
		Primary  bool   `json:"primary"`
		Verified bool   `json:"verified"`
	}
	if err := g.read(ctx, ask, "/user/emails", &addresses); err != nil {
		return Person{}, err
	}
	who := Person{Issuer: g.issuer, Subject: strconv.FormatInt(user.ID, 10), Name: cmp.Or(user.Name, user.Login)}
	for _, a := range addresses {
		if a.Primary && a.Verified {
			who.Email = a.Email
		}
	}
	return who, nil
}

// read asks the API. [ErrUnavailable].
func (g *gitHub) read(ctx context.Context, client *http.Client, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.api+path, http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s%s answers %s", ErrUnavailable, g.api, path, answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%w: read %s%s: %w", ErrUnavailable, g.api, path, err)
	}
	return nil
}
