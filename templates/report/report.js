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

  // Tables and figures: filter the rows, copy the data, save the picture; nothing leaves the page.
  function button(text, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", function () { act(made); });
    return made;
  }
  function copy(text, made) {
    const said = made.textContent, area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    made.textContent = done ? "Copied" : "Copying is not allowed here";
    setTimeout(function () { made.textContent = said; }, 1500);
  }
  function values(row) {
    return Array.from(row.cells).map(function (cell) {
      return (cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim()).replace(/\s+/g, " ");
    }).join("\t");
  }
  document.querySelectorAll("div.table").forEach(function (part) {
    const table = part.querySelector("table"), rows = Array.from(table.rows);
    if (rows.length < 3 || table.classList.contains("matrix")) return;
    const bar = document.createElement("div");
    bar.className = "tools";
    if (rows.length > 9) {
      const find = document.createElement("input");
      find.type = "search";
      find.placeholder = "Filter rows";
      find.setAttribute("aria-label", "Filter rows");
      find.addEventListener("input", function () {
        const wanted = find.value.trim().toLowerCase();
        rows.slice(1).forEach(function (row) { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
      });
      bar.append(find);
    }
    bar.append(button("Copy", function (made) {
      copy(Array.from(table.rows).filter(function (row) { return !row.hidden; }).map(values).join("\n"), made);
    }));
    part.prepend(bar);
  });
  document.querySelectorAll("figure.exhibit").forEach(function (figure) {
    const image = figure.querySelector("img"), data = figure.querySelector("template");
    const name = figure.id.replace(/^figure-/, "") || "figure", svg = image.src.startsWith("data:image/svg");
    const bar = document.createElement("div");
    bar.className = "tools";
    function save(address, ending) {
      const link = document.createElement("a");
      link.href = address;
      link.download = name + "." + ending;
      link.click();
    }
    if (data) bar.append(button("Copy data", function (made) { copy(data.content.textContent, made); }));
    if (svg) bar.append(button("Save SVG", function () { save(image.src, "svg"); }));
    bar.append(button("Save PNG", function () {
      if (!svg) { save(image.src, "png"); return; }
      const canvas = document.createElement("canvas"), scale = 3;
      canvas.width = image.naturalWidth * scale;
      canvas.height = image.naturalHeight * scale;
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(image, 0, 0, canvas.width, canvas.height);
      save(canvas.toDataURL("image/png"), "png");
    }));
    figure.append(bar);
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
