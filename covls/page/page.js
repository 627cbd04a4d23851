"use strict";
// What the page shows, and what it does when it is used. What it shows is worked out in
// calculate.js. All text comes from a repository that anybody may have written to: it is only ever
// set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const ROWS = 200; // A table of more is shown in parts: browsers take long over large ones.
const MARGIN = { left: 46, right: 12, top: 12, bottom: 22 };

const byId = (id) => document.getElementById(id);

/** The page's state: what is chosen. Everything shown follows from it and from the data. */
const chosen = {
  series: null,
  runs: [], // the runs of the series on the branch that is chosen, oldest first
  at: 0, // which of `runs` is looked at
  from: 0, // which of `runs` it is compared with
  to: 0,
  path: "", // the folder or file whose trend is shown
  folder: "", // the folder that fills the map
};
let data = null;
let allSeries = [];

/** An element with attributes and children; a text child is text whatever it holds. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** The same in a drawing. */
function drawn(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function button(words, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, words);
  made.addEventListener("click", action);
  return made;
}

/** Have a screen reader say something. */
function say(words) {
  byId("said").textContent = words;
}

function paths() {
  return data.files;
}

function now() {
  return chosen.runs[chosen.at];
}

function nameOf(path) {
  return path || "Everything";
}

// Figures in tables

function percentCell(totals) {
  const value = percent(totals);
  const filled = element("span", { class: `c${step(value)}` });
  filled.style.width = `${value}%`;
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, filled);
  return element("td", { class: "number" }, bar, element("span", { class: "percent" }, percentText(value)));
}

function numberCell(value) {
  const words = value === null ? "–" : value.toLocaleString("en");
  return element("td", { class: "number" }, words);
}

/** A difference, coloured by whether it is for the better: `better` is 1, -1, or 0 for neither. */
function changeCell(value, words, better) {
  const sign = value === null ? 0 : Math.sign(value) * better;
  const colour = sign > 0 ? "good" : sign < 0 ? "bad" : "quiet";
  return element("td", { class: "number" }, element("span", { class: colour }, words));
}

function signed(value) {
  return value === 0 ? "±0" : value > 0 ? `+${value.toLocaleString("en")}`
    : `−${Math.abs(value).toLocaleString("en")}`;
}

function headCell(...content) {
  return element("th", { scope: "row" }, ...content);
}

/**
 * A table that can be sorted and filtered, put into `place`; returns what shows other rows in it.
 *
 * A column is `{name, value, cell, number}`: its value is what rows are sorted by. `text` says what
 * a filter looks at; without it there is no filter.
 */
function table(place, { caption, columns, text = null, sort = null, things }) {
  let rows = [];
  let shown = ROWS;
  let order = sort; // {column, descending}
  const body = element("tbody");
  const heads = columns.map((column, at) => element(
    "th",
    { scope: "col", class: column.number ? "number" : "" },
    button(column.name, () => {
      const first = Boolean(column.number);
      order = { column: at, descending: order && order.column === at ? !order.descending : first };
      draw();
      say(`Sorted by ${column.name}, ${order.descending ? "descending" : "ascending"}`);
    }),
  ));
  const count = element("span", { class: "quiet", role: "status" });
  const filter = element("input", { type: "search", "aria-label": `Filter ${things}`,
    placeholder: `Filter ${things}`, autocomplete: "off", spellcheck: "false" });
  filter.addEventListener("input", () => {
    shown = ROWS;
    draw();
  });
  const more = button("", () => {
    const before = body.rows.length;
    shown += 5 * ROWS;
    draw();
    const next = body.rows[before] && body.rows[before].querySelector("button");
    if (next) next.focus();
  }, { class: "more" });

  function draw() {
    const kept = text ? filtered(rows, filter.value, text) : rows;
    const inOrder = order ? sorted(kept, columns[order.column].value, order.descending) : kept;
    body.replaceChildren(...inOrder.slice(0, shown).map((row) => element(
      "tr", {}, ...columns.map((column) => column.cell(row)),
    )));
    heads.forEach((head, at) => {
      if (order && order.column === at) {
        head.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
      } else head.removeAttribute("aria-sort");
    });
    count.textContent = kept.length === rows.length
      ? `${rows.length.toLocaleString("en")} ${things}`
      : `${kept.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${things}`;
    more.hidden = kept.length <= shown;
    more.textContent = `Show more (${(kept.length - shown).toLocaleString("en")} are left)`;
  }

  place.replaceChildren(
    ...(text ? [element("div", { class: "tools" }, filter, count)] : []),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      element("table", {},
        element("caption", { class: "unseen" }, caption),
        element("thead", {}, element("tr", {}, ...heads)),
        body)),
    more,
  );
  return (other) => {
    rows = other;
    draw();
  };
}

/** Columns of counts, for rows that have `totals`. */
function countColumns() {
  const count = (name, at) => ({
    name, number: true, value: (row) => row.totals[at], cell: (row) => numberCell(row.totals[at]),
  });
  return [
    { name: "Coverage", number: true, value: (row) => percent(row.totals),
      cell: (row) => percentCell(row.totals) },
    count("Statements", STATEMENTS),
    count("Missing", MISSING),
    ...(data.withBranches ? [count("Branches", BRANCHES), count("Partial", PARTIAL)] : []),
  ];
}

// Trend

/** What the chart shows, and where: worked out once for each size and choice. */
let charted = null;

function drawChart() {
  const place = byId("chart");
  const { series, runs, path } = chosen;
  const everything = trend(series, paths(), path);
  const values = runs.map((run) => everything[run.at] && percent(everything[run.at]));
  const gates = gatesOf(data.gates, path);
  const known = values.filter((value) => value !== null);
  const width = Math.max(place.clientWidth, 200);
  const height = Math.max(place.clientHeight, 120);
  const { low, high, lines } = scale([...known, ...gates.map((gate) => gate.least)].concat(
    known.length + gates.length ? [] : [0, 100],
  ));
  const last = Math.max(runs.length - 1, 1);
  const x = (at) => runs.length === 1
    ? (MARGIN.left + width - MARGIN.right) / 2
    : MARGIN.left + ((width - MARGIN.left - MARGIN.right) * at) / last;
  const y = (value) => height - MARGIN.bottom
    - ((height - MARGIN.top - MARGIN.bottom) * (value - low)) / (high - low);

  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": chartWords(values, gates) });
  for (const line of lines) {
    svg.append(
      drawn("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right,
        y1: y(line), y2: y(line) }),
      drawn("text", { x: MARGIN.left - 8, y: y(line) + 4, "text-anchor": "end" }, `${line} %`),
    );
  }
  const nLabels = Math.max(1, Math.min(runs.length - 1, Math.floor(width / 160)));
  for (let label = 0; label <= nLabels && runs.length > 1; label++) {
    const at = Math.round((last * label) / nLabels);
    svg.append(drawn("text", { x: x(at), y: height - 5,
      "text-anchor": label === 0 ? "start" : label === nLabels ? "end" : "middle" },
    timeText(runs[at].time).slice(0, 10)));
  }
  for (const part of unbroken(values)) {
    const points = part.map((at) => `${x(at).toFixed(1)},${y(values[at]).toFixed(1)}`);
    const [start, end] = [x(part[0]).toFixed(1), x(part[part.length - 1]).toFixed(1)];
    svg.append(
      drawn("path", { class: "area", d: `M${start},${y(low)}L${points.join("L")}L${end},${y(low)}Z` }),
      drawn("path", { class: "line", d: `M${points.join("L")}` }),
    );
    if (runs.length <= 80) {
      for (const at of part) svg.append(drawn("circle", { class: "dot", cx: x(at), cy: y(values[at]), r: 3 }));
    }
  }
  for (const gate of gates) {
    svg.append(
      drawn("line", { class: "gate", x1: MARGIN.left, x2: width - MARGIN.right,
        y1: y(gate.least), y2: y(gate.least) }),
      drawn("text", { class: "gate-words", x: MARGIN.left + 6,
        y: y(gate.least) + (known[0] >= gate.least && gate.least > low ? 15 : -6) },
        `gate: at least ${gate.least} %`),
    );
  }
  const from = drawn("line", { class: "from", y1: MARGIN.top, y2: height - MARGIN.bottom });
  const line = drawn("line", { class: "now", y1: MARGIN.top, y2: height - MARGIN.bottom });
  const dot = drawn("circle", { class: "here", r: 5 });
  svg.append(from, line, dot);
  const tip = element("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  place.replaceChildren(svg, tip);
  charted = { x, y, values, everything, width, height, from, line, dot, tip };
  byId("trend-where").replaceChildren(
    element("span", {}, "Coverage of ", element("strong", {}, element("bdi", {}, nameOf(path)))),
    ...(path ? [button("Show everything", () => choosePath(""), { class: "link" })] : []),
  );
  moveCursor();
}

/** The stretches of values that are known, as lists of their places. */
function unbroken(values) {
  const parts = [];
  values.forEach((value, at) => {
    if (value === null) return;
    const last = parts[parts.length - 1];
    if (last && last[last.length - 1] === at - 1) last.push(at);
    else parts.push([at]);
  });
  return parts;
}

function chartWords(values, gates) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return `Nothing is known of ${nameOf(chosen.path)}`;
  const words = `Coverage of ${nameOf(chosen.path)} over ${counted(chosen.runs.length, "run")}: `
    + `from ${percentText(known[0])} to ${percentText(known[known.length - 1])}, `
    + `least ${percentText(Math.min(...known))}, most ${percentText(Math.max(...known))}`;
  return words + gates.map((gate) => `; gate at ${gate.least} %`).join("");
}

function runWords(run) {
  return `${run.short}, ${timeText(run.time)}: ${percentText(percent(run.totals))}`;
}

/** Show which commit is looked at, in the chart and below it. */
function moveCursor() {
  const { x, y, values, everything, line, dot, from } = charted;
  const { at, runs } = chosen;
  const value = values[at];
  for (const [mark, place] of [[line, at], [from, chosen.from]]) {
    mark.setAttribute("x1", x(place));
    mark.setAttribute("x2", x(place));
  }
  from.style.display = chosen.from === at ? "none" : "";
  dot.style.display = value === null ? "none" : "";
  if (value !== null) {
    dot.setAttribute("cx", x(at));
    dot.setAttribute("cy", y(value));
  }
  const run = runs[at];
  const before = at > 0 ? values[at - 1] : null;
  const totals = everything[run.at];
  const slider = byId("cursor");
  slider.value = String(at);
  slider.setAttribute("aria-valuetext", `${run.short}, ${timeText(run.time)}: `
    + `${value === null ? "not known" : percentText(value)}; ${run.subject}`);
  const change = value === null || before === null ? null : value - before;
  byId("commit").replaceChildren(
    element("p", {},
      element("span", { class: "figure" }, value === null ? "–" : percentText(value)),
      ...(change ? [element("span", { class: change > 0 ? "good" : "bad" },
        `${changeText(change)} against the run before`)] : [])),
    element("p", {}, element("code", {}, run.short), " ", element("bdi", {}, run.subject)),
    element("p", { class: "quiet" }, [
      `${timeText(run.time)} UTC`,
      run.branch && `on ${run.branch}`,
      !run.clean && "work tree not clean",
      totals && `${(totals[STATEMENTS] - totals[MISSING]).toLocaleString("en")} of `
        + `${counted(totals[STATEMENTS], "statement")}`,
      totals && totals[BRANCHES] && `${(totals[BRANCHES] - totals[MISSED]).toLocaleString("en")} of `
        + `${counted(totals[BRANCHES], "branch")}`,
    ].filter(Boolean).join(" · ")),
  );
  byId("to-latest").disabled = at === runs.length - 1;
  byId("mark-from").disabled = at === chosen.to || run.at < chosen.series.first;
}

function chooseRun(at) {
  chosen.at = Math.max(0, Math.min(chosen.runs.length - 1, at));
  moveCursor();
  later(drawTree);
}

const waiting = new Set();

/** Draw with the next frame, once: a slider that is dragged chooses many runs a second. */
function later(draw) {
  if (waiting.has(draw)) return;
  waiting.add(draw);
  requestAnimationFrame(() => {
    waiting.delete(draw);
    draw();
  });
}

// Map

let treeNow = null;

/** Everything that shows files as they were at the commit looked at. */
function drawTree() {
  const run = now();
  const files = filesAt(chosen.series, paths(), run.at);
  treeNow = tree(files);
  byId("map-commit").textContent = `at ${runWords(run)}`;
  showFiles(files);
  drawMap();
}

function drawMap() {
  const place = byId("treemap");
  chosen.folder = folderAt(treeNow, chosen.folder).path;
  drawCrumbs(chosen.folder);
  const folder = opened(folderAt(treeNow, chosen.folder));
  const width = Math.max(place.clientWidth, 100);
  const height = Math.max(place.clientHeight, 100);
  const all = tiles(folder, width, height);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const tile of all) drawTile(svg, tile);
  const outer = all.filter((tile) => tile.depth === 0);
  const buttons = outer.map((tile, at) => tileButton(tile, at, outer));
  const tip = element("div", { class: "tip", "aria-hidden": "true", hidden: "" });
  place.replaceChildren(svg, ...buttons, tip);
  if (!outer.length) place.append(element("p", { class: "quiet" },
    now().at < chosen.series.first ? "Of this commit the totals alone are known." : "There is no code here."));
  place.onpointermove = (event) => {
    const area = place.getBoundingClientRect();
    const [left, top] = [event.clientX - area.left, event.clientY - area.top];
    const inner = all.findLast((tile) => left >= tile.x && left < tile.x + tile.width
      && top >= tile.y && top < tile.y + tile.height);
    showTip(tip, inner, left, top, width, height);
  };
  place.onpointerleave = () => showTip(tip, null);
  showFolder(shares(folder).map((node) => ({ node, totals: node.totals })));
}

function drawTile(svg, tile) {
  const { node, x, y, width, height, header } = tile;
  if (width < 1 || height < 1) return;
  const value = percent(node.totals);
  const colour = `c${step(value)}`;
  svg.append(drawn("rect", { class: node.children ? "folder" : `file ${colour}`, x, y, width, height }));
  const write = (words, top, extra) => svg.append(drawn("text", { x: x + 5, y: y + top, ...extra }, words));
  const room = width - 9;
  if (node.children) {
    if (header) write(cut(`${nameIn(tile)}  ${percentText(value)}`, room, 7.6), 13, { class: "name" });
  } else if (height > 18) {
    write(cut(node.name, room), 14, { class: colour });
    if (height > 34 && width > 46) write(percentText(value), 29, { class: colour });
  }
}

/** A folder's name within the one around it: of folders that hold one alone, all names. */
function nameIn({ node, around }) {
  return node.path.slice(around ? around.length + 1 : 0);
}

/** A tile as it is said, and pressed: folders open, files show their trend. */
function tileButton(tile, at, outer) {
  const { node } = tile;
  const made = button("", () => openNode(node), {
    "aria-label": nodeWords(nameIn(tile), node),
    "aria-pressed": node.children ? null : String(chosen.path === node.path),
    tabindex: at === 0 ? "0" : "-1",
    "data-path": node.path,
  });
  Object.assign(made.style, { left: `${tile.x}px`, top: `${tile.y}px`,
    width: `${tile.width}px`, height: `${tile.height}px` });
  made.addEventListener("keydown", (event) => {
    const to = event.key === "Home" ? 0
      : event.key === "End" ? outer.length - 1
      : event.key.startsWith("Arrow") ? nextTile(outer, at, event.key)
      : null;
    if (to !== null) {
      event.preventDefault();
      focusTile(outer[to].node.path);
    } else if ((event.key === "Escape" || event.key === "Backspace") && chosen.folder) {
      event.preventDefault();
      const left = chosen.folder;
      openFolder(above(treeNow, left));
      focusTile(left);
    }
  });
  made.addEventListener("focus", () => {
    const place = byId("treemap");
    if (made.matches(":focus-visible")) {
      showTip(place.querySelector(".tip"), tile, tile.x + tile.width / 2, tile.y + tile.height / 2,
        place.clientWidth, place.clientHeight);
    }
  });
  made.addEventListener("blur", () => {
    const tip = byId("treemap").querySelector(".tip");
    if (tip) showTip(tip, null);
  });
  return made;
}

function nodeWords(name, node) {
  return `${node.children ? "Folder " : ""}${name}: ${nodeFigures(node)}`;
}

function nodeFigures(node) {
  const [statements, missing] = node.totals;
  return `${percentText(percent(node.totals))}, ${counted(statements, "statement")}, `
    + `${missing.toLocaleString("en")} missing${node.children ? `, ${counted(node.nFiles, "file")}` : ""}`;
}

function showTip(tip, tile, left, top, width, height) {
  tip.hidden = !tile;
  if (!tile) return;
  tip.replaceChildren(element("strong", {}, pathWords(tile.node.path)), nodeFigures(tile.node));
  placeTip(tip, left, top, width, height);
}

/** Put a tip beside a place, within the area that it is in. */
function placeTip(tip, left, top, width, height) {
  tip.style.left = `${Math.max(0, Math.min(left + 14, width - tip.offsetWidth))}px`;
  tip.style.top = `${top + 18 + tip.offsetHeight > height ? Math.max(0, top - tip.offsetHeight - 10) : top + 18}px`;
}

function focusTile(path) {
  const buttons = [...byId("treemap").querySelectorAll("button")];
  const wanted = buttons.find((each) => each.dataset.path === path) || buttons[0];
  for (const each of buttons) each.tabIndex = each === wanted ? 0 : -1;
  if (wanted) wanted.focus();
}

function openNode(node) {
  if (!node.children) {
    choosePath(chosen.path === node.path ? chosen.folder : node.path);
    focusTile(node.path);
    return;
  }
  openFolder(node.path);
  focusTile("");
}

function openFolder(path) {
  chosen.folder = path;
  chosen.path = path;
  drawMap();
  drawChart();
  say(`${nameOf(path)}: ${counted(byId("treemap").querySelectorAll("button").length, "tile")}`);
}

/** Show the trend of a file or folder, and where it is in the map. */
function choosePath(path) {
  chosen.path = path;
  const isFile = paths().includes(path);
  chosen.folder = isFile ? path.split("/").slice(0, -1).join("/") : path;
  drawMap();
  drawChart();
  say(`The trend of ${nameOf(path)} is shown`);
}

function drawCrumbs(folder) {
  const parts = folder ? folder.split("/") : [];
  const crumbs = [["Everything", ""]].concat(
    parts.map((name, at) => [name, parts.slice(0, at + 1).join("/")]),
  );
  byId("crumbs").replaceChildren(...crumbs.flatMap(([name, path], at) => [
    ...(at ? [element("span", { "aria-hidden": "true" }, "/")] : []),
    at === crumbs.length - 1
      ? element("strong", { "aria-current": "location" }, element("bdi", {}, name))
      : button(element("bdi", {}, name), () => {
        openFolder(path);
        focusTile(folder);
      }, { class: "link" }),
  ]));
}

// Tables

let showFiles = null;
let showFolder = null;
let showFunctions = null;
let showRuns = null;
let showComparison = null;

/** A path that is broken over lines after its slashes, where it has to be. */
function pathWords(path) {
  return element("bdi", {}, ...path.split("/").flatMap((name, at) => (at ? [element("wbr"), name] : [name]))
    .map((part, at, all) => (typeof part === "string" && at < all.length - 1 ? `${part}/` : part)));
}

function pathButton(path) {
  return button(pathWords(path), () => {
    choosePath(path);
    byId("trend").scrollIntoView();
    byId("cursor").focus({ preventScroll: true });
  }, { class: "link", title: "Show its trend" });
}

function makeTables() {
  const file = { name: "File", value: (row) => row.path, cell: (row) => headCell(pathButton(row.path)) };
  showFiles = table(byId("files-table"), {
    caption: "Files at the commit that is looked at", things: "files",
    columns: [file, ...countColumns()], text: (row) => row.path,
    sort: { column: 3, descending: true },
  });
  showFolder = table(byId("folder-table"), {
    caption: "What the folder holds", things: "entries",
    columns: [
      { name: "Name", value: (row) => row.node.name,
        cell: (row) => headCell(button(element("bdi", {}, row.node.name + (row.node.children ? "/" : "")),
          () => (row.node.children ? openFolder(row.node.path) : choosePath(row.node.path)), { class: "link" })) },
      ...countColumns(),
    ],
  });
  showFunctions = table(byId("functions-table"), {
    caption: "All functions", things: "functions",
    columns: [
      { name: "Function", value: (row) => row.name, cell: (row) => headCell(element("code", {}, row.name)) },
      { name: "Place", value: (row) => row.place, cell: (row) => element("td", { class: "words" }, pathWords(row.place)) },
      ...countColumns(),
    ],
    text: (row) => `${row.name} ${row.place}`,
    sort: { column: 4, descending: true },
  });
  showRuns = table(byId("runs-table"), {
    caption: "All runs", things: "runs",
    columns: [
      { name: "Commit", value: (row) => row.id, cell: (row) => headCell(
        button(element("code", {}, row.short), () => chooseRun(chosen.runs.indexOf(row)), { class: "link", title: row.id })) },
      { name: "Time (UTC)", value: (row) => row.time, cell: (row) => element("td", { class: "nowrap" }, timeText(row.time)) },
      { name: "Subject", value: (row) => row.subject, cell: (row) => element("td", { class: "words" }, element("bdi", {}, row.subject)) },
      ...countColumns(),
    ],
    text: (row) => `${row.id} ${row.subject} ${row.branch} ${timeText(row.time)}`,
    sort: { column: 1, descending: true },
  });
  const sideCell = (totals) => (totals ? element("td", { class: "number" }, percentText(percent(totals)))
    : element("td", { class: "number" }, "–"));
  showComparison = table(byId("compare-table"), {
    caption: "Files that differ between the two commits", things: "files",
    columns: [
      file,
      { name: "What", value: (row) => KINDS[row.kind], cell: (row) => element("td", { class: "nowrap" }, KINDS[row.kind]) },
      { name: "Before", number: true, value: (row) => row.before && percent(row.before), cell: (row) => sideCell(row.before) },
      { name: "After", number: true, value: (row) => row.after && percent(row.after), cell: (row) => sideCell(row.after) },
      { name: "Change", number: true, value: (row) => row.change,
        cell: (row) => changeCell(row.change, row.change === null ? "–" : changeText(row.change, 1), 1) },
      ...[["Statements", STATEMENTS, 0], ["Missing", MISSING, -1],
        ...(data.withBranches ? [["Missed branches", MISSED, -1]] : [])].map(([name, at, better]) => ({
        name, number: true, value: (row) => row.difference[at],
        cell: (row) => changeCell(row.difference[at], signed(row.difference[at]), better),
      })),
    ],
    text: (row) => `${row.path} ${KINDS[row.kind]}`,
    sort: { column: 6, descending: true },
  });
}

function functionRows(packed) {
  const [files, places, names, starts, ...counts] = packed;
  let place = 0;
  let start = 0;
  return names.map((name, at) => {
    place += places[at];
    start += starts[at];
    return { name, place: `${files[place]}:${start}`,
      totals: counts.map((column) => column[at]) };
  });
}

function drawPriorities() {
  const ranking = data.priorities;
  const absent = !ranking || !ranking.rows.length;
  byId("priorities").hidden = absent;
  byId("to-priorities").hidden = absent;
  if (absent) return;
  const show = table(byId("priorities-table"), {
    caption: "What to test next", things: "places",
    columns: [
      { name: "Score", number: true, value: (row) => row.score, cell: (row) => element("td", { class: "number" }, row.score.toFixed(1)) },
      { name: "What", value: (row) => row.title, cell: (row) => headCell(element("code", {}, row.title),
        element("div", { class: "quiet" }, pathWords(`${row.file}:${row.start}`))) },
      { name: "Missed", number: true, value: (row) => row.missed, cell: (row) => numberCell(row.missed) },
      { name: "Why", value: (row) => row.reasons.join(", "), cell: (row) => element("td", { class: "words" },
        row.reasons.join(", "), ...(row.advice ? [element("div", { class: "quiet" }, row.advice)] : [])) },
    ],
    text: (row) => `${row.title} ${row.file} ${row.reasons.join(" ")}`,
    sort: { column: 0, descending: true },
  });
  show(ranking.rows);
}

// Comparison

function drawComparison() {
  const { series, runs } = chosen;
  const [from, to] = [runs[chosen.from], runs[chosen.to]];
  byId("compare-from").value = String(chosen.from);
  byId("compare-to").value = String(chosen.to);
  const { rows, parts } = compare(series, paths(), from.at, to.at);
  const change = percent(to.totals) - percent(from.totals);
  byId("compare-summary").replaceChildren(
    `${percentText(percent(from.totals), 2)} → ${percentText(percent(to.totals), 2)} (`,
    element("span", { class: change > 0 ? "good" : change < 0 ? "bad" : "quiet" }, changeText(change)),
    `), ${counted(rows.length, "file")} differ${rows.length === 1 ? "s" : ""}`,
    from.at > to.at ? "; the first is the later one." : ".",
  );
  const kinds = Object.keys(KINDS).filter((kind) => parts[kind]);
  byId("compare-parts").replaceChildren(...(kinds.length ? [element("div", { class: "scroll", tabindex: "0", role: "region",
    "aria-label": "What the change is made of" }, element("table", {},
    element("caption", { class: "unseen" }, "What the change is made of"),
    element("thead", {}, element("tr", {}, ...["What", "Files", "Statements", "Missing",
      ...(data.withBranches ? ["Missed branches"] : [])].map((name, at) => element("th", { scope: "col", class: at ? "number" : "" }, name)))),
    element("tbody", {}, ...kinds.map((kind) => {
      const { files, difference } = parts[kind];
      return element("tr", {}, headCell(KINDS[kind], ...(kind === "tests"
        ? [element("div", { class: "quiet" }, "by the tests, or by lines that run at times only")] : [])),
      numberCell(files), changeCell(difference[STATEMENTS], signed(difference[STATEMENTS]), 0),
      changeCell(difference[MISSING], signed(difference[MISSING]), -1),
      ...(data.withBranches ? [changeCell(difference[MISSED], signed(difference[MISSED]), -1)] : []));
    })),
  ))] : []));
  byId("compare-table").hidden = !rows.length;
  showComparison(rows);
  moveCursor();
}

// Choosing

/** Take up the runs of a set of flags, and of a branch: null is all. */
function chooseSeries(series, branch) {
  const runs = branch === null ? series.runs : series.runs.filter((run) => run.branch === branch);
  const last = runs.length - 1;
  const firstKnown = Math.max(0, runs.findIndex((run) => run.at >= series.first));
  Object.assign(chosen, { series, runs, at: last, to: last, from: Math.max(firstKnown, last - 1) });
  byId("cursor").max = String(last);
  const latest = runs[last];
  byId("summary").textContent = `${percentText(percent(latest.totals))} at ${latest.short}, ${timeText(latest.time)} UTC, `
    + `${counted(runs.length, "run")}`;
  for (const id of ["compare-from", "compare-to"]) {
    byId(id).replaceChildren(...runs.map((run, at) => ({ run, at })).filter(({ run }) => run.at >= series.first).reverse()
      .map(({ run, at }) => element("option", { value: at },
        `${timeText(run.time).slice(0, 10)} ${run.short} ${percentText(percent(run.totals))} ${run.subject.slice(0, 60)}`)));
  }
  const functions = functionRows(series.functions);
  byId("functions").hidden = !functions.length;
  byId("to-functions").hidden = !functions.length;
  const newest = series.runs[series.runs.length - 1];
  byId("functions-when").textContent = `As they were at ${runWords(newest)}`;
  showFunctions(functions);
  showRuns(runs);
  drawChart();
  drawTree();
  drawComparison();
}

/** The branches of a series, and which to show first. */
function offerBranches(series, wanted) {
  const names = [...new Set(series.runs.map((run) => run.branch))].sort();
  const select = byId("branch");
  byId("branch-choice").hidden = names.length < 2;
  select.replaceChildren(element("option", { value: "-1" }, "all"),
    ...names.map((name, at) => element("option", { value: at }, name || "not known")));
  const at = names.indexOf(wanted);
  select.value = String(names.length < 2 ? -1 : at);
  select.onchange = () => chooseSeries(series, select.value === "-1" ? null : names[Number(select.value)]);
  chooseSeries(series, select.value === "-1" ? null : names[at]);
}

function listen() {
  byId("cursor").addEventListener("input", (event) => chooseRun(Number(event.target.value)));
  byId("to-latest").addEventListener("click", () => {
    chooseRun(chosen.runs.length - 1);
    byId("cursor").focus();
  });
  byId("mark-from").addEventListener("click", () => {
    chosen.from = chosen.at;
    drawComparison();
    say(`Compared from ${runWords(now())}`);
  });
  const chart = byId("chart");
  const runAt = (event) => {
    const area = chart.getBoundingClientRect();
    const share = (event.clientX - area.left - MARGIN.left) / (area.width - MARGIN.left - MARGIN.right);
    return Math.max(0, Math.min(1, share)) * (chosen.runs.length - 1);
  };
  chart.addEventListener("pointerdown", (event) => chooseRun(Math.round(runAt(event))));
  chart.addEventListener("pointermove", (event) => {
    const at = Math.round(runAt(event));
    if (event.buttons & 1) chooseRun(at);
    const { tip, values, x, width, height } = charted;
    const run = chosen.runs[at];
    tip.hidden = false;
    tip.replaceChildren(element("strong", {}, values[at] === null ? "–" : percentText(values[at])),
      `${run.short}, ${timeText(run.time)}: `, element("bdi", {}, run.subject));
    placeTip(tip, x(at), MARGIN.top, width, height);
  });
  chart.addEventListener("pointerleave", () => {
    charted.tip.hidden = true;
  });
  for (const side of ["from", "to"]) {
    byId(`compare-${side}`).addEventListener("change", (event) => {
      chosen[side] = Number(event.target.value);
      drawComparison();
    });
  }
  byId("swap").addEventListener("click", () => {
    [chosen.from, chosen.to] = [chosen.to, chosen.from];
    drawComparison();
  });
  let width = document.body.clientWidth;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    later(drawChart);
    later(drawMap);
  }).observe(document.body);
}

/** The colours asked for, kept where the browser lets a page keep something. */
function chooseTheme() {
  const select = byId("theme");
  const apply = () => {
    if (select.value === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = select.value;
  };
  try {
    select.value = localStorage.getItem("covls-theme") || "auto";
  } catch { /* A page from a file may have no storage. */ }
  if (select.selectedIndex < 0) select.value = "auto";
  apply();
  select.addEventListener("change", () => {
    apply();
    try {
      localStorage.setItem("covls-theme", select.value);
    } catch { /* Then it holds for as long as the page is open. */ }
  });
}

function fail(words) {
  byId("trouble").textContent = words;
  byId("trouble").hidden = false;
}

/** The data, which is compressed so that the page stays small. */
async function read() {
  const bytes = Uint8Array.from(atob(byId("data").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

async function start() {
  chooseTheme();
  if (typeof DecompressionStream === "undefined" || !Array.prototype.findLast) {
    fail("This page needs a browser of 2023 or later.");
    return;
  }
  data = await read();
  allSeries = data.series.map((packed) => unpack(packed, data.files.length));
  for (const note of data.notes) byId("notes").append(element("li", {}, note));
  if (!allSeries.length) {
    fail("No run is recorded yet. To record one: covls history record");
    return;
  }
  data.withBranches = allSeries.some((series) => series.runs.some((run) => run.totals[BRANCHES]));
  byId("content").hidden = false;
  byId("legend").replaceChildren(...["below 50 %", "50–70 %", "70–85 %", "85–95 %", "from 95 %"].map(
    (words, at) => element("li", { class: `c${at}` }, words),
  ));
  makeTables();
  drawPriorities();
  listen();
  const flags = byId("flags");
  byId("flags-choice").hidden = allSeries.length < 2;
  flags.replaceChildren(...allSeries.map((series, at) => element("option", { value: at },
    series.flags.join(", ") || "none")));
  flags.addEventListener("change", () => offerBranches(allSeries[Number(flags.value)], data.branch));
  offerBranches(allSeries[0], data.branch);
  document.documentElement.dataset.ready = "true";
}

start().catch((error) => {
  fail(`This page is broken: ${error.message}`);
  throw error;
});
