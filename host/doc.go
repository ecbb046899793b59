// Package host is the port between docket's services and whatever runs them.
//
// A service asks its host for five things: [State], messages ([Subscription] in, [Tx.Messages] out), jobs
// ([Tx.Jobs] out, [Service.Job] in), [Secrets] and a client for the other services. Two hosts implement the
// port: host/embedded runs all services in one process on one SQLite file, host/dapr runs one service behind
// a Dapr sidecar. A service cannot tell which one it runs on; host/hosttest holds both to the guarantees below.
//
// # State
//
//   - Keys belong to the service that writes them: two services never see each other's.
//   - [State.Get] and [State.GetBulk] never return a value older than one whose commit was acknowledged before
//     the call began. A bulk read is not a snapshot: each key is current on its own.
//   - Hot keys, which a service names to the host, are those that nearly every transaction replaces under their ETag. They can
//     be created and replaced, nothing else, and the last [EarlierValues] may be kept. [State.Recall] never returns a value older than one that was read or written by
//     this process, its own commits of unknown outcome aside; others may have replaced it.
//   - [State.Commit] is all or nothing over every operation, message and job intent of the transaction.
//     A nil error means durable: it survives kill -9 of any process and a loss of power.
//   - [ErrConflict]: a condition did not hold; nothing happened. [ErrUnavailable]: nothing happened, the same
//     transaction may be tried again later. [ErrTooLarge]: nothing happened and never will.
//     [ErrUnknown]: the host cannot find out whether it happened.
//
// # Messages
//
//   - There is no way to publish but a commit. The messages of a commit that did not happen are never
//     delivered; those of one that did are delivered to every consumer group at least once, whichever process
//     dies when.
//   - A handler reads the state that was committed with its message, or a later one.
//   - Messages of one key from one publisher arrive in order, repeats aside. Across keys and publishers any
//     order is possible. Consumers order by the versions inside the messages, never by arrival.
//   - [Shared]: one replica of the service gets each message. A handler that returns an error gets it again,
//     without limit, with back-off up to a minute; [Permanent] sends it to the dead letters at once. A failing
//     message may delay others of its key; a permanent one delays nobody.
//   - [Every]: each replica gets the messages committed while it is connected. This is a wake-up, not a
//     record: one may be lost, none is repeated after an error.
//
// # Jobs
//
//   - A scheduled job is handed to [Service.Job] at least once, never before its due time, again after an
//     error. Scheduling a name that exists replaces it. Cancelling is best effort: a job that is just firing
//     may still arrive, so a handler checks whether it is still wanted.
//
// # Shutdown
//
//   - What a handler or a commit has begun is finished or can be repeated without harm; nothing that was
//     acknowledged is lost.
//
// [Task]: T019, T020, T021
package host
