package cli

import (
	"runtime"
	"runtime/debug"
)

// develVersion is what the go command calls a build outside of a repository.
const develVersion = "(devel)"

// Version names the build: what the linker was told (make build: git
// describe), else what the go command noted about the repository.
func Version(linked string) string {
	info, _ := debug.ReadBuildInfo()
	return version(linked, info)
}

func version(linked string, info *debug.BuildInfo) string {
	if linked != "" {
		return linked
	}
	if info == nil {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != develVersion {
		return v
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision := settings["vcs.revision"]
	if revision == "" {
		return "unknown"
	}
	if len(revision) > revisionDigits {
		revision = revision[:revisionDigits]
	}
	if settings["vcs.modified"] == "true" {
		revision += "-dirty"
	}
	return revision
}

// revisionDigits is how much of a commit's name is shown.
const revisionDigits = 12

// Describe is the line of the version commands.
func Describe(program, version string) string {
	return program + " " + version + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}
