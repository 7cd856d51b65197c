//go:build race

package worker

// Under the race detector all clients, in this very process, cost ten times as
// much.
const livesClients, livesConnections = 24, 4
