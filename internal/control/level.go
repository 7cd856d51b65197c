package control

// LevelItem is the level of the log that is in force in a process.
type LevelItem struct {
	// Process is Supervisor, or a worker's slot.
	Process string `json:"process"`
	// Level is the lowest that is written: debug, info, warn or error.
	Level string `json:"level"`
}
