// Command embargo is the controller: it answers the API server's admission
// requests and, as the leader, keeps Embargo's objects and the webhook
// configuration up to date.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"embargo.dev/cmd/embargo/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := app.NewCommand().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "embargo:", err)
		os.Exit(1)
	}
}
