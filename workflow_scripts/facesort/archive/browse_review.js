"use strict";

// Answers of a person: kept in this browser, saved as reviewed.csv, and read back from it.

const FIELDS = [
  "photo", "face", "left", "top", "width", "height", "tag", "verdict", "by", "at",
  "chosen", "stratum", "stratum_faces", "stratum_place",
];
const MARKS = { right: "✓", wrong: "✗", skipped: "?" };
const KEPT = `facesort-archive-${location.pathname}`;
const records = new Map();
// The answers that the run has used, with which the page starts; of two the later one counts.
const used = new Map();
// By row and tag the key of the answer that counts, the last; null until rows are matched.
let latest = null;
let offered = null;
let offering = null;
let undo = [];

const keyOf = (record) => JSON.stringify(["photo", "face", "tag", "by"].map((field) => String(record[field])));

function offers() {
  offering = offering || fetched("proposals").then((text) => { offered = JSON.parse(text); });
  return offering;
}

function remember() {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ by: byId("by").value, letters: byId("letters").checked, records: [...records.values()].filter((record) => used.get(keyOf(record)) !== record) }));
    return true;
  } catch (error) {
    return false;
  }
}

async function start() {
  recall();
  for (const record of readReviewed(await fetched("reviewed"))) used.set(keyOf(record), record);
  for (const [key, record] of used) if (!records.has(key) || records.get(key).at < record.at) records.set(key, record);
  if (records.size) await match();
}

function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT)) || {};
    byId("by").value = String(kept.by || "");
    byId("letters").checked = kept.letters !== false;
    for (const record of kept.records || []) take(record);
  } catch (error) { /* nothing is kept for pages opened as files in some browsers */ }
  tellJudged();
}

function take(record) {
  const known = records.get(keyOf(record));
  if (!known || known.at <= record.at) records.set(keyOf(record), record);
}

// Finds the face of each answer: by its box, since faces are numbered anew when more are found.
async function match() {
  await Promise.all([told(), offers()]);
  const photos = new Map(names.map((name, at) => [name, at]));
  const wanted = new Set([...records.values()].map((record) => photos.get(record.photo)));
  const rows = new Map();
  for (let i = 0; i < data.faces; i++) {
    if (wanted.has(columns.photo[i])) rows.set(columns.photo[i], [...(rows.get(columns.photo[i]) || []), i]);
  }
  latest = new Map();
  const ordered = [...records].sort(([, a], [, b]) => (a.at < b.at ? -1 : 1));
  for (const [key, record] of ordered) {
    const row = (rows.get(photos.get(record.photo)) || []).find((each) => isOf(each, record));
    const tag = data.tags.find((each) => each.words === record.tag);
    if (row !== undefined && tag) latest.set(`${row} ${tag.name}`, key);
  }
  for (const cell of cells.values()) cell.remove();
  cells.clear();
  draw();
  if (chosen >= 0) question(chosen);
  tellJudged();
}

// Whether face and answer have more than half of their boxes in common; without a box the number counts.
function isOf(row, record) {
  if (record.width === "") return columns.face[row] === Number(record.face);
  const [left, top, width, height] = ["left", "top", "width", "height"].map((name) => columns[name][row]);
  const [x, y, w, h] = ["left", "top", "width", "height"].map((name) => Number(record[name]));
  const both = Math.max(0, Math.min(left + width, x + w) - Math.max(left, x)) * Math.max(0, Math.min(top + height, y + h) - Math.max(top, y));
  return both > 0.5 * (width * height + w * h - both);
}

function recordOf(row, tag) {
  return latest ? records.get(latest.get(`${row} ${tag}`)) : undefined;
}

function verdictOf(row, tag) {
  return (recordOf(row, tag) || {}).verdict;
}

async function judge(row, tag, verdict, chosenBy, goOn = false) {
  if (!latest) await match();
  const { row: rows, stratum, place, strata } = offered[tag];
  const at = rows.indexOf(row);
  const before = recordOf(row, tag);
  const record = {
    photo: names[columns.photo[row]], face: columns.face[row],
    ...Object.fromEntries(["left", "top", "width", "height"].map((name) => [name, Math.round(10 * columns[name][row]) / 10])),
    tag: data.tags.find((each) => each.name === tag).words, verdict,
    by: byId("by").value.trim(), at: new Date().toISOString().slice(0, 19) + "Z",
    // Who was once drawn by chance stays so, whoever looks again.
    chosen: before && before.chosen === "sample" ? "sample" : chosenBy,
    stratum: at < 0 ? "" : strata[stratum[at]].stratum,
    stratum_faces: at < 0 ? "" : strata[stratum[at]].stratum_faces,
    stratum_place: at < 0 ? "" : place[at],
  };
  const key = keyOf(record);
  undo.push({ key, old: records.get(key), row, tag, latest: latest.get(`${row} ${tag}`) });
  records.set(key, record);
  latest.set(`${row} ${tag}`, key);
  after(row);
  if (goOn) next();
}

function takeBack() {
  const last = undo.pop();
  if (!last) return;
  if (last.old) records.set(last.key, last.old);
  else records.delete(last.key);
  if (last.latest) latest.set(`${last.row} ${last.tag}`, last.latest);
  else latest.delete(`${last.row} ${last.tag}`);
  after(last.row);
  other(last.row);
}

function after(row) {
  if (!remember()) trouble("This browser keeps nothing for pages opened as files: save reviewed.csv before you close the page.");
  refresh(row);
  if (chosen === row) question(row);
  tellJudged();
}

// To the next face; when judging, to the next without an answer.
function next() {
  let index = active + 1;
  if (judging) {
    index = results.findIndex((row) => !verdictOf(row, judging));
    if (index < 0) {
      byId("count").textContent = "All these faces are judged. Save reviewed.csv, and choose another tag.";
      return;
    }
  }
  if (index < results.length) choose(index);
}

function isUsed(key) {
  const { at, verdict } = used.get(key) || {};
  return used.has(key) && at === records.get(key).at && verdict === records.get(key).verdict;
}

function tellJudged(text) {
  const known = [...records.keys()].filter(isUsed).length;
  const own = records.size - known;
  const parts = [
    own && `${counted(own)} ${known ? "new " : ""}answer${own > 1 ? "s" : ""}, kept in this browser`,
    known && `${counted(known)} answer${known > 1 ? "s" : ""}, used by the run`,
  ].filter(Boolean);
  byId("judged").textContent = text || parts.join("; ") || "No face judged.";
  byId("judged").classList.toggle("saved", Boolean(text));
  if (!latest) return;
  byId("estimate").textContent = judging ? `${judgedOf(judging)} of ${offered[judging].row.length} looked at. ${estimateWords(judging)}` : "";
  for (const { name, words, never } of data.tags) {
    const judged = judgedOf(name);
    document.querySelector(`#review [value=${name}]`).textContent = words + (never ? " (never given)" : "") + (judged ? `: ${judged} judged` : "");
    document.querySelector(`[data-share=${name}]`).textContent = judged ? estimateWords(name) : "not known yet";
  }
}

// How many of the faces to look at have an answer.
const judgedOf = (tag) => offered[tag].row.filter((row) => verdictOf(row, tag)).length;

// Of how many in 100 faces a tag is right: each stratum counts by its faces, however many were seen.
function estimate(tag) {
  const { strata, stratum, row, place } = offered[tag];
  const tallies = strata.map((each) => ({ ...each, n: 0, right: 0, last: -1 }));
  // A stratum's sample goes on to the first face without an answer, since answers of an earlier run
  // were drawn within its strata; it ends with one that chance, not a person, has chosen.
  row.forEach((each, at) => {
    const record = recordOf(each, tag);
    const tally = tallies[stratum[at]];
    if (!record) tally.ended = true;
    else if (!tally.ended && record.chosen === "sample") tally.last = place[at];
  });
  row.forEach((each, at) => {
    const verdict = verdictOf(each, tag);
    const tally = tallies[stratum[at]];
    if (verdict && verdict !== "skipped" && place[at] <= tally.last) {
      tally.n += 1;
      tally.right += verdict === "right";
    }
  });
  const given = tallies.filter((each) => each.given);
  const looks = given.reduce((sum, { n }) => sum + n, 0);
  if (!given.length || given.some(({ n }) => n === 0)) return { looks };
  const faces = given.reduce((sum, each) => sum + each.stratum_faces, 0);
  const share = given.reduce((sum, each) => sum + (each.stratum_faces * each.right) / each.n, 0) / faces;
  // Kish's effective number of looks, more where they are many of the faces, and Wilson's interval.
  const own = faces ** 2 / given.reduce((sum, each) => sum + each.stratum_faces ** 2 / each.n, 0);
  const n = own / (1 - Math.min(1, own / faces));
  const z = 1.96;
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2))) / (1 + z ** 2 / n);
  return { looks, share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

// Looks at faces that may have a tag: of the looks of a face it is the likeliest alone.
function looksAtLikely(tag) {
  const looks = data.tags.filter(({ emotion }) => emotion).map(({ name }) => name);
  const likeliest = (row) => looks.every((other) => columns[other][row] <= columns[tag][row]);
  return offered[tag].row.filter((row) => {
    const record = recordOf(row, tag);
    return record && record.chosen === "sample" && record.verdict !== "skipped" && (!looks.includes(tag) || likeliest(row));
  }).length;
}

function estimateWords(tag) {
  const { least, told } = data.tags.find(({ name }) => name === tag);
  // Looks that set a threshold do not judge it: what the run has told by others counts.
  const { looks, share, low, high: top } = told || estimate(tag);
  if (!offered[tag].strata.some(({ given }) => given)) {
    if (least !== null) return `No face is ${Math.round(100 * least)}% certain, from which on it is given.`;
    const more = data.fewest - looksAtLikely(tag);
    if (more > 0) return `Never given so far. Look at ${more} more face${more > 1 ? "s" : ""} that may have it: then your answers tell whether it can be given.`;
    return offered[tag].row.every((row) => !recordOf(row, tag) || isUsed(latest.get(`${row} ${tag}`)))
      ? "Never given: by your answers it is right often enough nowhere."
      : "Never given so far. You have looked at enough faces: save, and start the run again to learn whether it can be given.";
  }
  if (share === undefined) return "A few more, and you know how often it is right.";
  const whole = (value) => Math.round(100 * value);
  return `On your photos it is right in ${whole(share)} of 100 faces that have it: between ${whole(low)} and ${whole(top)}, by ${looks} looks${told ? " that the run has used" : ""}.`;
}

async function startJudging(tag) {
  judging = tag;
  like = -1;
  byId("likeness").hidden = true;
  byId("asked").hidden = !tag;
  for (const part of byId("find").elements) part.disabled = Boolean(tag);
  close();
  if (tag) {
    if (!latest) await match();
  }
  byId("review").value = tag;
  await search();
  tellJudged();
  if (!tag) return;
  grid.focus({ preventScroll: true });
  next();
}

// CSV as of RFC 4180.

function quoted(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function download(name, rows) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(rows.map((row) => `${row.map(quoted).join(",")}\n`), { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function parsed(text) {
  const rows = [[]];
  const pattern = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/gy;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [, field, end] = match;
    rows.at(-1).push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (end === "") return rows.filter((row) => row.length > 1 || row[0] !== "");
    if (end !== ",") rows.push([]);
  }
  throw new Error(`line ${rows.length}: a quotation mark is out of place`);
}

function readReviewed(text) {
  const [head, ...rows] = parsed(text.replace(/^\ufeff/, ""));
  const lacking = ["photo", "face", "tag", "verdict"].filter((field) => !(head || []).includes(field));
  if (lacking.length) throw new Error(`no column ${lacking.join(", ")}`);
  return rows.map((row, at) => {
    if (row.length !== head.length) throw new Error(`row ${at + 1}: ${row.length} fields, not ${head.length}`);
    const record = Object.fromEntries(FIELDS.map((field) => [field, head.includes(field) ? row[head.indexOf(field)] : ""]));
    if (!(record.verdict in MARKS)) throw new Error(`row ${at + 1}: verdict ${JSON.stringify(record.verdict)} is none of right, wrong, skipped`);
    return record;
  });
}

function save() {
  if (!records.size) {
    tellJudged("Nothing to save yet: no face is judged.");
    return;
  }
  download("reviewed.csv", [FIELDS, ...[...records.values()].map((record) => FIELDS.map((field) => record[field]))]);
  tellJudged(`Saved ${counted(records.size)} answers as reviewed.csv`);
}

async function load(file) {
  try {
    const read = readReviewed(await file.text());
    read.forEach(take);
    remember();
    await match();
    const lost = read.length - read.filter((record) => [...latest.values()].includes(keyOf(record))).length;
    tellJudged(`Loaded ${counted(read.length)} answers${lost ? `; ${counted(lost)} of other faces or older are kept too` : ""}`);
  } catch (error) {
    trouble(`${file.name} was not loaded: ${error.message}`, true);
  }
}

function listen() {
  byId("save").addEventListener("click", save);
  byId("load").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", () => {
    if (byId("file").files.length) load(byId("file").files[0]);
    byId("file").value = "";
  });
  byId("review").addEventListener("change", () => startJudging(byId("review").value));
  byId("stop").addEventListener("click", () => startJudging(""));
  // What another tab keeps, this one keeps too.
  addEventListener("storage", (event) => {
    if (event.key !== KEPT) return;
    recall();
    match();
  });
  for (const id of ["by", "letters"]) byId(id).addEventListener("input", remember);
  byId("forget").addEventListener("click", () => {
    if (!records.size || !confirm("Forget all answers that are not saved or used by the run?")) return;
    records.clear();
    for (const [key, record] of used) records.set(key, record);
    undo = [];
    remember();
    match();
  });
}
