// Filters the findings. The page is complete without it.
(function () {
  "use strict";
  var form = document.getElementById("filter");
  if (!form) return;
  var vendor = document.getElementById("vendor");
  var action = document.getElementById("action");
  var text = document.getElementById("text");
  var shown = document.getElementById("shown");
  var rows = Array.prototype.map.call(document.querySelectorAll("table.findings tbody tr"), function (row) {
    return { row: row, text: row.textContent.toLowerCase() };
  });
  function filter() {
    var words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    var count = 0;
    rows.forEach(function (r) {
      var hit = (!vendor.value || r.row.dataset.vendor === vendor.value) &&
        (!action.value || r.row.dataset.action === action.value) &&
        words.every(function (word) { return r.text.indexOf(word) >= 0; });
      r.row.hidden = !hit;
      if (hit) count++;
    });
    shown.textContent = count + " of " + rows.length + " shown";
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("reset", function () { setTimeout(filter); });
  form.hidden = false;
  filter();
})();
