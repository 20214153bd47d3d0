// Loads compose files as Docker does, by the specification's own implementation, and prints the resolved model as JSON.
//
// Usage: compose_check PROJECT_FOLDER FILE... ; variables come from this process's environment alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) < 3 {
		fail("usage: compose_check PROJECT_FOLDER FILE...")
	}
	options, err := cli.NewProjectOptions(
		os.Args[2:],
		cli.WithWorkingDirectory(os.Args[1]),
		cli.WithOsEnv,
		cli.WithProfiles([]string{"*"}),
		cli.WithResolvedPaths(true),
	)
	if err != nil {
		fail(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		fail(err)
	}
	model, err := project.MarshalJSON()
	if err != nil {
		fail(err)
	}
	fmt.Println(string(model))
}

func fail(what any) {
	fmt.Fprintln(os.Stderr, what)
	os.Exit(1)
}
