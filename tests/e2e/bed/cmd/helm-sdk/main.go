// Runs a post-renderer as programs with Helm's SDK do, Terraform's and Pulumi's providers among them: no helm process
// above it, standard input and output as pipes. Usage: helm-sdk BINARY ARGUMENT… < manifests
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"helm.sh/helm/v3/pkg/postrender"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(binary string, arguments []string) error {
	manifests, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	renderer, err := postrender.NewExec(binary, arguments...)
	if err != nil {
		return err
	}
	rendered, err := renderer.Run(bytes.NewBuffer(manifests))
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(rendered.Bytes())
	return err
}
