package local

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Services are the five, by app-id, in the order in which they are started.
var Services = []string{"backend", "recurring-task", "notification", "audit", "frontend"}

// DocketOptions say how the services of a space run.
type DocketOptions struct {
	// Binary is docket.
	Binary string
	// Listen is where the frontend serves users; "" is a free port.
	Listen string
	// Replicas is how many there are of a service; those not named have one.
	Replicas map[string]int
	// Args are further arguments for every service, Env further variables.
	Args, Env []string
}

// Docket is the five services on a space, each replica with its sidecar.
type Docket struct {
	*Space
	DocketOptions
	// Running are the replicas by service.
	Running map[string][]*Replica
}

// Replica is one process of a service and its sidecar. Each can be killed and started by itself.
type Replica struct {
	Service string
	App     *Process
	Sidecar *Sidecar
	// Users is where it serves users: the frontend all of them, the backend open clients.
	Users string
	// Env are variables of this replica alone, from its next start on.
	Env []string

	docket  *Docket
	opsPort int
}

// Docket prepares the services; Start starts them.
func (s *Space) Docket(o DocketOptions) (*Docket, error) {
	d := &Docket{Space: s, DocketOptions: o, Running: map[string][]*Replica{}}
	for _, service := range Services {
		for range max(1, o.Replicas[service]) {
			if _, err := d.Add(service); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// Add prepares one more replica of a service.
func (d *Docket) Add(service string) (*Replica, error) {
	r := &Replica{Service: service, docket: d}
	var err error
	if r.Sidecar, err = d.Sidecar(service); err != nil {
		return nil, err
	}
	var users int
	if err := freePorts(&r.opsPort, &users); err != nil {
		return nil, err
	}
	if r.Users = address(users); service == "frontend" && d.Listen != "" {
		r.Users = d.Listen
	}
	r.App = d.process(strings.TrimSuffix(r.Sidecar.Name, "-daprd"), r.command, func(ctx context.Context) error { return answers(ctx, r.opsPort, "/readyz") })
	d.Running[service] = append(d.Running[service], r)
	return r, nil
}

// follows are the services that react to changes; requests wait for the others.
var follows = map[string]bool{"audit": true, "recurring-task": true, "notification": true}

func (r *Replica) command() command {
	d := r.docket
	args := []string{"serve", r.Service, "--host", "dapr", "--listen", r.Users, "--ops-listen", address(r.opsPort), "--log-format", "json"}
	switch r.Service {
	case "backend":
		args = append(args, "--owner-token-file", d.OwnerTokenFile(), "--public-url", d.Gateway())
	case "frontend":
		var sockets []string
		for _, b := range d.Running["backend"] {
			sockets = append(sockets, "http://"+b.Users)
		}
		args = append(args, "--backend-ws", strings.Join(sockets, ","))
	}
	return command{path: d.Binary, args: append(args, d.Args...), dir: d.Dir, follows: follows[r.Service], env: slices.Concat(r.Sidecar.Env(), d.Env, r.Env)}
}

// Ops is where the replica tells of its health and its figures.
func (r *Replica) Ops() string { return "http://" + address(r.opsPort) }

// Start starts the sidecar and the app, which wait for each other.
func (r *Replica) Start(ctx context.Context) error {
	return together(ctx, r.Sidecar.Process, r.App)
}

// Stop ends the app in order and then its sidecar, without which it could not finish what it has begun.
func (r *Replica) Stop() {
	r.App.Stop()
	r.Sidecar.Stop()
}

// Kill ends both as kill -9 does, as the loss of a pod would.
func (r *Replica) Kill() {
	r.App.Kill()
	r.Sidecar.Kill()
}

// each does something with all replicas at once.
func (d *Docket) each(do func(*Replica) error) error {
	var all sync.WaitGroup
	errs := make(chan error, 1)
	for _, replicas := range d.Running {
		for _, r := range replicas {
			all.Go(func() {
				if err := do(r); err != nil {
					select {
					case errs <- err: // the first; others follow from it more often than not
					default:
					}
				}
			})
		}
	}
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// Start starts all replicas and returns when all are ready.
func (d *Docket) Start(ctx context.Context) error {
	return d.each(func(r *Replica) error { return r.Start(ctx) })
}

// Stop ends all replicas in order.
func (d *Docket) Stop() {
	_ = d.each(func(r *Replica) error { r.App.Stop(); return nil })
	_ = d.each(func(r *Replica) error { r.Sidecar.Stop(); return nil })
}

// Kill ends all replicas and their sidecars as kill -9 does.
func (d *Docket) Kill() {
	_ = d.each(func(r *Replica) error { r.Kill(); return nil })
}

// Gateway is the address of the frontend.
func (d *Docket) Gateway() string { return "http://" + d.Running["frontend"][0].Users }

// OwnerTokenFile is where the first replica of backend writes the first user's API token.
func (d *Docket) OwnerTokenFile() string { return filepath.Join(d.Dir, "owner.token") }

// Count is how many replicas there are, in words for people.
func (d *Docket) Count() string {
	var parts []string
	for _, s := range Services {
		if n := len(d.Running[s]); n > 1 {
			s += " ×" + strconv.Itoa(n)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}
