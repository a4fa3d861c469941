const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const percent = (share) => `${Math.floor(100 * share + 1e-6)}%`;
const counted = (number) => number.toLocaleString("en");
const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, f4: Float32Array };
const NONE = 65535;
const WHOLE = 65534;

// Shards: scripts beside the page, each of which hands it a text.

const texts = new Map();

function shard(name, text) {
  texts.set(name, text);
}

function fetched(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${data.folder}/${name}.js`;
    script.onload = () => {
      script.remove();
      resolve(texts.get(name));
      texts.delete(name);
    };
    script.onerror = () => {
      script.remove();
      trouble(`The folder "${data.folder}" of the same run must lie beside this page: copy page and folder together. (${name}.js is not there.)`);
      if (!results.length) byId("count").textContent = "There is nothing to show.";
      reject(new Error(name));
    };
    document.head.append(script);
  });
}

// What went wrong; if it is passing, until something else is done.
function trouble(text, passing = false) {
  byId("trouble").textContent = text;
  byId("trouble").hidden = false;
  byId("trouble").classList.toggle("passing", passing);
}
for (const kind of ["pointerdown", "keydown", "change"]) {
  addEventListener(kind, () => {
    if (byId("trouble").classList.contains("passing")) byId("trouble").hidden = true;
  }, { capture: true });
}

const columns = {};
const coming = new Map();

// A column as a typed array, read once; then it stands in `columns`.
function column(name, type) {
  if (!coming.has(name)) {
    coming.set(name, fetched(`columns/${name}`).then((text) => {
      const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      columns[name] = new TYPES[type](bytes.buffer);
    }));
  }
  return coming.get(name);
}

const NUMBERS = ["left", "top", "width", "height", "size", "sharpness", "yaw", "pitch", "roll"];
const seen = () => Promise.all([column("state", "u1"), column("look", "u1"), column("tags", "u2"), column("place", "u4")]);
const told = () => Promise.all([
  seen(), named(), column("photo", "u4"), column("face", "u4"),
  column("photo_width", "u4"), column("photo_height", "u4"),
  ...NUMBERS.map((name) => column(name, "f4")), ...data.tags.map((tag) => column(tag.name, "u2")),
]);
let names = null;
let naming = null;
let byPlace = null;

function named() {
  naming = naming || fetched("names").then((text) => { names = JSON.parse(text); });
  return naming;
}

// A path as it may be shown: what would break or turn a line is told apart.
function shown(path) {
  return path.replace(/[\u0000-\u001f]/g, (sign) => String.fromCharCode(0x2400 + sign.charCodeAt(0)))
    .replace(/[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
}

// A path as it stands in a URL. In tables "\\n" is a new line, "\\\\" a backslash, and "\\xff" a byte that is
// no UTF-8; those below a1, and ad, may be signs that do not print instead, which are more common.
function addressed(path) {
  return path.split(/(\\(?:[\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}))/).map((part, at) => {
    if (at % 2 === 0) return part.split("/").map(encodeURIComponent).join("/");
    const told = { "\\": "%5C", n: "%0A", r: "%0D", t: "%09" }[part[1]];
    const sign = parseInt(part.slice(2), 16);
    const byte = part[1] === "x" && sign > 0xa0 && sign !== 0xad;
    return told || (byte ? `%${part.slice(2).toUpperCase()}` : encodeURIComponent(String.fromCodePoint(sign)));
  }).join("");
}

// Pictures, a shard of them at a time; those longest unused are let go.

const MOST_SHARDS = 200;
const AT_ONCE = 6;
const pictures = new Map();
let wanted = [];
let loading = 0;

function picture(kind, number) {
  const name = `${kind}/${Math.floor(number / data.each[kind])}`;
  const found = pictures.get(name);
  if (!found) return null;
  pictures.delete(name);
  pictures.set(name, found);
  return `data:image/jpeg;base64,${found[number % data.each[kind]]}`;
}

// What is to be seen now; what was wanted before and is not any more is not loaded.
function want(list) {
  wanted = [...new Set(list)];
  loadNext();
}

function loadNext() {
  while (loading < AT_ONCE && wanted.length) {
    const name = wanted.shift();
    if (pictures.has(name)) continue;
    loading += 1;
    fetched(name).then((text) => {
      pictures.set(name, text.split("\n"));
      if (pictures.size > MOST_SHARDS) pictures.delete(pictures.keys().next().value);
    }, () => {}).then(() => {
      loading -= 1;
      drawSoon();
      loadNext();
    });
  }
}

// What is looked for: conditions on tags (certainty) and movements (strength), and the form.

let conditions = [];
let like = -1;
let results = new Uint32Array(0);
let judging = "";
const strengths = {};

function movement(name) {
  if (!strengths[name]) {
    const about = data.movements.find((each) => each.name === name);
    const all = columns.movements;
    const wide = all.length / data.faces;
    const own = new Uint8Array(data.faces);
    const totals = new Float64Array(257);
    for (let i = 0; i < data.faces; i++) {
      let sum = 0;
      for (const at of about.columns) sum += all[i * wide + at];
      own[i] = Math.round(sum / about.columns.length);
      if (columns.state[i] === 0) totals[own[i]] += 1;
    }
    for (let i = 255; i >= 0; i--) totals[i] += totals[i + 1];
    // The share of answered faces that move as much or more.
    const share = totals.map((total) => total / (totals[0] || 1));
    strengths[name] = { own, share };
  }
  return strengths[name];
}

// A test of a row, and how well it fits, from 0 to 1, by each condition.
function tests() {
  return conditions.map(({ kind, name, least, most }) => {
    if (kind === "tag") {
      const bit = 1 << data.tags.findIndex((tag) => tag.name === name);
      const own = columns[name];
      if (least === null) return [(i) => columns.tags[i] & bit, (i) => own[i] / WHOLE];
      return most
        ? [(i) => own[i] !== NONE && own[i] <= least * WHOLE, (i) => 1 - own[i] / WHOLE]
        : [(i) => own[i] !== NONE && own[i] >= least * WHOLE, (i) => own[i] / WHOLE];
    }
    const { own, share } = movement(name);
    return most
      ? [(i) => columns.state[i] === 0 && 1 - share[own[i] + 1] <= least, (i) => share[own[i]]]
      : [(i) => columns.state[i] === 0 && share[own[i]] <= least, (i) => 1 - share[own[i] + 1]];
  });
}

function poseTest(pose, degrees) {
  const { yaw, pitch, roll } = columns;
  return {
    front: (i) => Math.max(Math.abs(yaw[i]), Math.abs(pitch[i])) <= degrees,
    left: (i) => yaw[i] <= -degrees,
    right: (i) => yaw[i] >= degrees,
    up: (i) => pitch[i] >= degrees,
    down: (i) => pitch[i] <= -degrees,
    tilted: (i) => Math.abs(roll[i]) >= degrees,
  }[pose];
}

function formTests() {
  const found = [];
  const state = byId("state").value;
  const unsure = data.looks.length - 1;
  if (state === "answered") found.push((i) => columns.state[i] === 0);
  else if (state === "unsure") found.push((i) => columns.look[i] === unsure);
  else if (state !== "all") found.push((i) => columns.state[i] === Number(state));
  const least = leastSize();
  if (least > 0) found.push((i) => columns.size[i] >= least);
  if (byId("pose").value) found.push(poseTest(byId("pose").value, Number(byId("degrees").value)));
  const fewest = Number(byId("together").value);
  if (fewest) {
    const many = inPhoto();
    found.push((i) => (fewest === 1 ? many[columns.photo[i]] === 1 : many[columns.photo[i]] >= fewest));
  }
  const part = byId("name").value.trim().toLowerCase();
  if (part) {
    const fits = names.map((name) => name.toLowerCase().includes(part));
    found.push((i) => fits[columns.photo[i]]);
  }
  return found;
}

// How many faces each photo has, those of every state.
let inPhotos = null;
function inPhoto() {
  if (!inPhotos) {
    inPhotos = new Uint32Array(columns.photo_width.length);
    for (const photo of columns.photo) inPhotos[photo] += 1;
  }
  return inPhotos;
}

// Steps of the slider are of a size in proportion: 0, then 16 pixels and 8% more each.
const leastSize = () => (Number(byId("size").value) ? Math.round(16 * 1.08 ** (Number(byId("size").value) - 1)) : 0);

// The squared distance of movements to those of another face.
function distances(face) {
  const all = columns.movements;
  const wide = all.length / data.faces;
  const own = all.slice(face * wide, (face + 1) * wide);
  const found = new Float64Array(data.faces);
  for (let i = 0, at = 0; i < data.faces; i++) {
    let sum = 0;
    for (let j = 0; j < wide; j++, at++) sum += (all[at] - own[j]) * (all[at] - own[j]);
    found[i] = sum;
  }
  return found;
}

// Whole numbers by which rows are put in order, the smallest first; then they go by photo.
function ranks(fits) {
  const order = byId("order").value;
  const best = (i) => fits.reduce((worst, fit) => Math.min(worst, fit(i)), 1);
  if (like >= 0) {
    const far = distances(like);
    return (i) => far[i];
  }
  if (order === "large") return (i) => 1e6 - Math.min(1e6, Math.round(columns.size[i]));
  if (order === "sharp") {
    const top = columns.sharpness.reduce((most, value) => (value > most ? value : most), 1e-9);
    return (i) => Math.round(WHOLE * (1 - (columns.sharpness[i] || 0) / top));
  }
  if (order === "chance") return (i) => (Math.imul(i + 1, 2654435761) >>> 8);
  if (order === "photo" || !fits.length) return () => 0;
  return order === "certain" ? (i) => Math.round(WHOLE * (1 - best(i))) : (i) => Math.round(WHOLE * best(i));
}

function find() {
  const own = tests();
  const all = [...own.map(([test]) => test), ...formTests()];
  if (like >= 0) all.push((i) => columns.state[i] === 0);
  const rank = ranks(own.map(([, fit]) => fit));
  const keys = new Float64Array(data.faces);
  let count = 0;
  rows: for (let i = 0; i < data.faces; i++) {
    for (const test of all) if (!test(i)) continue rows;
    keys[count++] = rank(i) * data.faces + columns.place[i];
  }
  // A sort of numbers alone; the place in each tells its row.
  return Uint32Array.from(keys.subarray(0, count).sort(), (key) => byPlace[key % data.faces]);
}

// Loads what the present question needs, then asks it.
let asked = 0;
async function search(keep = false) {
  const mine = ++asked;
  const needs = [seen()];
  if (like >= 0 || conditions.some(({ kind }) => kind === "movement")) needs.push(column("movements", "u1"));
  for (const { kind, name } of conditions) if (kind === "tag") needs.push(column(name, "u2"));
  if (leastSize() || byId("order").value === "large") needs.push(column("size", "f4"));
  if (byId("order").value === "sharp") needs.push(column("sharpness", "f4"));
  if (byId("pose").value) needs.push(...["yaw", "pitch", "roll"].map((name) => column(name, "f4")));
  if (byId("name").value.trim()) needs.push(named(), column("photo", "u4"));
  if (byId("together").value) needs.push(column("photo", "u4"), column("photo_width", "u4"));
  if (judging) needs.push(offers());
  await Promise.all(needs);
  if (mine !== asked) return;
  if (!byPlace) {
    byPlace = new Uint32Array(data.faces);
    for (let i = 0; i < data.faces; i++) byPlace[columns.place[i]] = i;
  }
  results = judging ? Uint32Array.from(offered[judging].row) : find();
  const total = counted(data.faces);
  byId("count").textContent = judging
    ? `${counted(results.length)} faces to look at, in an order of chance`
    : results.length ? `${counted(results.length)} of ${total} faces` : "No face fits. Move a slider, or clear all.";
  byId("list").hidden = Boolean(judging) || !results.length;
  if (!keep) {
    active = results.length ? 0 : -1;
    if (byId("grid").getBoundingClientRect().top < 0) byId("count").scrollIntoView();
  } else active = results.indexOf(chosen);
  for (const cell of cells.values()) cell.remove();
  cells.clear();
  draw();
}

// The faces found, in their order, as a table: numbers are those of faces.parquet.
async function saveList() {
  await told();
  const asked = conditions.filter(({ kind }) => kind === "tag").map(({ name }) => data.tags.find((tag) => tag.name === name));
  const box = ["left", "top", "width", "height"];
  const lines = [["photo", "face", ...box, "tags", ...asked.map(({ words }) => `certainty: ${words}`)]];
  for (const row of results) {
    lines.push([
      names[columns.photo[row]], columns.face[row], ...box.map((name) => Math.round(10 * columns[name][row]) / 10),
      data.tags.filter((tag, bit) => columns.tags[row] & (1 << bit)).map(({ words }) => words).join(";"),
      ...asked.map(({ name }) => (columns[name][row] === NONE ? "" : (columns[name][row] / WHOLE).toFixed(4))),
    ]);
  }
  download("faces.csv", lines);
}

// The grid: as high as all results, with elements only for those to be seen.

const grid = byId("grid");
const cells = new Map();
let active = -1;
let chosen = -1;
let across = 1;
let high = 100;
let drawing = false;

function drawSoon() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(draw);
  }
}

function measure() {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const cell = parseFloat(getComputedStyle(grid).getPropertyValue("--cell")) * rem;
  across = Math.max(1, Math.floor(grid.clientWidth / cell));
  const side = grid.clientWidth / across;
  const lines = judging || conditions.some(({ kind }) => kind === "tag") ? 1 : 2;
  grid.style.setProperty("--lines", lines);
  high = Math.ceil(side + (lines + 0.2) * rem);
  return side;
}

function draw() {
  drawing = false;
  const side = measure();
  grid.style.height = `${Math.ceil(results.length / across) * high}px`;
  const top = -grid.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(top / high) - 2) * across;
  const last = Math.min(results.length, (Math.ceil((top + innerHeight) / high) + 2) * across);
  for (const [index, cell] of cells) {
    if (index < first || index >= last) {
      cell.remove();
      cells.delete(index);
    }
  }
  const missing = [];
  for (let index = first; index < last; index++) {
    let cell = cells.get(index);
    if (!cell) {
      cell = made(index);
      cells.set(index, cell);
      grid.append(cell);
    }
    cell.style.cssText = `width:${side}px;left:${(index % across) * side}px;top:${Math.floor(index / across) * high}px`;
    cell.setAttribute("aria-selected", index === active);
    if (!fill(cell.firstChild, "faces", results[index])) missing.push(`faces/${Math.floor(results[index] / data.each.faces)}`);
  }
  if (active >= 0 && cells.has(active)) grid.setAttribute("aria-activedescendant", `cell-${active}`);
  else grid.removeAttribute("aria-activedescendant");
  want([...drawFace(), ...missing]);
}

// Whether an image has its picture, or never gets one.
function fill(image, kind, number) {
  if (number >= data.pictured[kind] || image.src) return true;
  const url = picture(kind, number);
  if (url) image.src = url;
  return Boolean(url);
}

function made(index) {
  const row = results[index];
  const cell = document.createElement("div");
  cell.className = "cell";
  cell.id = `cell-${index}`;
  cell.setAttribute("role", "option");
  cell.setAttribute("aria-setsize", results.length);
  cell.setAttribute("aria-posinset", index + 1);
  const image = document.createElement("img");
  image.alt = "";
  image.width = image.height = 96;
  const words = document.createElement("p");
  words.textContent = caption(row);
  cell.title = words.textContent;
  cell.append(image, words);
  const verdict = asking(row) && verdictOf(row, asking(row));
  if (verdict) {
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.textContent = MARKS[verdict];
    cell.append(mark);
  }
  cell.setAttribute("aria-label", `Face ${index + 1}: ${words.textContent}${verdict ? `, judged ${verdict}` : ""}`);
  cell.addEventListener("click", () => {
    grid.focus({ preventScroll: true });
    choose(index);
  });
  return cell;
}

// How certain it is where one asks for that, else how the face looks. Who judges is told neither.
function caption(row) {
  if (judging) return "";
  const first = conditions.find(({ kind }) => kind === "tag");
  if (first && columns[first.name][row] !== NONE) return percent(columns[first.name][row] / WHOLE);
  if (columns.state[row] !== 0) return data.states[columns.state[row]];
  const own = data.tags.filter((tag, bit) => columns.tags[row] & (1 << bit));
  return own.reverse().map((tag) => tag.words).join(", ") || "no tag";
}

function refresh(row) {
  const index = active >= 0 && results[active] === row ? active : results.indexOf(row);
  if (cells.has(index)) {
    cells.get(index).remove();
    cells.delete(index);
  }
  drawSoon();
}

async function choose(index) {
  if (!results.length) return;
  active = Math.max(0, Math.min(results.length - 1, index));
  intoView();
  await show(results[active]);
}

// The active face above the foot of the window, or of the sheet that a phone shows there.
function intoView() {
  const top = grid.getBoundingClientRect().top + Math.floor(active / across) * high;
  const above = document.querySelector(".bar").offsetHeight + 8;
  const sheet = getComputedStyle(byId("face")).position === "fixed" && !byId("face").hidden ? byId("face").offsetHeight : 0;
  const below = innerHeight - sheet - high;
  if (top < above) scrollBy({ top: top - above, behavior: "instant" });
  else if (top > below) scrollBy({ top: top - Math.max(above, below), behavior: "instant" });
}

// The face beside its photo.

async function show(row) {
  chosen = row;
  await told();
  if (chosen !== row) return;
  const photo = columns.photo[row];
  const name = document.createElement("bdi");
  name.textContent = shown(names[photo]);
  byId("face-name").replaceChildren(name, ` · face ${columns.face[row] + 1}`);
  byId("facts").textContent = facts(row).join("\n");
  byId("large").removeAttribute("src");
  byId("preview").removeAttribute("src");
  byId("preview").hidden = true;
  byId("no-preview").hidden = photo < data.pictured.photos;
  boxes(row);
  byId("open").hidden = !data.link;
  if (data.link) byId("open").href = data.link + addressed(names[photo]);
  byId("like").hidden = columns.state[row] !== 0 || Boolean(judging);
  question(row);
  const opening = byId("face").hidden;
  byId("face").hidden = false;
  document.querySelector(".layout").classList.add("chosen");
  draw();
  if (opening && active >= 0) intoView();
}

// What is still to be loaded for it.
function drawFace() {
  if (byId("face").hidden) return [];
  const photo = columns.photo[chosen];
  const missing = [];
  if (!fill(byId("large"), "faces", chosen)) missing.push(`faces/${Math.floor(chosen / data.each.faces)}`);
  if (!fill(byId("preview"), "photos", photo)) missing.push(`photos/${Math.floor(photo / data.each.photos)}`);
  byId("preview").hidden = !byId("preview").src;
  return missing;
}

function facts(row) {
  const degrees = (value, back, forth) => (Math.abs(value) < 5 ? "" : `${Math.round(Math.abs(value))}° ${value < 0 ? back : forth}`);
  const turns = [
    degrees(columns.yaw[row], "to the left", "to the right"), degrees(columns.pitch[row], "down", "up"),
    degrees(columns.roll[row], "tilted left", "tilted right"),
  ].filter(Boolean);
  const answered = columns.state[row] === 0;
  const lines = [`${Math.round(columns.size[row])} pixels`];
  if (!Number.isNaN(columns.yaw[row])) lines.push(turns.length ? `Head ${turns.join(", ")}` : "Towards the camera");
  if (!answered) lines.push(`Could not be read: ${data.states[columns.state[row]]}`);
  else if (!judging && columns.look[row] < data.looks.length) lines.push(columns.look[row] === data.looks.length - 1 ? "Not sure how it looks" : `This face ${data.looks[columns.look[row]]}`);
  return lines;
}

// All faces of a photo, from left to right.
function together(row) {
  const found = [];
  for (let place = columns.place[row]; place >= 0 && columns.photo[byPlace[place]] === columns.photo[row]; place--) found.unshift(byPlace[place]);
  for (let place = columns.place[row] + 1; place < data.faces && columns.photo[byPlace[place]] === columns.photo[row]; place++) found.push(byPlace[place]);
  return found;
}

function boxes(row) {
  const photo = columns.photo[row];
  const [wide, tall] = [columns.photo_width[photo], columns.photo_height[photo]];
  byId("preview").style.aspectRatio = `${wide} / ${tall}`;
  byId("boxes").replaceChildren(...together(row).map((each) => {
    const box = document.createElement("button");
    box.type = "button";
    box.setAttribute("aria-label", `Face ${columns.face[each] + 1} of this photo`);
    if (each === row) box.setAttribute("aria-current", "true");
    const share = (name, whole) => `${(100 * columns[name][each]) / whole}%`;
    box.style.cssText = `left:${share("left", wide)};top:${share("top", tall)};width:${share("width", wide)};height:${share("height", tall)}`;
    box.addEventListener("click", () => other(each));
    return box;
  }));
}

function other(row) {
  active = results.indexOf(row);
  show(row);
}

function close() {
  chosen = -1;
  byId("face").hidden = true;
  document.querySelector(".layout").classList.remove("chosen");
  draw();
}

// The tag that is asked about: of the judging, of the first condition, or the first that the face has.
function asking(row) {
  if (judging) return judging;
  const first = conditions.find(({ kind }) => kind === "tag");
  if (first) return first.name;
  const own = columns.tags[row];
  const bit = data.tags.findIndex((tag, at) => own & (1 << at) && tag.emotion);
  return (data.tags[bit] || data.tags.find((tag, at) => own & (1 << at)) || {}).name;
}

function question(row) {
  const tag = data.tags.find((each) => each.name === asking(row));
  byId("question").hidden = !tag || columns.state[row] !== 0;
  if (tag) {
    byId("ask").textContent = tag.question;
    for (const button of document.querySelectorAll("[data-verdict]")) {
      button.setAttribute("aria-pressed", verdictOf(row, tag.name) === button.dataset.verdict);
    }
  }
  // Who judges by chance is not told how certain the program is.
  byId("certainties").hidden = Boolean(judging) || columns.state[row] !== 0;
  if (byId("certainties").hidden) return;
  byId("certainties").tBodies[0].replaceChildren(...data.tags.map((each, bit) => {
    const line = document.createElement("tr");
    line.classList.toggle("given", Boolean(columns.tags[row] & (1 << bit)));
    line.classList.toggle("never", each.never);
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = each.words;
    const share = document.createElement("td");
    share.className = "number";
    share.textContent = percent(columns[each.name][row] / WHOLE);
    const judged = document.createElement("td");
    judged.className = "number";
    for (const [verdict, words] of [["right", "Yes"], ["wrong", "No"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.dataset.verdict = verdict;
      button.textContent = MARKS[verdict];
      button.setAttribute("aria-label", `${each.question} ${words}`);
      button.setAttribute("aria-pressed", verdictOf(row, each.name) === verdict);
      button.addEventListener("click", () => judge(row, each.name, verdict, "hand"));
      judged.append(button, " ");
    }
    line.append(head, share, judged);
    return line;
  }));
}

// Conditions, each with its slider.

function drawConditions() {
  for (const button of document.querySelectorAll("[data-tag]")) {
    button.setAttribute("aria-pressed", conditions.some(({ name }) => name === button.dataset.tag));
  }
  byId("conditions").replaceChildren(...conditions.map((condition) => {
    const about = (condition.kind === "tag" ? data.tags : data.movements).find(({ name }) => name === condition.name);
    const box = document.createElement("div");
    box.className = "condition";
    const head = document.createElement("div");
    const gone = document.createElement("button");
    gone.type = "button";
    gone.className = "plain small";
    gone.textContent = "×";
    gone.setAttribute("aria-label", `Remove ${about.words}`);
    gone.addEventListener("click", () => toggle(condition.kind, condition.name));
    head.append(about.words, gone);
    const slider = document.createElement("input");
    slider.type = "range";
    slider.id = `slider-${condition.name}`;
    slider.min = condition.kind === "tag" ? 0 : 1;
    slider.max = 100;
    slider.value = 100 * (condition.least ?? about.least ?? 0.5);
    const label = document.createElement("label");
    label.htmlFor = slider.id;
    const tell = () => {
      label.textContent = worded(condition, about);
      slider.setAttribute("aria-valuetext", label.textContent);
    };
    slider.addEventListener("input", () => {
      condition.least = Number(slider.value) / 100;
      tell();
      search();
    });
    const turn = document.createElement("button");
    turn.type = "button";
    turn.className = "plain small";
    const [high, low] = condition.kind === "tag" ? ["more certain", "less certain"] : ["move most", "move least"];
    const turned = () => { turn.textContent = `show those ${condition.kind === "tag" ? "" : "that "}${condition.most ? high : low} instead`; };
    turn.addEventListener("click", () => {
      condition.most = !condition.most;
      if (condition.least === null) condition.least = Number(slider.value) / 100;
      turned();
      tell();
      search();
    });
    tell();
    turned();
    box.append(head, label, slider, turn);
    return box;
  }));
}

function worded({ kind, least, most }, about) {
  if (kind === "movement") return most ? `among the ${percent(least)} that move least` : `among the ${percent(least)} that move most`;
  if (least === null && about.least === null) return "tagged: those that you called right";
  if (least === null) return `tagged: ${Math.round(100 * about.least)}% certain and more${about.edited ? ", and as you answered" : ""}`;
  return most ? `at most ${percent(least)} certain` : `at least ${percent(least)} certain`;
}

function toggle(kind, name) {
  const there = conditions.some((each) => each.name === name);
  conditions = conditions.filter((each) => each.name !== name);
  const none = kind === "tag" && !data.tags.find((tag) => tag.name === name).count;
  if (!there) conditions.push({ kind, name, least: kind === "movement" ? 0.1 : none ? 0.5 : null, most: false });
  drawConditions();
  search();
}

function drawForm() {
  const least = leastSize();
  byId("size-told").textContent = least ? `${least} pixels and more` : "any";
  byId("angle").hidden = !byId("pose").value;
  const more = byId("pose").value === "front" ? "at most" : "at least";
  byId("degrees-told").textContent = `by ${more} ${byId("degrees").value}°`;
}

function moreLike(row) {
  if (row < 0 || columns.state[row] !== 0 || judging) return;
  like = row;
  told().then(() => {
    const name = document.createElement("bdi");
    name.textContent = shown(names[columns.photo[row]]);
    byId("likeness").firstElementChild.replaceChildren("Most like face ", `${columns.face[row] + 1} of `, name);
    byId("likeness").hidden = false;
  });
  search();
}

function unlike() {
  like = -1;
  byId("likeness").hidden = true;
  search(true);
}

for (const button of document.querySelectorAll("[data-tag]")) button.addEventListener("click", () => toggle("tag", button.dataset.tag));
byId("movement").addEventListener("change", (event) => {
  if (event.target.value) toggle("movement", event.target.value);
  event.target.value = "";
});
for (const id of ["state", "together", "size", "pose", "degrees", "name", "order"]) {
  byId(id).addEventListener("input", () => {
    drawForm();
    search();
  });
}
byId("find").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => {
  byId("find").reset();
  conditions = [];
  like = -1;
  byId("likeness").hidden = true;
  drawConditions();
  drawForm();
  search();
});
byId("filters").addEventListener("click", () => {
  byId("filters").setAttribute("aria-expanded", byId("find").classList.toggle("open"));
});
byId("list").addEventListener("click", saveList);
byId("like").addEventListener("click", () => moreLike(chosen));
byId("unlike").addEventListener("click", unlike);
byId("close").addEventListener("click", () => {
  close();
  grid.focus();
});
byId("help").addEventListener("click", () => byId("helping").showModal());
byId("helped").addEventListener("click", () => byId("helping").close());
addEventListener("scroll", drawSoon, { passive: true });
// Whatever becomes higher or lower above the grid moves it.
for (const part of [grid, document.body]) new ResizeObserver(drawSoon).observe(part);
// What sticks below the bar keeps below it however high it is.
new ResizeObserver(([bar]) => {
  document.documentElement.style.setProperty("--bar", `${bar.target.offsetHeight}px`);
}).observe(document.querySelector(".bar"));

// Keys. Letters count where no text is written, and can be turned off.

const STEPS = {
  ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -across, ArrowDown: () => across,
  PageUp: () => -across * Math.max(1, Math.floor(innerHeight / high) - 1),
  PageDown: () => across * Math.max(1, Math.floor(innerHeight / high) - 1),
  Home: () => -Infinity, End: () => Infinity,
};
const answer = (verdict) => () => {
  if (chosen >= 0 && !byId("question").hidden) judge(chosen, asking(chosen), verdict, judging ? "sample" : "hand", true);
};
const neighbour = (step) => () => {
  if (chosen < 0) return;
  const row = together(chosen)[together(chosen).indexOf(chosen) + step];
  if (row !== undefined) other(row);
};
const LETTERS = {
  y: answer("right"), n: answer("wrong"), s: answer("skipped"), z: takeBack, m: () => moreLike(chosen),
  "[": neighbour(-1), "]": neighbour(1), j: () => byId("review").focus(), "?": () => byId("helping").showModal(),
  f: () => {
    byId("find").classList.add("open");
    document.querySelector("#find [data-tag]").focus();
  },
};
for (const button of document.querySelectorAll("#question [data-verdict]")) button.addEventListener("click", answer(button.dataset.verdict));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("helping").open) return;
  if (event.target === grid && event.key in STEPS) {
    const step = STEPS[event.key]();
    choose(chosen < 0 && active <= 0 && step > 0 && Number.isFinite(step) ? 0 : active + step);
  } else if (event.target === grid && event.key === "Enter") {
    choose(active).then(() => byId("face").focus());
  } else if (event.key === "Escape" && byId("face").contains(event.target)) {
    grid.focus({ preventScroll: true });
  } else if (event.key === "Escape" && event.target === grid) {
    if (like >= 0) unlike();
    else if (chosen >= 0) close();
    else return;
  } else if (byId("letters").checked && !event.target.matches("input[type=text], select") && event.key in LETTERS) {
    LETTERS[event.key]();
  } else return;
  event.preventDefault();
});

listen();
drawForm();
start();
search();
