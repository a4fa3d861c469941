"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const NONE = 65535;
const set = new Uint8Array(bytes(data.set));
const face = new Uint32Array(bytes(data.face));
const count = set.length;
const maps = {};
for (const name in data.maps) maps[name] = data.maps[name].map((axis) => new Uint16Array(bytes(axis)));
const groups = {};
for (const name in data.colourings) groups[name] = new Uint16Array(bytes(data.colourings[name].group));
const strengths = {};
for (const name in data.movements) strengths[name] = new Uint8Array(bytes(data.movements[name]));
const dark = matchMedia("(prefers-color-scheme: dark)");
const canvas = byId("map");
const context = canvas.getContext("2d");

// In an order of chance: drawn group by group, the last would hide the others.
const order = [...Array(count).keys()];
let state = 1;
for (let i = count - 1; i > 0; i--) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const j = state % (i + 1);
  [order[i], order[j]] = [order[j], order[i]];
}

const nearest = new Uint16Array(bytes(data.nearest));

// A face is chosen by a click or by keys; the pointer shows others for as long as it rests on them.
let map = "tsne", colour = Object.keys(groups)[0], chosen = -1, pointed = -1;
let view = { x: 0.5, y: 0.5, zoom: 1 };
let hidden = new Set();
let waiting = false;

const looked = () => (pointed >= 0 ? pointed : chosen);
const shown = (i) => setShown[set[i]] && !hidden.has(groups[colour][i]);
const ground = () => (dark.matches ? "dark" : "light");
let setShown = data.sets.map(() => true);

// Where 0 of both axes lies on the canvas, and how many pixels a step is.
function frame() {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const side = (Math.min(width, height) - 24) * view.zoom;
  return [width / 2 - view.x * side, height / 2 - view.y * side, side / 65535];
}

function screen(i) {
  const [left, top, step] = frame();
  return [left + maps[map][0][i] * step, top + maps[map][1][i] * step];
}

function draw() {
  waiting = false;
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const palette = data.colourings[colour][ground()];
  const size = Math.max(2, Math.min(7, 170 / Math.sqrt(count))) * Math.sqrt(Math.min(view.zoom, 6));
  const mine = groups[colour];
  const [left, top, step] = frame();
  const [xs, ys] = maps[map];
  context.lineWidth = 1;
  context.strokeStyle = data.ungrouped[ground()];
  for (const grouped of [false, true]) {
    for (const i of order) {
      if ((mine[i] !== NONE) !== grouped || !shown(i)) continue;
      const [x, y] = [left + xs[i] * step, top + ys[i] * step];
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      if (grouped) {
        context.fillStyle = palette[mine[i]];
        context.fillRect(x - size / 2, y - size / 2, size, size);
      } else context.strokeRect(x - size / 3, y - size / 3, size / 1.5, size / 1.5);
    }
  }
  const [ink, paper] = dark.matches ? ["#fff", "#000"] : ["#000", "#fff"];
  context.strokeStyle = ink;
  const i = looked();
  for (const [ringed, width] of [...neighbours(i).map((near) => [near, 1]), [i, 3]]) {
    if (ringed < 0 || !shown(ringed)) continue;
    const [x, y] = screen(ringed);
    context.lineWidth = width;
    context.beginPath();
    context.arc(x, y, size / 2 + 5, 0, 7);
    context.stroke();
  }
  context.font = "bold 16px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.strokeStyle = paper;
  context.fillStyle = ink;
  for (const [mark, x, y] of middles()) {
    context.strokeText(mark, left + x * step, top + y * step);
    context.fillText(mark, left + x * step, top + y * step);
  }
}

// What is written amid each group, and the medians of its shown faces' places; found anew only when
// others are shown.
let amid = {};
function middles() {
  const key = [map, colour, ...hidden, ...setShown].join();
  if (amid.key === key) return amid.marks;
  const marks = data.colourings[colour].marks.flatMap((mark, number) => {
    const members = order.filter((i) => mark && groups[colour][i] === number && shown(i));
    if (!members.length) return [];
    const median = (axis) => Uint16Array.from(members, (i) => axis[i]).sort()[members.length >> 1];
    return [[mark, ...maps[map].map(median)]];
  });
  amid = { key, marks };
  return marks;
}

function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

const images = [];
function sheet(number) {
  if (!images[number]) {
    images[number] = new Image();
    images[number].src = data.sheets[number];
    images[number].addEventListener("load", showFace);
  }
  return images[number];
}

function paint(canvas, i) {
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, canvas.width, canvas.height);
  if (i < 0) return;
  const each = data.columns * data.columns;
  const image = sheet(Math.floor(i / each));
  if (!image.complete) return;
  const [row, column] = [Math.floor((i % each) / data.columns), i % data.columns];
  const from = [column * data.side, row * data.side, data.side, data.side];
  brush.imageSmoothingQuality = "high";
  brush.drawImage(image, ...from, 0, 0, canvas.width, canvas.height);
}

// The faces whose embeddings are nearest to a face's.
function neighbours(i) {
  return i < 0 ? [] : [...nearest.subarray(i * data.neighbours, (i + 1) * data.neighbours)];
}

function showFace() {
  const near = neighbours(looked());
  paint(byId("face"), looked());
  byId("near").hidden = !near.length;
  const buttons = byId("neighbours").children;
  near.forEach((i, number) => {
    buttons[number].setAttribute("aria-label", lines(i).join(", "));
    buttons[number].title = lines(i).join("\n");
    paint(buttons[number].firstChild, i);
  });
}

// How strong a movement is in a face; null where it was not measured.
function strength(name, i) {
  const { most, steps } = data.strengths;
  const step = strengths[name][i];
  return step > steps ? null : (step / steps) * 2 * most - most;
}

// Groups of a movement's strengths, made when they are asked for.
function group(name) {
  if (groups[name]) return;
  const { bounds, labels, light, dark: dim } = data.strengths;
  data.colourings[name] = { labels, light, dark: dim, marks: [] };
  groups[name] = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const found = strength(name, i);
    groups[name][i] = found === null ? NONE : bounds.filter((bound) => found >= bound).length;
  }
}

// What is known of a face, a line each.
function lines(i) {
  const found = [`Face ${face[i]}, ${data.sets[set[i]]}`];
  for (const name in groups) {
    if (groups[name][i] === NONE) continue;
    const { labels, marks } = data.colourings[name];
    const label = labels[groups[name][i]];
    if (!(name in strengths)) found.push(marks[groups[name][i]] ? `${name} ${label}` : `${name}: ${label}`);
    else if (name === colour) found.push(`${name}: ${strength(name, i).toFixed(1)}`);
  }
  return found;
}

function tell() {
  byId("told").textContent = looked() < 0 ? "No face chosen." : lines(looked()).join("\n");
  showFace();
  redraw();
}

function choose(i) {
  [chosen, pointed] = [i, -1];
  tell();
}

function point(i) {
  if (i === pointed) return;
  pointed = i;
  tell();
}

function nearby(x, y, reach, fits) {
  let [best, least] = [-1, reach * reach];
  const [left, top, step] = frame();
  const [xs, ys] = maps[map];
  for (let i = 0; i < count; i++) {
    if (!shown(i)) continue;
    const dx = left + xs[i] * step - x;
    const dy = top + ys[i] * step - y;
    const distance = dx * dx + dy * dy;
    if (distance < least && (!fits || fits(dx, dy, i))) [best, least] = [i, distance];
  }
  return best;
}

function zoomBy(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const side = Math.min(canvas.clientWidth, canvas.clientHeight) - 24;
  const zoom = Math.max(1, Math.min(60, view.zoom * factor));
  for (const [axis, at, middle] of [["x", x, canvas.clientWidth / 2], ["y", y, canvas.clientHeight / 2]]) {
    view[axis] += ((at - middle) / side) * (1 / view.zoom - 1 / zoom);
  }
  view.zoom = zoom;
  redraw();
}

function home() {
  view = { x: 0.5, y: 0.5, zoom: 1 };
  redraw();
}

let drag = null, dragged = false;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  drag = { x: event.offsetX, y: event.offsetY };
  dragged = false;
});
canvas.addEventListener("pointerup", (event) => {
  drag = null;
  const found = dragged ? -1 : nearby(event.offsetX, event.offsetY, 20);
  if (found >= 0) choose(found);
});
canvas.addEventListener("pointercancel", () => { drag = null; });
canvas.addEventListener("pointerleave", () => point(-1));
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    // A finger that taps moves a little.
    if (!dragged && Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y) < 5) return;
    dragged = true;
    const side = (Math.min(canvas.clientWidth, canvas.clientHeight) - 24) * view.zoom;
    view.x -= (event.offsetX - drag.x) / side;
    view.y -= (event.offsetY - drag.y) / side;
    drag = { x: event.offsetX, y: event.offsetY };
    redraw();
  } else point(nearby(event.offsetX, event.offsetY, 20));
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomBy(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
}, { passive: false });

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (WAYS[event.key]) {
    const [wx, wy] = WAYS[event.key];
    const start = chosen >= 0 && shown(chosen) ? screen(chosen) : null;
    const found = start
      ? nearby(...start, Infinity, (dx, dy, i) => {
        const along = dx * wx + dy * wy;
        return i !== chosen && along > 0 && Math.abs(dx * wy - dy * wx) <= along;
      })
      : nearby(canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity);
    if (found >= 0) choose(found);
  } else if (event.key === "+" || event.key === "=") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
  else if (event.key === "0") home();
  else if (event.key === "Escape") choose(-1);
  else return;
  event.preventDefault();
});

function counted(text) {
  const cell = document.createElement("span");
  cell.className = "count quiet";
  cell.textContent = text;
  return cell;
}

// Each group with the number of its faces in each set that is shown.
function legend() {
  const sets = [...data.sets.keys()].filter((number) => setShown[number]);
  const entries = data.colourings[colour].labels.map((label, number) => [number, label]);
  entries.push([NONE, colour in strengths ? "not measured" : "unlabelled"]);
  const totals = new Map(entries.map(([number]) => [number, data.sets.map(() => 0)]));
  for (let i = 0; i < count; i++) totals.get(groups[colour][i])[set[i]] += 1;
  if (!sets.some((number) => totals.get(NONE)[number])) entries.pop();
  const heads = document.createElement("p");
  heads.className = "heads";
  heads.append(...sets.map((number) => counted(data.sets[number])));
  byId("legend").style.setProperty("--sets", sets.length);
  byId("legend").replaceChildren(heads, ...entries.map(([number, text]) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden.has(number);
    box.addEventListener("change", () => {
      hidden[box.checked ? "delete" : "add"](number);
      redraw();
    });
    const swatch = document.createElement("span");
    swatch.className = number === NONE ? "swatch hollow" : "swatch";
    swatch.style.background = data.colourings[colour][ground()][number];
    swatch.style.color = data.ungrouped[ground()];
    const name = document.createElement("span");
    name.textContent = text;
    label.append(box, swatch, name);
    label.append(...sets.map((each) => counted(totals.get(number)[each].toLocaleString("en"))));
    return label;
  }));
}

function hideAll(all) {
  hidden = new Set(all ? [...data.colourings[colour].labels.keys(), NONE] : []);
  legend();
  redraw();
}

for (const input of document.querySelectorAll("input[name=map]")) {
  input.addEventListener("change", () => { map = input.value; home(); });
}
const radios = [...document.querySelectorAll("input[name=colour]")];
const movement = byId("movement");
// By the movement that is picked, else by what is checked; the first, if nothing is.
function recolour() {
  const picked = movement ? movement.value : "";
  if (picked) {
    group(picked);
    for (const radio of radios) radio.checked = false;
  } else if (!radios.some((radio) => radio.checked)) radios[0].checked = true;
  colour = picked || radios.find((radio) => radio.checked).value;
  tell();
  hideAll(false);
}
for (const radio of radios) {
  radio.addEventListener("change", () => {
    if (movement) movement.value = "";
    recolour();
  });
}
if (movement) movement.addEventListener("change", recolour);
for (const input of document.querySelectorAll("input[name=set]")) {
  input.addEventListener("change", () => {
    setShown[Number(input.value)] = input.checked;
    legend();
    redraw();
  });
}
byId("all").addEventListener("click", () => hideAll(false));
byId("none").addEventListener("click", () => hideAll(true));
byId("in").addEventListener("click", () => zoomBy(1.5));
byId("out").addEventListener("click", () => zoomBy(1 / 1.5));
byId("home").addEventListener("click", home);
dark.addEventListener("change", () => { legend(); redraw(); });
new ResizeObserver(redraw).observe(canvas);
// Browsers keep the state of controls over a reload.
map = document.querySelector("input[name=map]:checked").value;
setShown = [...document.querySelectorAll("input[name=set]")].map((input) => input.checked);
for (let number = 0; number < data.neighbours; number++) {
  const button = document.createElement("button");
  const picture = document.createElement("canvas");
  picture.width = picture.height = 96;
  button.type = "button";
  button.append(picture);
  button.addEventListener("click", () => choose(neighbours(looked())[number]));
  byId("neighbours").append(button);
}
recolour();
// A face amid the map, of the scored ones if there are any.
choose(nearby(canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity, (dx, dy, i) => set[i] === data.sets.length - 1));
