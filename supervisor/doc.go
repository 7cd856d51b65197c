// Package supervisor is the only parent: it binds one listening socket per
// slot and keeps them all, starts one worker per slot and starts it again when
// it ends, watches the heartbeats, elects an owner for every partition, joins
// the workers by links, and serves the operator's HTTP and control.sock. It
// carries no client traffic and never imports worker.
//
// # Who decides
//
// One goroutine, the one that calls Run, owns everything (crew): it takes one
// event at a time (a message, an exit, a signal, a tick) and never waits for a
// worker. The decisions are pure and stand in files of their own: liveness
// (heartbeats), backoff (respawns), lending (listeners of workers that do not
// accept), candidates and scout (who may own, who watches), settling (sources
// that come and go), and internal/election.
//
// That goroutine is locked to its OS thread, because PDEATHSIG follows the
// thread that forked: workers are started there and nowhere else. cmd/odind
// locks its main goroutine too, before Run, so that the thread lives as long
// as the process.
//
// # Goroutines
//
// Per worker: one that sends from its bounded mailbox, one that receives, one
// that waits for its end. They, the HTTP server and control.sock talk to the
// crew by its event channel, and read the segment and two atomic pointers
// (readiness, and the bounds of /health); what they want done, the desk has the
// crew do. One more reloads at each hangup, and one for a while reads the files,
// which may lie on a disk that hangs. The one lock, in the HTTP server, is for
// its end: the segment is closed only when no handler runs.
//
// # What holds
//
//   - A frozen worker blocks nobody: a mailbox that overflows costs the
//     worker its life.
//   - A slot's generation grows with every process; a generation's numbers in
//     the segment are cleared only after waitpid.
//   - No listener is closed while serving; each is accepted from by somebody
//     as soon as anybody is ready.
//   - When the supervisor dies, in whatever way, every worker gets TERM from
//     the kernel.
package supervisor
