// Package cli holds what the command lines of odind and odinctl share: flags
// made from the configuration's table, usage errors that say what was meant,
// and the version of the build. It runs nothing and prints nothing.
package cli
