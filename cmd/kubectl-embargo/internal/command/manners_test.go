package command_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"embargo.dev/cmd/kubectl-embargo/internal/command"
)

func TestMistypedWordsAreSuggested(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"chekc"}, `unknown command "chekc"`},
		{[]string{"chekc"}, "did you mean check?"},
		{[]string{"list", "validat"}, `unknown command "validat"`},
		{[]string{"list", "validat"}, "did you mean validate?"},
		{[]string{"check", "--fial-on", "Deny"}, "unknown flag: --fial-on; did you mean --fail-on?"},
		{[]string{"check", "--nothing-like-it"}, "unknown flag: --nothing-like-it; see --help"},
	} {
		a := run(t, "", c.args...)
		assert.Equal(t, 2, a.code)
		assert.Contains(t, a.stderr, c.says)
	}
}

func TestWordsAreTakenInAnyCase(t *testing.T) {
	a := run(t, deployment, "check", "-f", "-", "--fail-on", "none", "--use", "update", "-o", "JSON")
	assert.Equal(t, 0, a.code, a.stderr)
	assert.Contains(t, a.stdout, `"use": "Update"`)
}

func TestVersionIsAFlagToo(t *testing.T) {
	a := run(t, "", "--version")
	assert.Equal(t, 0, a.code)
	assert.Equal(t, run(t, "", "version", "--client").stdout, a.stdout)
}

func TestQuietPrintsNoNotices(t *testing.T) {
	a := run(t, deployment, "check", "-f", "-", "--quiet")
	assert.Equal(t, 1, a.code)
	assert.Empty(t, a.stderr)
	result, a := runJSON(t, deployment, "check", "-f", "-", "-q")
	assert.Empty(t, a.stderr)
	assert.NotEmpty(t, result.Notices)
}

func TestVendorsWithoutImagesAreRemarkedOnWhereAskedFor(t *testing.T) {
	const says = `RestrictedVendor "zte": spec.images has no pattern and no digest`
	for _, args := range [][]string{{"check", "-f", "-"}, {"explain", "nginx"}, {"schedule"}, {"list", "show"}} {
		assert.NotContains(t, run(t, deployment, args...).stderr, says, "%v", args)
		assert.Contains(t, run(t, deployment, append(args, "-v")...).stderr, says, "%v", args)
	}
	assert.Contains(t, run(t, run(t, "", "list", "show", "zte").stdout, "list", "validate", "-").stdout, "there is no pattern and no digest")
}

// TestAnInterruptionPrintsNoResult: half of a result looks like the whole.
func TestAnInterruptionPrintsNoResult(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, input := io.Pipe()
	go func() {
		_, _ = input.Write([]byte(deployment + "---\n"))
		cancel()
		_ = input.Close()
	}()
	var out, errOut bytes.Buffer
	code := command.Run(ctx, []string{"check", "-f", "-"}, genericiooptions.IOStreams{In: in, Out: &out, ErrOut: &errOut})
	assert.Equal(t, 130, code)
	assert.Empty(t, out.String())
}

// TestAnInterruptionIsHeardWhileNothingAnswers has a server that takes connections and says
// nothing, and a standard input that nobody writes to.
func TestAnInterruptionIsHeardWhileNothingAnswers(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	address := "http://" + listener.Addr().String()
	kubeconfig := write(t, "kubeconfig", strings.Replace(nowhere, "https://127.0.0.1:1", address, 1))
	for _, args := range [][]string{
		{"audit", "-A", "--kubeconfig", kubeconfig}, {"forecast", "-o", "json", "--kubeconfig", kubeconfig}, {"export", "--kubeconfig", kubeconfig},
		{"check", "-f", address + "/x.yaml"}, {"schedule", "-o", "json", "--list", address + "/x.yaml"}, {"list", "validate", address + "/x.yaml"},
		{"check", "-f", "-"},
	} {
		in, input := io.Pipe()
		t.Cleanup(func() { _ = input.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, cancel)
		var out, errOut bytes.Buffer
		begun := time.Now()
		code := command.RunInterruptibly(ctx, args, genericiooptions.IOStreams{In: in, Out: &out, ErrOut: &errOut})
		assert.Equal(t, 130, code, "%v", args)
		assert.Less(t, time.Since(begun), 15*time.Second, "%v", args)
		assert.Empty(t, out.String(), "%v", args)
		assert.Empty(t, errOut.String(), "%v", args)
	}
}

func TestAMistypedShellIsSuggested(t *testing.T) {
	a := run(t, "", "completion", "bashh")
	assert.Equal(t, 2, a.code)
	assert.Contains(t, a.stderr, "did you mean bash?")
}
