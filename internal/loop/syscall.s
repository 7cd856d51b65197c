// Lets syscall.go declare functions that the runtime has.
