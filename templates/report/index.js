"use strict";
(function () {
  const HEIGHT = 46, MANY_LINES = 4;
  const CALLS = { A: "auxotrophic", D: "dependent", P: "partially dependent", N: "prototrophic", I: "inconclusive" };
  const ORDER = Object.keys(CALLS);
  const SIGNS = { pass: "✓ PASS", warn: "! WARN", fail: "✕ FAIL", failed: "✕ NOT MADE" };
  const RANK = { failed: 0, fail: 1, warn: 2, pass: 3 };
  const AMINO = ["asparagine", "glutamine", "serine"];
  const SHORT = { asparagine: "Asn", glutamine: "Gln", serine: "Ser" };
  const byId = function (id) { return document.getElementById(id); };
  const all = JSON.parse(byId("data").textContent).map(function (item) {
    const calls = item[5].map(function (call) { return { line: call[0], amino: call[1], code: call[2], sure: call[3] === "c" }; });
    const entry = { id: item[0], title: item[1], date: item[2], state: item[3], reasons: item[4], calls: calls, simulated: item[6], lines: item[7] };
    entry.text = [entry.id, entry.title, entry.date, entry.lines.join(" "), entry.reasons.join(" "), entry.simulated ? "simulated" : ""].join(" ").toLowerCase();
    return entry;
  });
  const words = { search: byId("search"), verdict: byId("verdict"), line: byId("line"), amino: byId("amino"), call: byId("call") };
  const rows = byId("rows"), space = byId("space");
  let shown = all, order = { column: 1, sign: -1 };

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function options(select, values, label) {
    values.forEach(function (value) {
      const option = make("option", "", label ? label(value) : value);
      option.value = value;
      select.append(option);
    });
  }
  const sorted = function (values) { return Array.from(new Set(values)).sort(function (a, b) { return a.localeCompare(b, "en", { numeric: true }); }); };
  options(words.verdict, ["pass", "warn", "fail", "failed"], function (value) { return value === "failed" ? "not made" : value.toUpperCase(); });
  options(words.line, sorted(all.flatMap(function (entry) { return entry.lines; })));
  options(words.amino, sorted(all.flatMap(function (entry) { return entry.calls.map(function (call) { return call.amino; }); })));
  options(words.call, Object.keys(CALLS), function (code) { return CALLS[code]; });

  const COLUMNS = [
    ["Experiment", function (entry) { return entry.id; }], ["Date", function (entry) { return entry.date; }],
    ["Verdict", function (entry) { return RANK[entry.state]; }], ["Calls", function (entry) { return -entry.calls.filter(function (call) { return "ADP".includes(call.code); }).length; }],
    ["Reasons", function (entry) { return entry.reasons[0] || ""; }],
  ];
  COLUMNS.forEach(function (column, index) {
    const cell = make("div"), button = make("button", "", column[0]);
    cell.setAttribute("role", "columnheader");
    button.type = "button";
    button.addEventListener("click", function () { order = { column: index, sign: order.column === index ? -order.sign : 1 }; apply(); });
    cell.append(button);
    byId("head").append(cell);
  });

  function wanted(call) {
    return (!words.line.value || call.line === words.line.value) && (!words.amino.value || call.amino === words.amino.value)
      && (!words.call.value || call.code === words.call.value);
  }
  function apply() {
    const terms = words.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const byCall = words.amino.value || words.call.value;
    shown = all.filter(function (entry) {
      return (!words.verdict.value || entry.state === words.verdict.value) && (!words.line.value || entry.lines.includes(words.line.value))
        && (!byCall || entry.calls.some(wanted)) && terms.every(function (term) { return entry.text.includes(term); });
    });
    const key = COLUMNS[order.column][1];
    shown.sort(function (x, y) {
      const a = key(x), b = key(y);
      return order.sign * (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0) || (x.id < y.id ? -1 : 1);
    });
    Array.from(byId("head").children).forEach(function (header, index) {
      if (index === order.column) header.setAttribute("aria-sort", order.sign > 0 ? "ascending" : "descending");
      else header.removeAttribute("aria-sort");
    });
    const counts = {};
    shown.forEach(function (entry) { counts[entry.state] = (counts[entry.state] || 0) + 1; });
    const parts = Object.keys(SIGNS).filter(function (state) { return counts[state]; }).map(function (state) { return counts[state] + " " + SIGNS[state].slice(2).toLowerCase(); });
    byId("counts").textContent = (shown.length === all.length ? all.length : shown.length + " of " + all.length) + " experiments" + (parts.length ? ": " + parts.join(", ") : "");
    space.style.height = shown.length * HEIGHT + "px";
    rows.scrollTop = 0;
    redraw();
    overview();
  }

  // Only the rows in view exist: thousands scroll as lightly as ten. Rows that stay in view stay the same nodes, and the one that has the
  // focus stays even out of view, so that Tab goes on from it.
  const drawn = new Map();
  let whole = false;  // all rows, for printing
  function draw() {
    const first = whole ? 0 : Math.max(0, Math.floor(rows.scrollTop / HEIGHT) - 5);
    const last = whole ? shown.length : Math.min(shown.length, first + Math.ceil(rows.clientHeight / HEIGHT) + 10);
    let next = null;
    drawn.forEach(function (node, index) {
      if (index >= first && index < last) return;
      if (!node.contains(document.activeElement)) { node.remove(); drawn.delete(index); }
      else if (index >= last) next = node;
    });
    for (let index = last - 1; index >= first; index--) {
      if (!drawn.has(index)) { drawn.set(index, row(shown[index], index)); rows.insertBefore(drawn.get(index), next); }
      next = drawn.get(index);
    }
  }
  // Other rows or another order: the focus follows its experiment, where that is in view.
  function redraw() {
    const held = document.activeElement.closest(".row");
    rows.querySelectorAll(".row, .none").forEach(function (node) { node.remove(); });
    drawn.clear();
    draw();
    if (!shown.length) rows.append(make("p", "none", all.length ? "No experiment fits these filters." : "No reports here yet."));
    if (held) {
      const again = Array.from(drawn.values()).find(function (node) { return node.dataset.id === held.dataset.id; });
      (again ? again.querySelector("a") : rows).focus({ preventScroll: true });
    }
  }
  function row(entry, index) {
    const node = make("div", "row");
    node.setAttribute("role", "row");
    node.setAttribute("aria-rowindex", index + 2);
    node.dataset.id = entry.id;
    node.style.top = index * HEIGHT + "px";
    const name = make("div"), line = make("div", "name"), link = make("a", "", entry.id);
    link.href = encodeURIComponent(entry.id) + "/report.html";
    line.append(link, " ", entry.simulated ? make("span", "sim", "SIMULATED") : "");
    name.append(line, make("small", "", entry.title));
    name.title = entry.title;
    const verdict = make("div");
    verdict.append(make("span", "badge v-" + entry.state, SIGNS[entry.state]));
    const calls = make("div", "calls");
    (new Set(entry.calls.map(function (call) { return call.line; })).size > MANY_LINES ? tallies : marks)(entry.calls).forEach(function (group) { calls.append(group); });
    const why = make("div", "why", entry.reasons.join(" "));
    why.title = entry.reasons.join("\n");
    node.append(name, make("div", "", entry.date), verdict, calls, why);
    node.querySelectorAll(":scope > div").forEach(function (cell) { cell.setAttribute("role", "cell"); });
    return node;
  }

  // Each line with its calls.
  function marks(list) {
    return grouped(list, "line").map(function (pair) {
      const group = make("span", "", pair[0] + " ");
      pair[1].forEach(function (call) {
        const mark = make("b", "k-" + call.code, (SHORT[call.amino] || call.amino) + (call.sure ? "" : "?"));
        mark.title = inWords(call);
        group.append(mark, " ");
      });
      return group;
    });
  }
  // Many lines: how many of each call, so that nothing is cut off; the names stand in the tooltip.
  function tallies(list) {
    return grouped(list, "amino").map(function (pair) {
      const group = make("span", "", (SHORT[pair[0]] || pair[0]) + " ");
      grouped(pair[1], "code").sort(function (a, b) { return ORDER.indexOf(a[0]) - ORDER.indexOf(b[0]); }).forEach(function (same) {
        const mark = make("b", "k-" + same[0], same[1].length + " " + CALLS[same[0]]);
        mark.title = same[1].map(inWords).join("\n");
        group.append(mark, " ");
      });
      return group;
    });
  }
  function grouped(list, key) {
    const found = new Map();
    list.forEach(function (call) { if (!found.has(call[key])) found.set(call[key], []); found.get(call[key]).push(call); });
    return Array.from(found);
  }
  function inWords(call) { return call.line + ", " + call.amino + ": " + CALLS[call.code] + (call.sure ? "" : " (not confident)"); }

  function overview() {
    const lines = new Map();
    shown.forEach(function (entry) {
      entry.calls.forEach(function (call) {
        if (words.line.value && call.line !== words.line.value) return;
        if (!lines.has(call.line)) lines.set(call.line, {});
        const line = lines.get(call.line), tally = line[call.amino] || (line[call.amino] = {});
        tally[call.code] = (tally[call.code] || 0) + 1;
      });
    });
    const present = new Set(Array.from(lines.values()).flatMap(Object.keys));
    const aminos = AMINO.filter(function (name) { return present.has(name); }).concat(sorted(present).filter(function (name) { return !AMINO.includes(name); }));
    byId("overview").hidden = !lines.size;
    const table = make("table"), head = make("tr");
    head.append(make("th", "", "Line"));
    aminos.forEach(function (name) { head.append(make("th", "", name)); });
    table.append(make("thead"), make("tbody"));
    table.tHead.append(head);
    sorted(lines.keys()).slice(0, 400).forEach(function (line) {
      const line_row = make("tr");
      line_row.append(make("th", "", line));
      aminos.forEach(function (amino) { line_row.append(stack(lines.get(line)[amino] || {})); });
      table.tBodies[0].append(line_row);
    });
    byId("grid").replaceChildren(table);
  }
  function stack(tally) {
    const cell = make("td"), total = Object.values(tally).reduce(function (sum, count) { return sum + count; }, 0);
    if (!total) return cell;
    const bar = make("span", "stack"), most = Object.keys(CALLS).filter(function (code) { return tally[code]; });
    most.forEach(function (code) {
      const part = make("i", "k-" + code);
      part.style.width = 100 * tally[code] / total + "%";
      bar.append(part);
    });
    cell.title = most.map(function (code) { return tally[code] + " " + CALLS[code]; }).join(", ");
    const top = most.slice().sort(function (a, b) { return tally[b] - tally[a]; })[0];
    cell.append(bar, make("span", "n", CALLS[top] + " " + tally[top] + "/" + total));
    return cell;
  }

  let waiting = false;
  rows.addEventListener("scroll", function () {
    if (!waiting) { waiting = true; requestAnimationFrame(function () { waiting = false; draw(); }); }
  }, { passive: true });
  addEventListener("resize", draw);
  addEventListener("beforeprint", function () { whole = true; draw(); });
  addEventListener("afterprint", function () { whole = false; draw(); });
  Object.values(words).forEach(function (control) { control.addEventListener("input", apply); });
  byId("filters").addEventListener("submit", function (event) { event.preventDefault(); });
  byId("clear").addEventListener("click", function () { byId("filters").reset(); apply(); });
  apply();
})();
