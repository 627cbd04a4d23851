"use strict";
// What the page calculates: values in, values out. Nothing here touches the document.
//
// Figures are arrays of numbers, so that a thousand commits of 1,500 files stay small:
// of a file [source, statements, missing, branches, partial, missed branches], where `source` is
// the number of the text that was measured; of a folder or a run the same without the source.

const SOURCE = 0;
const UNKNOWN_SOURCE = 1; // The number of a text that is not known; 0 is that of a file that is gone.
const STATEMENTS = 0;
const MISSING = 1;
const BRANCHES = 2;
const PARTIAL = 3;
const MISSED = 4;
const NOTHING = [0, 0, 0, 0, 0];
const N_FIGURES = NOTHING.length;

/** The share of statements and branches that ran, 0 to 100; 100 where there are none. */
function percent(totals) {
  const all = totals[STATEMENTS] + totals[BRANCHES];
  return all ? (100 * (all - totals[MISSING] - totals[MISSED])) / all : 100;
}

/** A percentage as coverage.py rounds it: never to 0 or 100 what is neither. */
function percentText(value, digits = 1) {
  const least = 10 ** -digits;
  const shown = value > 0 && value < least ? least
    : value < 100 && value > 100 - least ? 100 - least
    : value;
  return `${shown.toFixed(digits)} %`;
}

/** A difference of percentages, with its sign. */
function changeText(value, digits = 2) {
  if (value === 0) return "±0";
  return `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(digits)}`;
}

/** A number and what is counted: `1 file`, `2 files`. */
function counted(number, thing) {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : thing.endsWith("ch") ? "es" : "s"}`;
}

function plus(one, other) {
  return one.map((value, at) => value + other[at]);
}

/** Seconds since 1970 as `2026-03-02 14:05`, in UTC. */
function timeText(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** Which of five steps of colour a percentage has. */
function step(value) {
  return value < 50 ? 0 : value < 70 ? 1 : value < 85 ? 2 : value < 95 ? 3 : 4;
}

/**
 * The recorded runs of one set of flags, oldest first, out of the compact form.
 *
 * `history[file]` is a list of `[run, figures]`, by run: what the file has from that run on, until
 * the next; null where it is gone. Of runs before `first` the totals alone are known.
 */
function unpack(packed, nFiles) {
  const runs = [];
  let time = 0;
  const totals = NOTHING.slice();
  for (let at = 0; at < packed.id.length; at++) {
    time += packed.time[at];
    for (let column = 0; column < N_FIGURES; column++) totals[column] += packed.totals[column][at];
    runs.push({
      at,
      id: packed.id[at],
      short: packed.id[at].slice(0, 8),
      time,
      branch: packed.branches[packed.branch[at]],
      subject: packed.subject[at],
      clean: packed.clean[at] === 1,
      totals: totals.slice(),
    });
  }
  const history = Array.from({ length: nFiles }, () => []);
  packed.changes.forEach((change, offset) => {
    const run = packed.first + offset;
    let file = 0;
    for (let next = 0; next < change.length; ) {
      file += change[next++];
      const source = change[next++];
      const known = history[file];
      if (source === 0) {
        known.push([run, null]);
        continue;
      }
      const before = known.length ? known[known.length - 1][1] : null;
      const figures = [source];
      for (let column = 0; column < N_FIGURES; column++) {
        figures.push((before ? before[1 + column] : 0) + change[next++]);
      }
      known.push([run, figures]);
    }
  });
  return { flags: packed.flags, first: packed.first, runs, history, functions: packed.functions };
}

/** What a file has at a run, or null where it is not there. */
function figuresAt(series, file, run) {
  const known = series.history[file];
  let low = 0;
  let high = known.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (known[middle][0] <= run) low = middle + 1;
    else high = middle;
  }
  return low ? known[low - 1][1] : null;
}

/** Whether a path is the folder or file asked for, or below it; "" is the whole tree. */
function within(path, folder) {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

/** The files there at a run: `{file, path, totals, source}`. */
function filesAt(series, paths, run) {
  const found = [];
  paths.forEach((path, file) => {
    const figures = figuresAt(series, file, run);
    if (figures) found.push({ file, path, source: figures[SOURCE], totals: figures.slice(1) });
  });
  return found;
}

/** The totals of a folder or file at each run; null where nothing of it is there or known. */
function trend(series, paths, folder) {
  if (folder === "") return series.runs.map((run) => run.totals);
  const changes = series.runs.map(() => []);
  paths.forEach((path, file) => {
    if (!within(path, folder)) return;
    let before = null;
    for (const [run, figures] of series.history[file]) {
      changes[run].push([before, figures]);
      before = figures;
    }
  });
  let there = 0;
  let totals = NOTHING;
  return changes.map((each) => {
    for (const [before, after] of each) {
      there += (after ? 1 : 0) - (before ? 1 : 0);
      totals = totals.map(
        (value, at) => value + (after ? after[1 + at] : 0) - (before ? before[1 + at] : 0),
      );
    }
    return there ? totals : null;
  });
}

/** Files as a tree of folders: `{name, path, totals, children, file}`; a file has no children. */
function tree(files) {
  const root = { name: "", path: "", totals: NOTHING, children: new Map(), nFiles: 0 };
  for (const { path, totals, file } of files) {
    const parts = path.split("/");
    let node = root;
    node.totals = plus(node.totals, totals);
    node.nFiles++;
    parts.forEach((name, depth) => {
      let child = node.children.get(name);
      if (!child) {
        const last = depth === parts.length - 1;
        child = {
          name,
          path: parts.slice(0, depth + 1).join("/"),
          totals: NOTHING,
          children: last ? null : new Map(),
          nFiles: 0,
          file: last ? file : null,
        };
        node.children.set(name, child);
      }
      child.totals = plus(child.totals, totals);
      child.nFiles++;
      node = child;
    });
  }
  return root;
}

/** The folder at a path, or the nearest one above it that is there. */
function folderAt(root, path) {
  let node = root;
  for (const name of path ? path.split("/") : []) {
    const next = node.children.get(name);
    if (!next || !next.children) return node;
    node = next;
  }
  return node;
}

/** The folder itself, or the first one within it that holds more than one folder alone. */
function opened(node) {
  let inner = node;
  while (inner.children && inner.children.size === 1) {
    const [only] = inner.children.values();
    if (!only.children) break;
    inner = only;
  }
  return inner;
}

/** The folder that one comes to on the way up from another: the first that holds more than it. */
function above(root, path) {
  const parts = path.split("/");
  while (parts.length) {
    parts.pop();
    const node = folderAt(root, parts.join("/"));
    if (node.children.size > 1) return node === opened(root) ? "" : node.path;
  }
  return "";
}

/** What a folder holds, the largest first; what has no statements has no place in a map. */
function shares(node) {
  return [...node.children.values()]
    .map(opened)
    .filter((child) => child.totals[STATEMENTS] > 0)
    .sort((one, other) => other.totals[STATEMENTS] - one.totals[STATEMENTS]
      || (one.name < other.name ? -1 : 1));
}

/**
 * A rectangle divided among weights, each part as near to a square as may be: squarified tree maps
 * of Bruls, Huizing and van Wijk (2000). Weights are positive, the largest first.
 */
function squarify(weights, area) {
  const parts = [];
  let { x, y, width, height } = area;
  const scale = (width * height) / weights.reduce((sum, weight) => sum + weight, 0);
  let at = 0;
  while (at < weights.length) {
    const side = Math.min(width, height);
    let sum = 0;
    let worst = Infinity;
    let end = at;
    while (end < weights.length) {
      const next = sum + weights[end] * scale;
      const ratio = Math.max(
        (side * side * weights[at] * scale) / (next * next),
        (next * next) / (side * side * weights[end] * scale),
      );
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
      end++;
    }
    const thickness = side > 0 ? sum / side : 0;
    let offset = 0;
    for (; at < end; at++) {
      const length = thickness > 0 ? (weights[at] * scale) / thickness : 0;
      parts.push(width >= height
        ? { x, y: y + offset, width: thickness, height: length }
        : { x: x + offset, y, width: length, height: thickness });
      offset += length;
    }
    if (width >= height) {
      x += thickness;
      width -= thickness;
    } else {
      y += thickness;
      height -= thickness;
    }
  }
  return parts;
}

/** As much of some words as fits into a width, at about `letter` units for each letter. */
function cut(words, width, letter = 7) {
  const fits = Math.floor(width / letter);
  const letters = [...words];
  return letters.length <= fits ? words : fits < 3 ? "" : `${letters.slice(0, fits - 1).join("")}…`;
}

/**
 * The tiles of a folder's map, outer ones first:
 * `{node, around, depth, x, y, width, height, header}`; `around` is the path of the folder they are in.
 */
function tiles(folder, width, height) {
  const found = [];
  const divide = (node, area, depth) => {
    const children = shares(node);
    if (!children.length || area.width < 3 || area.height < 3) return;
    const parts = squarify(children.map((child) => child.totals[STATEMENTS]), area);
    children.forEach((child, at) => {
      const part = parts[at];
      const header = child.children && part.width > 40 && part.height > 34 ? 18 : 0;
      found.push({ node: child, around: depth ? node.path : folder.path, depth, header, ...part });
      if (!child.children) return;
      const edge = depth < 2 ? 2 : 1;
      divide(child, {
        x: part.x + edge,
        y: part.y + (header || edge),
        width: part.width - 2 * edge,
        height: part.height - (header || edge) - edge,
      }, depth + 1);
    });
  };
  divide(folder, { x: 0, y: 0, width, height }, 0);
  return found;
}

/** What became of a file between two runs, in words. */
const KINDS = {
  code: "code changed",
  tests: "code the same",
  unknown: "code not known",
  added: "new",
  deleted: "deleted",
};

/**
 * What differs between two runs, file by file, and how much of it by what happened to the files.
 *
 * A file whose text is the same has other figures because the tests differ, or because some of its
 * lines run at times only.
 */
function compare(series, paths, from, to) {
  const rows = [];
  const parts = {};
  paths.forEach((path, file) => {
    const before = figuresAt(series, file, from);
    const after = figuresAt(series, file, to);
    if (!before && !after) return;
    if (before && after && before.every((value, at) => value === after[at])) return;
    const kind = !before ? "added"
      : !after ? "deleted"
      : Math.min(before[SOURCE], after[SOURCE]) === UNKNOWN_SOURCE ? "unknown"
      : before[SOURCE] !== after[SOURCE] ? "code"
      : "tests";
    const old = before ? before.slice(1) : null;
    const now = after ? after.slice(1) : null;
    const difference = (now || NOTHING).map((value, at) => value - (old || NOTHING)[at]);
    const part = parts[kind] || { files: 0, difference: NOTHING };
    parts[kind] = { files: part.files + 1, difference: plus(part.difference, difference) };
    rows.push({
      file, path, kind, before: old, after: now, difference,
      change: old && now ? percent(now) - percent(old) : null,
    });
  });
  return { rows, parts };
}

/** Rows in order of a column; what has no value comes last, whichever way. */
function sorted(rows, value, descending) {
  const direction = descending ? -1 : 1;
  return rows
    .map((row, at) => [value(row), at, row])
    .sort(([one, first], [other, second]) => {
      if (one === null || other === null) {
        return (one === null) - (other === null) || first - second;
      }
      const order = typeof one === "string"
        ? one.localeCompare(other, "en", { numeric: true })
        : one - other;
      return direction * order || first - second;
    })
    .map(([, , row]) => row);
}

/** Rows whose text has every word that was typed, in any case. */
function filtered(rows, typed, text) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return rows;
  return rows.filter((row) => {
    const all = text(row).toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** The ends and lines of a scale that shows all values: `{low, high, lines}`, within 0 to 100. */
function scale(values) {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const spread = most - least;
  const every = spread > 40 ? 20 : spread > 20 ? 10 : spread > 8 ? 5 : spread > 3 ? 2 : 1;
  const low = Math.max(0, Math.floor((least - every / 4) / every) * every);
  const high = Math.min(100, Math.max(Math.ceil((most + every / 4) / every) * every, low + every));
  const lines = [];
  for (let line = low; line <= high; line += every) lines.push(line);
  return { low: high > low ? low : high - every, high, lines };
}

/** The gates that a folder or file has of its own, or the total's for the whole tree. */
function gatesOf(gates, path) {
  return gates.filter((gate) => gate.path === path);
}

/** Which tile an arrow key leads to: the nearest in its direction, those in line preferred. */
function nextTile(all, from, key) {
  const middle = (tile) => [tile.x + tile.width / 2, tile.y + tile.height / 2];
  const [x, y] = middle(all[from]);
  let best = from;
  let least = Infinity;
  all.forEach((tile, at) => {
    if (at === from) return;
    const [otherX, otherY] = middle(tile);
    const along = { ArrowRight: otherX - x, ArrowLeft: x - otherX, ArrowDown: otherY - y,
      ArrowUp: y - otherY }[key];
    const across = Math.abs(key === "ArrowRight" || key === "ArrowLeft" ? otherY - y : otherX - x);
    if (along > 0.5 && along + 2 * across < least) {
      least = along + 2 * across;
      best = at;
    }
  });
  return best;
}
