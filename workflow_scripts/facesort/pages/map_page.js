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

let map = "tsne", colour = Object.keys(groups)[0], chosen = -1;
let view = { x: 0.5, y: 0.5, zoom: 1 };
let hidden = new Set();
let waiting = false;

const shown = (i) => setShown[set[i]] && !hidden.has(groups[colour][i]);
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
  const palette = data.colourings[colour][dark.matches ? "dark" : "light"];
  const grey = dark.matches ? "#555b66" : "#d5d8dd";
  const size = Math.max(2, Math.min(7, 170 / Math.sqrt(count))) * Math.sqrt(Math.min(view.zoom, 6));
  const mine = groups[colour];
  const [left, top, step] = frame();
  const [xs, ys] = maps[map];
  context.globalAlpha = 0.85;
  for (const grouped of [false, true]) {
    for (const i of order) {
      if ((mine[i] !== NONE) !== grouped || !shown(i)) continue;
      const [x, y] = [left + xs[i] * step, top + ys[i] * step];
      if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
      context.fillStyle = grouped ? palette[mine[i]] : grey;
      context.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }
  context.globalAlpha = 1;
  if (chosen >= 0 && shown(chosen)) {
    const [x, y] = screen(chosen);
    context.lineWidth = 3;
    context.strokeStyle = dark.matches ? "#fff" : "#000";
    context.beginPath();
    context.arc(x, y, size / 2 + 5, 0, 7);
    context.stroke();
  }
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

function showFace() {
  const brush = byId("face").getContext("2d");
  brush.clearRect(0, 0, 256, 256);
  if (chosen < 0) return;
  const each = data.columns * data.columns;
  const image = sheet(Math.floor(chosen / each));
  if (!image.complete) return;
  const [row, column] = [Math.floor((chosen % each) / data.columns), chosen % data.columns];
  brush.imageSmoothingQuality = "high";
  brush.drawImage(image, column * data.side, row * data.side, data.side, data.side, 0, 0, 256, 256);
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
  data.colourings[name] = { labels, light, dark: dim };
  groups[name] = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const found = strength(name, i);
    groups[name][i] = found === null ? NONE : bounds.filter((bound) => found >= bound).length;
  }
}

function tell() {
  const i = chosen;
  const lines = i < 0 ? ["No face chosen."] : [`Face ${face[i]} of the ${data.sets[set[i]]} set`];
  for (const name in groups) {
    if (i < 0 || groups[name][i] === NONE) continue;
    if (!(name in strengths)) lines.push(`${name}: ${data.colourings[name].labels[groups[name][i]]}`);
    else if (name === colour) lines.push(`${name}: ${strength(name, i).toFixed(1)}`);
  }
  byId("told").textContent = lines.join("\n");
}

function choose(i) {
  if (i === chosen) return;
  chosen = i;
  tell();
  showFace();
  redraw();
}

function nearest(x, y, reach, fits) {
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

let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  drag = { x: event.offsetX, y: event.offsetY };
});
canvas.addEventListener("pointerup", () => { drag = null; });
canvas.addEventListener("pointercancel", () => { drag = null; });
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    const side = (Math.min(canvas.clientWidth, canvas.clientHeight) - 24) * view.zoom;
    view.x -= (event.offsetX - drag.x) / side;
    view.y -= (event.offsetY - drag.y) / side;
    drag = { x: event.offsetX, y: event.offsetY };
    redraw();
  } else {
    const found = nearest(event.offsetX, event.offsetY, 20);
    if (found >= 0) choose(found);
  }
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
      ? nearest(...start, Infinity, (dx, dy, i) => {
        const along = dx * wx + dy * wy;
        return i !== chosen && along > 0 && Math.abs(dx * wy - dy * wx) <= along;
      })
      : nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity);
    if (found >= 0) choose(found);
  } else if (event.key === "+" || event.key === "=") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
  else if (event.key === "0") home();
  else if (event.key === "Escape") choose(-1);
  else return;
  event.preventDefault();
});

function legend() {
  const { labels, light, dark: dim } = data.colourings[colour];
  const totals = new Map();
  for (let i = 0; i < count; i++) {
    if (setShown[set[i]]) totals.set(groups[colour][i], (totals.get(groups[colour][i]) || 0) + 1);
  }
  const entries = labels.map((label, number) => [number, label]);
  if (totals.has(NONE)) entries.push([NONE, colour in strengths ? "not measured" : `no ${colour} known`]);
  byId("legend").replaceChildren(...entries.map(([number, text]) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden.has(number);
    box.addEventListener("change", () => {
      hidden[box.checked ? "delete" : "add"](number);
      redraw();
    });
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = number === NONE ? "#999" : (dark.matches ? dim : light)[number];
    const total = document.createElement("span");
    total.className = "quiet";
    total.textContent = (totals.get(number) || 0).toLocaleString("en");
    label.append(box, swatch, text, total);
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
recolour();
