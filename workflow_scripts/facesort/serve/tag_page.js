"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
// Photos that were answered: the file, the answer with what was corrected, its tags as they came.
const photos = [];
// How many photos are read at once, and those that wait.
const AT_ONCE = 3;
const waiting = [];
let busy = 0;
let done = 0;
let refused = 0;
let token = "";

function make(name, properties, ...inside) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...inside);
  return element;
}

function say(text, wrong) {
  byId("message").textContent = text;
  byId("message").classList.toggle("wrong", Boolean(wrong));
}

// The server's address holds it behind "#", which browsers send to nobody.
function readToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  token = sessionStorage.getItem("token") || "";
  if (data.token) byId("key").hidden = Boolean(token);
}

async function ask(path, fields) {
  const form = new FormData();
  for (const [name, ...value] of fields) form.append(name, ...value);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { method: "POST", body: form, headers });
  if (response.ok) return response;
  if (response.status === 401 && data.token) {
    sessionStorage.removeItem("token");
    token = "";
    byId("key").hidden = false;
    byId("token").focus();
  }
  const told = await response.json().catch(() => ({}));
  const error = new Error(told.error || `the server answered with status ${response.status}`);
  error.again = response.status === 503;
  throw error;
}

function add(files) {
  const chosen = [...files];
  if (!chosen.length) return;
  for (const file of chosen) {
    const card = make("section", { className: "card photo" });
    card.append(make("h2", { textContent: file.name, tabIndex: -1 }), make("p", { className: "quiet", textContent: "Waiting …" }));
    byId("photos").prepend(card);
    waiting.push({ file, card });
  }
  next();
}

function next() {
  while (busy < AT_ONCE && waiting.length) {
    busy++;
    read(waiting.shift()).finally(() => { busy--; done++; tell(); next(); });
  }
  tell();
}

function tell() {
  const left = busy + waiting.length;
  const not = refused ? `, ${refused} of them refused` : "";
  say(left ? `${done} of ${done + left} photos done …` : `${done} ${done === 1 ? "photo" : "photos"} done${not}`);
  byId("all").hidden = photos.length < 2;
}

async function read({ file, card }) {
  card.lastChild.textContent = "Being read …";
  try {
    if (file.size > data.bytes) throw new Error(`more than ${data.bytes.toLocaleString("en")} bytes`);
    const fields = [["photos", file, file.name], ["picture", "true"]];
    let response;
    for (let tries = 1; !response; tries++) {
      try {
        response = await ask("v1/tags", fields);
      } catch (error) {
        if (!error.again || tries === 5) throw error;
        await new Promise((resolve) => setTimeout(resolve, 2000 * tries));
      }
    }
    const answer = (await response.json()).photos[0];
    show({ file, card, answer });
  } catch (error) {
    refused++;
    const why = error instanceof TypeError ? "the server cannot be reached" : error.message;
    card.lastChild.replaceWith(make("p", { className: "refused", textContent: `Not read: ${why}` }));
  }
}

function show(photo) {
  const { card, answer } = photo;
  const { picture, ...told } = answer;
  photo.answer = told;
  // Forms carry %22 in the place of quotation marks.
  told.name = photo.file.name;
  photo.given = told.faces.map((face) => JSON.stringify([face.tags, face.look]));
  photos.push(photo);
  const image = make("img", { src: picture, alt: `${answer.name}, with a box around each face` });
  const frame = make("div", { className: "picture" }, image);
  const list = make("div", {});
  answer.faces.forEach((face, number) => {
    const unread = face.state !== "answered";
    const box = make("button", { type: "button", className: unread ? "box unread" : "box" }, make("span", { textContent: number + 1 }));
    box.setAttribute("aria-label", `Face ${number + 1}`);
    box.style.left = `${100 * face.box.left / answer.width}%`;
    box.style.top = `${100 * face.box.top / answer.height}%`;
    box.style.width = `${100 * face.box.width / answer.width}%`;
    box.style.height = `${100 * face.box.height / answer.height}%`;
    const about = unread ? aboutUnread(face, number) : editor(photo, face, number);
    const choose = (on) => () => [box, about].forEach((each) => each.classList.toggle("chosen", on));
    box.addEventListener("click", () => (about.querySelector("input") || about).focus());
    for (const each of [box, about]) {
      each.addEventListener("focusin", choose(true));
      each.addEventListener("focusout", choose(false));
      each.addEventListener("mouseenter", choose(true));
      each.addEventListener("mouseleave", choose(false));
    }
    frame.append(box);
    list.append(about);
  });
  const size = `${answer.width} × ${answer.height} pixels`;
  const count = answer.faces.length === 1 ? "one face" : `${answer.faces.length || "no"} faces`;
  const problem = answer.faces.length && answer.problem ? `; ${answer.problem}` : "";
  const saves = make("p", { className: "actions" });
  for (const kind of ["xmp", "json", "csv"]) {
    const button = make("button", { type: "button", className: "plain", textContent: `Save ${kind.toUpperCase()}` });
    button.addEventListener("click", () => save(kind, [photo]));
    saves.append(button);
  }
  card.lastChild.replaceWith(
    make("p", { className: "quiet", textContent: `${size}, ${count}${problem}` }),
    make("div", { className: "columns" }, frame, list),
    saves
  );
}

function aboutUnread(face, number) {
  return make("p", { className: "face quiet", tabIndex: -1, textContent: `Face ${number + 1}: ${data.states[face.state]}` });
}

function editor(photo, face, number) {
  const mark = make("span", { className: "corrected" });
  const set = make("fieldset", { className: "face" }, make("legend", {}, `Face ${number + 1} `, mark));
  const shares = Object.entries(face.probabilities);
  const changed = () => {
    const looks = select.value === data.unsure ? [] : [select.value];
    face.tags = [...boxes.filter((box) => box.checked).map((box) => box.value), ...looks];
    face.look = select.value;
    face.corrected = JSON.stringify([face.tags, face.look]) !== photo.given[number];
    mark.textContent = face.corrected ? "corrected" : "";
  };
  const boxes = data.apparent.map((tag, at) => {
    const box = make("input", { type: "checkbox", value: tag, checked: face.tags.includes(tag) });
    box.addEventListener("change", changed);
    const share = make("span", { className: "share", textContent: percent(shares[at][1]) });
    set.append(make("label", {}, box, tag, share));
    return box;
  });
  const select = make("select", {});
  data.looks.forEach((look, at) => {
    const share = shares[data.apparent.length + at];
    select.append(make("option", { value: look, textContent: share ? `${look} (${percent(share[1])})` : look }));
  });
  select.value = face.look || data.unsure;
  select.addEventListener("change", changed);
  set.append(make("label", {}, "Look ", select));
  return set;
}

function percent(share) {
  return `${Math.round(100 * share)}%`;
}

const COLUMNS = ["photo", "face", "left", "top", "width", "height", "state", "look", "tags", "corrected"];

function rows(chosen) {
  const found = [COLUMNS];
  for (const { answer } of chosen) {
    answer.faces.forEach((face, number) => {
      const box = ["left", "top", "width", "height"].map((edge) => Math.round(face.box[edge]));
      found.push([answer.name, number, ...box, face.state, face.look, face.tags.join(";"), face.corrected ? "yes" : "no"]);
    });
  }
  const cell = (value) => (/[",\r\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  return found.map((row) => row.map(cell).join(",") + "\n").join("");
}

async function save(kind, chosen) {
  const name = chosen.length === 1 ? chosen[0].answer.name : "photos";
  try {
    let file;
    if (kind === "xmp") {
      const { file: photo, answer } = chosen[0];
      file = await (await ask("v1/xmp", [["photos", photo, photo.name], ["answer", JSON.stringify(answer)]])).blob();
    } else if (kind === "json") {
      file = new Blob([JSON.stringify({ photos: chosen.map((photo) => photo.answer) }, null, 1)], { type: "application/json" });
    } else {
      file = new Blob(["\ufeff", rows(chosen)], { type: "text/csv" });
    }
    const link = make("a", { href: URL.createObjectURL(file), download: `${name}.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say(`Saved as ${name}.${kind}`);
  } catch (error) {
    say(`Not saved: ${error.message}`, true);
  }
}

async function openCamera() {
  // Browsers let no page see the camera that came over a network without TLS; phones then open
  // their own.
  if (!navigator.mediaDevices) {
    byId("capture").click();
    return;
  }
  try {
    byId("view").srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
    await byId("view").play();
    byId("camera").hidden = false;
    byId("shoot").focus();
  } catch (error) {
    say(`The camera cannot be used: ${error.message}`, true);
  }
}

function closeCamera() {
  for (const track of byId("view").srcObject?.getTracks() || []) track.stop();
  byId("view").srcObject = null;
  byId("camera").hidden = true;
  byId("take").focus();
}

function shoot() {
  const view = byId("view");
  const canvas = make("canvas", { width: view.videoWidth, height: view.videoHeight });
  canvas.getContext("2d").drawImage(view, 0, 0);
  const name = `photo ${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`;
  canvas.toBlob((blob) => add([new File([blob], name, { type: "image/jpeg" })]), "image/jpeg", 0.95);
}

for (const id of ["files", "capture"]) {
  byId(id).addEventListener("change", (event) => {
    add(event.target.files);
    event.target.value = "";
  });
}
byId("take").addEventListener("click", openCamera);
byId("shoot").addEventListener("click", shoot);
byId("stop").addEventListener("click", closeCamera);
for (const button of document.querySelectorAll("[data-save]")) {
  button.addEventListener("click", () => save(button.dataset.save, photos));
}
if (data.token) {
  byId("key").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("token", byId("token").value.trim());
    readToken();
    say("");
  });
}

let over = 0;
addEventListener("dragenter", (event) => { event.preventDefault(); over++; document.body.classList.add("over"); });
addEventListener("dragleave", () => { if (!--over) document.body.classList.remove("over"); });
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  over = 0;
  document.body.classList.remove("over");
  add(event.dataTransfer.files);
});
readToken();
