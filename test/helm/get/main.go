// Command get gets the Helm programs, and prints where they are.
package main

import (
	"context"
	"fmt"
	"os"

	"embargo.dev/test/helm"
)

func main() {
	for _, major := range helm.Majors {
		h, err := helm.Locate(context.Background(), major, os.Stderr)
		if err != nil {
			fmt.Fprintln(os.Stderr, "get:", err)
			os.Exit(1)
		}
		fmt.Println(h.Path)
	}
}
