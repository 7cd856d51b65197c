//go:build !race

package worker

// livesClients is how many clients TestLives has, and livesConnections how often
// each comes.
const livesClients, livesConnections = 120, 8
