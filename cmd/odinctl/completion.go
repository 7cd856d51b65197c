package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// offer completes a flag's value.
func offer(cmd *cobra.Command, flag string, values func(cmd *cobra.Command) []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return beginning(values(cmd), begun), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // there is no such flag: a mistake in here
	}
}

// beginning are the words that go on as was begun.
func beginning(words []string, begun string) (fit []string) {
	for _, w := range words {
		if strings.HasPrefix(w, begun) {
			fit = append(fit, w)
		}
	}
	return fit
}
