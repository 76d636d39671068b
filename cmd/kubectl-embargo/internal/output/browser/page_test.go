//go:build browser

package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"embargo.dev/cmd/kubectl-embargo/internal/output"
)

func TestThePageLoadsNothingAndNothingIsBlocked(t *testing.T) {
	for _, kind := range []string{output.KindCheck, output.KindAudit} {
		b := open(t, result(t, kind, 12))
		assert.Empty(t, b.all(), kind)
		assert.Contains(t, ask[string](t, b, `document.getElementById("shown").textContent`), " of ", "the script ran")
		assert.Equal(t, "rgb(244, 246, 248)", ask[string](t, b, `getComputedStyle(document.body).backgroundColor`), "the style is in force")
	}
}

const visible = `Array.from(document.querySelectorAll("table.findings tbody tr")).filter(r => r.getClientRects().length).length`

func TestFindingsCanBeFilteredByKeyboard(t *testing.T) {
	r := result(t, output.KindCheck, 300)
	b := open(t, r)
	require.Equal(t, len(r.Findings), ask[int](t, b, visible))
	b.run(t, chromedp.Focus(chromedp.ID("text")), chromedp.KeyEvent("scanner-8.yaml"))
	assert.Positive(t, ask[int](t, b, visible))
	assert.Less(t, ask[int](t, b, visible), 10)
	assert.Equal(t, fmt.Sprintf("%d of %d shown", ask[int](t, b, visible), len(r.Findings)), ask[string](t, b, `document.getElementById("shown").textContent`))
	b.run(t, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	require.Eventually(t, func() bool { return ask[int](t, b, visible) == len(r.Findings) }, 10*time.Second, 20*time.Millisecond)
	b.run(t, chromedp.Focus(chromedp.ID("action")), chromedp.KeyEvent("D"))
	assert.Equal(t, r.Summary.Deny, ask[int](t, b, visible))
}

func TestTheFocusFollowsThePage(t *testing.T) {
	b := open(t, result(t, output.KindCheck, 12))
	var order []string
	for range 40 {
		b.run(t, chromedp.KeyEvent(kb.Tab))
		order = append(order, ask[string](t, b, `(e => e.id || e.className || e.getAttribute("aria-label") || e.tagName)(document.activeElement)`))
		assert.True(t, ask[bool](t, b, `document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`), "the focus is seen on %s", order[len(order)-1])
	}
	assert.Equal(t, "skip", order[0], "one key leads past the bans")
	positions := ask[bool](t, b, `(list => list.every((e, i) => i === 0 || list[i-1].compareDocumentPosition(e) & 4))(Array.from(document.querySelectorAll("a, select, input, button, [tabindex='0']")))`)
	assert.True(t, positions)
	assert.Empty(t, ask[[]string](t, b, `Array.from(document.querySelectorAll("[tabindex]")).filter(e => e.tabIndex > 0).map(e => e.outerHTML)`))
	assert.Subset(t, order, []string{"vendor", "action", "text"})
}

// TestTheStructureIsWhatScreenReadersNeed asks what axe's rules ask.
func TestTheStructureIsWhatScreenReadersNeed(t *testing.T) {
	for _, kind := range []string{output.KindCheck, output.KindAudit} {
		b := open(t, result(t, kind, 12))
		for rule, script := range map[string]string{
			"headings don't skip a level":   `(l => l.filter((n, i) => i && n > l[i-1] + 1))(Array.from(document.querySelectorAll("h1,h2,h3,h4,h5,h6")).map(h => +h.tagName[1]))`,
			"every table has a caption":     `Array.from(document.querySelectorAll("table")).filter(t => !t.caption || !t.caption.textContent).map(t => t.className)`,
			"every header cell has a scope": `Array.from(document.querySelectorAll("th")).filter(h => !h.scope).map(h => h.textContent)`,
			"every field has a label":       `Array.from(document.querySelectorAll("input,select")).filter(f => !Array.from(f.labels).some(l => l.firstChild.nodeType === 3 && l.firstChild.textContent.trim())).map(f => f.id)`,
			"every picture has a name":      `Array.from(document.querySelectorAll("svg")).filter(s => s.getAttribute("aria-hidden") !== "true" && !s.getAttribute("aria-label")).map(s => s.className.baseVal)`,
			"every region has a name":       `Array.from(document.querySelectorAll("[role=region],section,article")).filter(r => !r.getAttribute("aria-label") && !document.getElementById(r.getAttribute("aria-labelledby"))).map(r => r.outerHTML.slice(0, 80))`,
			"every reference leads there":   `Array.from(document.querySelectorAll("a[href^='#']")).filter(a => !document.getElementById(a.getAttribute("href").slice(1))).map(a => a.getAttribute("href"))`,
			"identities are unique":         `Array.from(document.querySelectorAll("[id]")).map(e => e.id).filter((id, i, all) => all.indexOf(id) !== i)`,
			"one h1 and a language":         `document.querySelectorAll("h1").length === 1 && document.documentElement.lang === "en" ? [] : ["no"]`,
		} {
			assert.Empty(t, ask[[]any](t, b, script), "%s: %s", kind, rule)
		}
	}
}

// contrast returns the texts whose contrast is less than WCAG's level AA asks.
const contrast = `(() => {
  const parse = c => (c.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const over = (a, b) => { const t = a.length > 3 ? a[3] : 1; return [0, 1, 2].map(i => a[i] * t + b[i] * (1 - t)); };
  const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const back = e => { const layers = []; for (; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor)); return layers.reverse().reduce((b, l) => over(l, b), [255, 255, 255]); };
  const bad = [];
  const check = (e, ink, ground) => {
    const [x, y] = [light(ink), light(ground)].sort((a, b) => b - a), ratio = (x + .05) / (y + .05);
    const s = getComputedStyle(e), size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && s.fontWeight >= 700;
    if (ratio < (large ? 3 : 4.5)) bad.push(ratio.toFixed(2) + " " + e.textContent.trim().slice(0, 40));
  };
  for (const e of document.querySelectorAll("body *")) {
    if (!Array.from(e.childNodes).some(n => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length || e.closest("script,style,option")) continue;
    if (!e.closest("svg")) { check(e, over(parse(getComputedStyle(e).color), back(e)), back(e)); continue; }
    const bar = e.classList.contains("label") && e.previousElementSibling.closest("rect");
    const dot = e.classList.contains("dot") && e.previousElementSibling;
    const ground = bar ? parse(getComputedStyle(e.parentElement.querySelector("rect." + e.classList[1])).fill) : dot ? parse(getComputedStyle(dot).fill) : back(e.closest("article"));
    check(e, parse(getComputedStyle(e).fill), ground);
  }
  return Array.from(new Set(bad));
})()`

func TestContrastIsEnoughInLightAndDark(t *testing.T) {
	for _, kind := range []string{output.KindCheck, output.KindAudit} {
		b := open(t, result(t, kind, 12))
		for _, scheme := range []string{"light", "dark"} {
			b.size(t, 1280, 900)
			b.media(t, "", &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme})
			require.Equal(t, scheme == "dark", ask[bool](t, b, `matchMedia("(prefers-color-scheme: dark)").matches`))
			assert.Empty(t, ask[[]string](t, b, contrast), "%s, %s", kind, scheme)
			b.shoot(t, kind+"-"+scheme)
		}
	}
}

// cutOff returns what reaches beyond the window, or beyond the region in which it scrolls.
const cutOff = `(() => {
  const hidden = "thead, .quiet, .skip", bad = [];
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect();
    if (!r.width || e.closest(hidden)) continue;
    if (r.right > document.documentElement.clientWidth + 1 || r.left < -1) bad.push(e.tagName + " " + e.textContent.trim().slice(0, 40));
    if (e.classList.contains("scroll") && e.scrollWidth > e.clientWidth) bad.push("scrolls: " + e.getAttribute("aria-label"));
    if (e.tagName === "text" && (p => r.left < p.left - 1 || r.right > p.right + 1)(e.ownerSVGElement.getBoundingClientRect())) bad.push("picture: " + e.textContent);
  }
  return bad;
})()`

// phones are widths of screens in CSS pixels.
var phones = []int64{320, 360, 390, 430}

func TestAPhoneCutsNothingOff(t *testing.T) {
	for _, kind := range []string{output.KindCheck, output.KindAudit} {
		b := open(t, result(t, kind, 12))
		fitsPhones(t, b, kind)
	}
}

// fitsPhones asserts that the page is no wider than any phone, and that nothing in it has to
// be scrolled sideways.
func fitsPhones(t *testing.T, b tab, name string) {
	t.Helper()
	for _, width := range phones {
		b.size(t, width, 844)
		assert.LessOrEqual(t, ask[int64](t, b, `document.documentElement.scrollWidth`), width, name)
		assert.Empty(t, ask[[]string](t, b, cutOff), "%s at %d", name, width)
	}
	b.size(t, 390, 844)
	b.shoot(t, name+"-phone")
}
