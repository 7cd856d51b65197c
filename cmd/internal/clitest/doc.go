// Package clitest runs the built programs for the tests of the command lines,
// as an operator would: command line in; output, exit code and signals out.
// Everything that it starts ends with the test.
package clitest
