package embedded

import "slices"

// The steps between two durable effects, in the order of a message's life. At each of them a crash must lose nothing
// acknowledged and leave nothing half done.
const (
	stepMigrate       = "migrate: copied, before the change"
	stepCommit        = "commit: executed, before COMMIT"
	stepCommitted     = "commit: durable, before the acknowledgement"
	stepAcknowledged  = "commit: acknowledged, before dispatch"
	stepDeliver       = "deliver: before the handler"
	stepHandled       = "deliver: handled, before it is noted"
	stepOffset        = "offset: moved, before COMMIT"
	stepPark          = "park: before the write"
	stepParked        = "park: durable, before the offset"
	stepUnpark        = "park: handled, before the removal"
	stepDeadLetter    = "dead letter: before the write"
	stepDeadLettered  = "dead letter: durable, before the offset"
	stepFire          = "job: due, before the handler"
	stepFired         = "job: handled, before the removal"
	stepJobRemoved    = "job: removed"
	stepTrim          = "trim: before the deletion"
	stepTrimmed       = "trim: deleted"
	stepCheckpoint    = "checkpoint: before"
	stepCheckpointed  = "checkpoint: after"
	stepSweep         = "expiry: before the deletion"
	stepSwept         = "expiry: deleted"
	stepShutdown      = "shutdown: handlers finished, before the last write"
	stepShutdownWrote = "shutdown: last write done"
)

var failpoints = []string{
	stepMigrate, stepCommit, stepCommitted, stepAcknowledged, stepDeliver, stepHandled, stepOffset, stepPark, stepParked,
	stepUnpark, stepDeadLetter, stepDeadLettered, stepFire, stepFired, stepJobRemoved, stepTrim, stepTrimmed,
	stepCheckpoint, stepCheckpointed, stepSweep, stepSwept, stepShutdown, stepShutdownWrote,
}

// Failpoints lists the names that [Options.Failpoint] is called with.
func Failpoints() []string { return slices.Clone(failpoints) }
