"use strict";
(function () {
  // Tables: sort by a click on a head, or Enter or Space on it; a third time restores the order.
  function key(cell) {
    if (!cell) return "";
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const text = cell.textContent.trim();
    return text === "–" ? "" : text;
  }
  function compare(a, b) {
    if (a === "" || b === "") return (a === "") - (b === "");
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true, sensitivity: "base" });
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    const body = table.tBodies[0], original = Array.from(body.rows), heads = Array.from(table.tHead.rows[0].cells);
    if (original.length < 2) { table.classList.remove("sortable"); return; }
    heads.forEach(function (head, column) {
      head.tabIndex = 0;
      function sort() {
        const before = head.getAttribute("aria-sort");
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        let rows = original;
        if (before !== "descending") {
          const sign = before === "ascending" ? -1 : 1;
          head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
          rows = original.slice().sort(function (x, y) {
            const a = key(x.cells[column]), b = key(y.cells[column]);
            return a === "" || b === "" ? compare(a, b) : sign * compare(a, b);
          });
        }
        body.append(...rows);
      }
      head.addEventListener("click", sort);
      head.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
      });
    });
  });

  const toggle = document.getElementById("toggle-code"), code = document.querySelectorAll("details.code");
  if (toggle && !code.length) toggle.hidden = true;
  if (toggle) toggle.addEventListener("click", function () {
    const show = toggle.getAttribute("aria-pressed") !== "true";
    toggle.setAttribute("aria-pressed", String(show));
    toggle.textContent = show ? "Hide code" : "Show code";
    code.forEach(function (part) { part.open = show; });
  });

  // Navigation: mark the section in view.
  const links = new Map();
  document.querySelectorAll("nav.side a").forEach(function (link) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target) links.set(target, link);
  });
  const targets = Array.from(links.keys());
  function mark() {
    let here = targets[0];
    targets.forEach(function (target) { if (target.getBoundingClientRect().top < 120) here = target; });
    links.forEach(function (link, target) { link.classList.toggle("here", target === here); });
  }
  let waiting = false;
  addEventListener("scroll", function () {
    if (!waiting) { waiting = true; requestAnimationFrame(function () { waiting = false; mark(); }); }
  }, { passive: true });
  if (targets.length) mark();
})();
