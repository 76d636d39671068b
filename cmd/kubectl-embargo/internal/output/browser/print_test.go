//go:build browser

package browser_test

import (
	"bytes"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

// headsAlone lays the page out in columns, which the browser breaks as it breaks pages, and
// moves the content down bit by bit. It returns the headings, captions and heads that stand
// in another column than what follows them.
const headsAlone = `(() => {
  const main = document.querySelector("main"), spacer = document.createElement("div"), bad = new Set();
  Object.assign(main.style, {columnWidth: "680px", columnGap: "0px", columnFill: "auto", width: "680px", maxWidth: "none", height: "960px", padding: "0"});
  main.prepend(spacer);
  const left = main.getBoundingClientRect().left;
  const column = e => Math.floor((e.getClientRects()[0].left - left + 1) / 680);
  const together = (what, a, b) => { if (a && b && column(a) !== column(b)) bad.add(what + ": " + a.textContent.trim().slice(0, 40)); };
  for (let height = 0; height < 960; height += 16) {
    spacer.style.height = height + "px";
    for (const t of document.querySelectorAll("table")) {
      const cell = t.tBodies[0].rows[0].cells[0];
      together("head", t.tHead.rows[0].cells[0], cell);
      together("caption", t.caption, cell);
    }
    for (const h of document.querySelectorAll("main h2:not(.quiet), main h3")) {
      let next = h.nextElementSibling;
      while (next && !next.getClientRects().length) next = next.nextElementSibling;
      together("heading", h, next);
    }
  }
  spacer.remove();
  main.removeAttribute("style");
  return Array.from(bad);
})()`

func TestNoHeadStandsAloneAtAPagesFoot(t *testing.T) {
	var forecast bytes.Buffer
	require.NoError(t, output.PrintForecast(&forecast, "html", foreseen(t), false))
	for name, b := range map[string]tab{
		"check": open(t, result(t, output.KindCheck, 24)), "audit": open(t, result(t, output.KindAudit, 24)), "forecast": openText(t, forecast.Bytes()),
	} {
		b.size(t, 1280, 1200)
		b.media(t, "print")
		require.True(t, ask[bool](t, b, `document.querySelectorAll("main table").length > 2`), name)
		assert.Empty(t, ask[[]string](t, b, headsAlone), name)
	}
}

func TestAPrintedTableRepeatsItsHead(t *testing.T) {
	b := open(t, result(t, output.KindCheck, 24))
	b.media(t, "print")
	assert.Empty(t, ask[[]string](t, b, `Array.from(document.querySelectorAll("thead")).filter(h => getComputedStyle(h).display !== "table-header-group").map(h => h.textContent)`))
	assert.Empty(t, ask[[]string](t, b, `Array.from(document.querySelectorAll("tr")).filter(r => getComputedStyle(r).breakInside !== "avoid").map(r => r.textContent)`))
}

func TestManyFindingsArePrinted(t *testing.T) {
	r := result(t, output.KindCheck, 300)
	r.Errors = []output.InputError{{File: "deploy/broken.yaml", Line: 3, Message: "mapping values are not allowed in this context"}}
	b := open(t, r)
	b.size(t, 1280, 900)
	b.shoot(t, "many")
	b.media(t, "print")
	assert.Equal(t, len(r.Findings), ask[int](t, b, visible))
	assert.True(t, ask[bool](t, b, `document.getElementById("filter").getClientRects().length === 0`))
	pdf, err := chromedp.Run(b, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(pdf, []byte("%PDF")))
	keep(t, "print.pdf", pdf)
}
