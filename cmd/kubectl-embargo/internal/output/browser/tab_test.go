//go:build browser

package browser_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

// chromium finds the browser. Without it the tests fail, they are not skipped.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "no Chromium is installed: apt-get install chromium fonts-dejavu-core")
	return ""
}

// tab is a page that is open in a browser.
type tab struct {
	context.Context
	*complaints
}

// complaints are what the browser says it didn't load or didn't run, and what the page
// asked for.
type complaints struct {
	mu    sync.Mutex
	texts []string
}

func (c *complaints) add(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.texts = append(c.texts, text)
}

func (c *complaints) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.texts)
}

// open opens the page of a result.
func open(t *testing.T, r *output.Result) tab {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, output.Print(&text, "html", r, false))
	return openText(t, text.Bytes())
}

// openText opens a page.
func openText(t *testing.T, text []byte) tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := tab{ctx, &complaints{}}
	require.NoError(t, chromedp.Listen(ctx, b.hear))
	call(t, b, cdplog.Enable, cdp.Empty{})
	call(t, b, network.Enable, network.EnableParams{})
	b.run(t, chromedp.Navigate("file://"+file))
	return b
}

// hear is told everything that happens in the page.
func (b tab) hear(event any) {
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		b.add(e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if e.DocumentURL != e.Request.URL {
			b.add("request for " + e.Request.URL)
		}
	}
}

func (b tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b, actions...))
}

func call[P, R any](t *testing.T, b tab, command cdp.Command[P, R], params P) {
	t.Helper()
	_, err := chromedp.Call(b, command, params)
	require.NoError(t, err)
}

func ask[T any](t *testing.T, b tab, script string) T {
	t.Helper()
	answer, err := chromedp.Run(b, chromedp.Evaluate[T](script))
	require.NoError(t, err, script)
	return answer
}

// keep keeps a picture, where somebody asks for pictures to look at.
func keep(t *testing.T, name string, picture []byte) {
	t.Helper()
	if dir := os.Getenv("EMBARGO_SCREENSHOTS"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), picture, 0o600))
	}
}

// shoot takes a picture of the whole page.
func (b tab) shoot(t *testing.T, name string) {
	t.Helper()
	picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	keep(t, name+".png", picture)
}

func (b tab) size(t *testing.T, width, height int64) {
	t.Helper()
	b.run(t, chromedp.EmulateViewport(width, height))
}

func (b tab) media(t *testing.T, kind string, features ...*emulation.MediaFeature) {
	t.Helper()
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: features})
}
