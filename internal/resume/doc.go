// Package resume decides whether a client that comes back can be given all that
// it missed (docs/DESIGN.md, rules 16 and 17). A Claim is what its cursor says
// of one partition, a State what the worker knows of it now; Judge holds one
// against the other, and Decide all of a client's.
//
// What has to be asked first (where the log ends, what lies below the history)
// is part of the verdict; once it is answered, the answer is part of the claim
// or of the state, and the same question is put again. It never reads a clock,
// does I/O or remembers anything. Whoever calls it sends nothing before Decide
// says Recovered or Failed: decided first, sent after.
package resume
