// The plate as it lies on the bench. Python sends `plate` (what to draw) and both sides share `selected` (well names).
const SVG = "http://www.w3.org/2000/svg";
const CELL = 30, HEAD = 26, DRAG = 5;

function node(name, attributes = {}, parent = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.appendChild(made);
  return made;
}

function html(className, parent) {
  const made = document.createElement("div");
  made.className = className;
  parent.appendChild(made);
  return made;
}

function inside(x, y, path) { // even-odd rule
  let hit = false;
  for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
    const [xi, yi] = path[i], [xj, yj] = path[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) hit = !hit;
  }
  return hit;
}

function letters(row) { // 0 -> A, 26 -> AA
  return row < 26 ? String.fromCharCode(65 + row) : letters(Math.floor(row / 26) - 1) + letters(row % 26);
}

function render({ model, el }) {
  const box = html("kit-plate", el);
  box.tabIndex = 0;
  box.dataset.lmSuppressShortcuts = "true"; // JupyterLab's own arrow keys would move between cells
  box.setAttribute("role", "group");
  const stage = html("stage", box), legend = html("legend", box), said = html("said", box), tip = html("tip", box);
  said.setAttribute("aria-live", "polite");
  tip.hidden = true;
  let wells = [], byPlace = new Map(), groups = new Map(), svg, focusRing, drag = null, cursor = [0, 0], shape = "";
  const chosen = () => new Set(model.get("selected"));
  const middle = (index) => HEAD + CELL * (index + 0.5);

  function choose(names) {
    const wanted = new Set(names);
    model.set("selected", wells.filter((well) => wanted.has(well.name)).map((well) => well.name));
    model.save_changes();
  }

  function flip(names) { // add them all, or take them all away when all are chosen already
    const now = chosen(), all = names.length > 0 && names.every((name) => now.has(name));
    for (const name of names) all ? now.delete(name) : now.add(name);
    choose(now);
  }

  function header(text, x, y, label, names) {
    const made = node("text", { x, y, class: "head", "font-size": 12 }, svg);
    made.textContent = text;
    made.dataset.head = label;
    node("title", {}, made).textContent = label;
    made.addEventListener("click", (event) => event.detail < 2 && flip(names()));
  }

  function frame(plate) { // the parts that stay while values change
    stage.replaceChildren();
    groups = new Map();
    const width = HEAD + CELL * plate.columns + 4, height = HEAD + CELL * plate.rows + 4;
    svg = node("svg", { viewBox: `0 0 ${width} ${height}` }, stage);
    header("◩", HEAD / 2, HEAD / 2, "all wells", () => wells.map((well) => well.name));
    for (let column = 0; column < plate.columns; column++)
      header(column + 1, middle(column), HEAD / 2, `column ${column + 1}`, () => wells.filter((well) => well.column === column).map((well) => well.name));
    for (let row = 0; row < plate.rows; row++)
      header(letters(row), HEAD / 2, middle(row), `row ${letters(row)}`, () => wells.filter((well) => well.row === row).map((well) => well.name));
    for (const well of wells) groups.set(well.name, node("g", { "data-well": well.name, role: "img" }, svg));
    focusRing = node("rect", { class: "focus", width: CELL - 1, height: CELL - 1, rx: 4 }, svg);
    svg.addEventListener("pointerdown", start);
    svg.addEventListener("pointermove", move);
    svg.addEventListener("pointerup", end);
    svg.addEventListener("pointercancel", () => stop());
    svg.addEventListener("pointerleave", () => (tip.hidden = true));
    svg.addEventListener("click", click);
  }

  function draw() {
    const plate = model.get("plate"), before = new Map(wells.map((well) => [well.name, well]));
    wells = (plate.wells || []).map(([name, row, column, fill, mark, text]) => ({ name, row, column, fill, mark, text }));
    byPlace = new Map(wells.map((well) => [`${well.row},${well.column}`, well]));
    box.setAttribute("aria-label", `${plate.title || "plate"}: arrow keys move, space selects, shift and arrows extend, Escape clears`);
    const next = [plate.rows, plate.columns, ...wells.map((well) => well.name)].join();
    const anew = next !== shape;
    if (anew) frame(plate);
    shape = next;
    for (const well of wells) if (anew || differs(well, before.get(well.name))) paint(well);
    key(plate);
    mark();
  }

  const differs = (well, old) => ["fill", "mark", "text"].some((what) => well[what] !== old[what]);

  function paint(well) {
    const group = groups.get(well.name), x = middle(well.column), y = middle(well.row), r = CELL * 0.42;
    group.replaceChildren();
    group.setAttribute("class", `well ${well.mark}`);
    group.setAttribute("aria-label", well.text.replaceAll("\n", ", "));
    node("circle", { cx: x, cy: y, r, fill: well.fill || "none" }, group);
    if (well.mark.includes("excluded"))
      for (const kind of ["cross", "cross over"])
        node("path", { class: kind, d: `M${x - 7} ${y - 7}L${x + 7} ${y + 7}M${x + 7} ${y - 7}L${x - 7} ${y + 7}` }, group);
  }

  function mark() {
    const now = chosen();
    for (const [name, group] of groups) {
      const on = now.has(name);
      if (group.getAttribute("aria-selected") === String(on) && group.classList.contains("selected") === on) continue; // untouched since
      group.classList.toggle("selected", on);
      group.setAttribute("aria-selected", on);
      const ring = group.querySelector(".ring"), circle = group.querySelector("circle");
      if (on && !ring) node("circle", { class: "ring", cx: circle.getAttribute("cx"), cy: circle.getAttribute("cy"), r: CELL * 0.36 }, group);
      else if (!on && ring) ring.remove();
    }
    const names = model.get("selected"), more = names.length > 12 ? ` and ${names.length - 12} more` : "";
    said.textContent = names.length ? `${names.length} selected: ${names.slice(0, 12).join(", ")}${more}` : "No well selected. Click wells, drag over them, or hold Alt and draw around them.";
  }

  function key(plate) {
    legend.replaceChildren();
    const scale = plate.scale;
    if (!scale) return;
    const item = html("scale", legend);
    item.append(scale.label, " ", scale.low);
    html("bar", item).style.background = `linear-gradient(to right, ${scale.colors.join(",")})`;
    item.append(scale.high);
    for (const text of ["✕ left out", "orange outline: no value", "dashed: empty"]) html("", legend).textContent = text;
  }

  // ---- pointer ----
  function at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [point.x, point.y];
  }
  const under = ([x, y]) => byPlace.get(`${Math.floor((y - HEAD) / CELL)},${Math.floor((x - HEAD) / CELL)}`);

  function start(event) {
    if (event.button || event.target.closest(".head")) return;
    box.focus({ preventScroll: true });
    swallow = false;
    drag = { from: at(event), path: [at(event)], lasso: event.altKey, moved: false };
    svg.setPointerCapture(event.pointerId);
  }

  function move(event) {
    const here = at(event);
    if (!drag) return hover(under(here), event);
    drag.path.push(here);
    drag.moved ||= Math.hypot(here[0] - drag.from[0], here[1] - drag.from[1]) > DRAG;
    if (!drag.moved) return;
    tip.hidden = true;
    drag.shape?.remove();
    drag.shape = drag.lasso
      ? node("polygon", { class: "marquee", points: drag.path.map((p) => p.join()).join(" ") }, svg)
      : node("rect", { class: "marquee", x: Math.min(here[0], drag.from[0]), y: Math.min(here[1], drag.from[1]), width: Math.abs(here[0] - drag.from[0]), height: Math.abs(here[1] - drag.from[1]) }, svg);
  }

  function end(event) {
    if (!drag) return;
    const { from, path, lasso, moved } = drag, to = at(event);
    stop();
    if (!moved) return; // the click event follows
    swallow = true; // so does one after a drag, and it means nothing
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b), [top, bottom] = [from[1], to[1]].sort((a, b) => a - b);
    const touched = (well) => middle(well.column) + 11 >= left && middle(well.column) - 11 <= right && middle(well.row) + 11 >= top && middle(well.row) - 11 <= bottom;
    const hit = wells.filter((well) => (lasso ? inside(middle(well.column), middle(well.row), path) : touched(well)));
    choose([...chosen(), ...hit.map((well) => well.name)]);
  }

  let swallow = false;
  function stop() {
    drag?.shape?.remove();
    drag = null;
  }

  function click(event) {
    const skip = swallow || event.detail > 1 || event.target.closest(".head"); // a double click is one click
    swallow = false;
    const well = under(at(event));
    if (skip || !well) return;
    focusOn([well.row, well.column]);
    flip([well.name]);
  }

  function hover(well, event) {
    tip.hidden = !well;
    if (!well) return;
    const frameBox = box.getBoundingClientRect(), x = event.clientX - frameBox.left, y = event.clientY - frameBox.top;
    show(well, x, y, frameBox.width);
  }

  function show(well, x, y, width) {
    tip.hidden = false;
    tip.textContent = well.text;
    tip.style.left = `${Math.max(0, Math.min(x + 14, width - tip.offsetWidth))}px`;
    tip.style.top = `${y + 16}px`;
  }

  // ---- keyboard ----
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function focusOn(place) {
    cursor = place;
    focusRing.setAttribute("x", HEAD + CELL * place[1] + 0.5);
    focusRing.setAttribute("y", HEAD + CELL * place[0] + 0.5);
    return byPlace.get(place.join());
  }

  function keydown(event) {
    const plate = model.get("plate"), step = STEPS[event.key];
    if (step) {
      const row = Math.min(plate.rows - 1, Math.max(0, cursor[0] + step[0])), column = Math.min(plate.columns - 1, Math.max(0, cursor[1] + step[1]));
      const before = byPlace.get(cursor.join()), well = focusOn([row, column]);
      if (event.shiftKey) choose([...chosen(), before?.name, well?.name]);
      if (well) show(well, ...place(), box.clientWidth);
    } else if (event.key === " " || event.key === "Enter") {
      const well = byPlace.get(cursor.join());
      if (well) flip([well.name]);
    } else if (event.key === "Escape") choose([]);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) choose(wells.map((well) => well.name));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function place() { // of the cursor, in the box's pixels
    const ring = focusRing.getBoundingClientRect(), frameBox = box.getBoundingClientRect();
    return [ring.right - frameBox.left - 14, ring.bottom - frameBox.top - 14];
  }

  box.addEventListener("keydown", keydown);
  box.addEventListener("blur", () => (tip.hidden = true));
  model.on("change:plate", draw);
  model.on("change:selected", mark);
  draw();
  if (focusRing) focusOn([0, 0]);
}

export default { render };
