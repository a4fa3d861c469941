"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const key = "facesort-names-" + data.digest;
const byId = (id) => document.getElementById(id);
const radios = [...document.querySelectorAll("input[type=radio]")];
// What no file's name may have; as in facesort/cluster/names_files.py.
const UNFIT = /[<>:"/\\|?*{}\u0000-\u001f\u007f]/g;
let names = {};
// Clusters whose suggestion was opened.
let opened = new Set();

function bytes(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
}

// Some browsers keep nothing for pages opened as files.
function remember() {
  try {
    localStorage.setItem(key, JSON.stringify({ names, opened: [...opened], namer: byId("namer").value }));
  } catch (error) { /* the choices then last as long as the page */ }
}

function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(key)) || {};
    byId("namer").value = String(kept.namer || "");
    opened = new Set((kept.opened || []).map(String));
    for (const radio of radios) {
      if ((kept.names || {})[radio.dataset.cluster] === radio.value) {
        radio.checked = true;
        names[radio.dataset.cluster] = radio.value;
      }
    }
  } catch (error) { names = {}; }
}

function missing() {
  return [...Array(data.clusters).keys()].filter((cluster) => !(cluster in names));
}

function show() {
  const named = data.clusters - missing().length;
  const all = named === data.clusters ? ", ready to save" : "";
  byId("progress").textContent = `Named ${named} of ${data.clusters}${all}`;
  byId("bar").value = named;
  for (const link of document.querySelectorAll("#links a")) {
    const name = names[link.dataset.cluster];
    link.classList.toggle("named", Boolean(name));
    link.querySelector(".state").textContent = name ? ` named ${name}` : " not named";
  }
  const typed = byId("namer").value.trim();
  const left = typed.replace(UNFIT, "");
  byId("namer-told").textContent = left === typed ? "" : `Kept as "${left}": no file's name may have the rest.`;
  const end = left ? `.${left}.csv` : ".csv";
  byId("path").textContent = `names/${data.cell.join("/")}${end}`;
  byId("file").textContent = `${data.cell.join("-")}${end}`;
}

function say(text, saved) {
  byId("message").textContent = text;
  byId("message").classList.toggle("saved", saved);
}

for (const radio of radios) {
  radio.addEventListener("change", () => {
    names[radio.dataset.cluster] = radio.value;
    byId("cluster-" + radio.dataset.cluster).classList.remove("forgotten");
    say("", false);
    remember();
    show();
  });
}

for (const suggestion of document.querySelectorAll(".suggestion")) {
  suggestion.addEventListener("toggle", () => {
    opened.add(suggestion.dataset.cluster);
    remember();
  });
}

byId("namer").addEventListener("input", () => { remember(); show(); });

byId("clear").addEventListener("click", () => {
  if (!confirm("Clear all choices on this page?")) return;
  names = {};
  for (const radio of radios) radio.checked = false;
  say("", false);
  remember();
  show();
});

function save() {
  const left = missing();
  for (const cluster of left) byId("cluster-" + cluster).classList.add("forgotten");
  if (left.length) {
    say(`Not saved: no name yet for cluster ${left.join(", ")}. Choose mixed where none fits.`, false);
    document.querySelector(`#cluster-${left[0]} input`).focus();
    return;
  }
  const rows = [...Array(data.clusters).keys()].map(
    (c) => `${c},${names[c]},${data.digest},${opened.has(String(c)) ? "opened" : ""}\n`
  );
  const file = new Blob(["cluster,emotion,clustering,suggestion\n", ...rows], { type: "text/csv" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = byId("file").textContent;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say(`Saved as ${link.download}. Move it to ${byId("path").textContent}, in the folder that holds results/`, true);
}

for (const button of document.querySelectorAll(".save")) button.addEventListener("click", save);

const x = new Uint16Array(bytes(data.x));
const y = new Uint16Array(bytes(data.y));
const where = new Uint16Array(bytes(data.where));

function draw() {
  const style = getComputedStyle(document.documentElement);
  const [dim, bright] = [style.getPropertyValue("--dot"), style.getPropertyValue("--accent")];
  const size = Math.max(3, Math.min(9, 300 / Math.sqrt(x.length)));
  for (const canvas of document.querySelectorAll("canvas")) {
    const context = canvas.getContext("2d");
    const cluster = Number(canvas.dataset.cluster);
    const side = canvas.width - 2 * size - 16;
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const own of [false, true]) {
      context.fillStyle = own ? bright : dim;
      for (let i = 0; i < x.length; i++) {
        if ((where[i] === cluster) === own) {
          context.fillRect(8 + (x[i] / 65535) * side, 8 + (y[i] / 65535) * side, size, size);
        }
      }
    }
  }
}

recall();
show();
draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
