/* The Studio: pictures in, questions out, one lane for each model; other pages load when opened. */
import { Trouble, call, dataUrl, make, setKey } from "/studio/api.js";
import { Lane } from "/studio/lane.js";

const $ = (id) => document.getElementById(id);
const TRIES = ["How many things are on the black sign?", "What colour is the sign at the top?", "What shape is the yellow thing?"];
const state = { media: null, lanes: [], paths: [], models: [], busy: false };

const say = (text) => { $("state").textContent = text; };

/* The first contact: what there is to ask, and which pages the server has. */
const connect = async () => {
  try {
    const [models, api] = await Promise.all([call("/v1/models"), call("/openapi.json")]);
    state.models = models.data.map((model) => model.id);
    state.paths = Object.keys(api.paths);
    say("");
  } catch (error) {
    if (error instanceof Trouble && error.status === 401) { askForKey(); return; }
    say(`The server cannot be reached: ${error.message}`);
    return;
  }
  $("model").replaceChildren(...state.models.map((name) => make("option", {}, name)));
  $("beside").replaceChildren(make("option", { value: "" }, "no other"), ...state.models.map((name) => make("option", { value: name }, name)));
  $("beside-pick").hidden = state.models.length < 2;
  pages();
};

const askForKey = () => {
  $("key").hidden = false;
  $("key-text").value = "";
  $("ask-key").showModal();
};
$("key").addEventListener("click", askForKey);
$("ask-key").addEventListener("close", () => { if ($("key-text").value) { setKey($("key-text").value); state.connected = connect(); } });

/* Pages beside Ask, by the path that feeds them. */
const PAGES = { ask: ["Ask", "/v1/chat/completions"], memory: ["Memory", "/v1/memory"], learning: ["Learning", "/v1/versions"], review: ["Review", "/v1/reviews"], evals: ["Evals", "/v1/evals"] };
const pages = () => {
  const there = Object.entries(PAGES).filter(([, [, path]]) => state.paths.includes(path));
  $("nav").replaceChildren(...(there.length > 1 ? there.map(([name, [title]]) => make("a", { href: `#${name}` }, title)) : []));
  turn();
};
const decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
const turn = async () => {
  const [first, ...rest] = location.hash.slice(1).split("/");
  const name = first in PAGES ? first : "ask";
  for (const link of $("nav").children) link.toggleAttribute("aria-current", false);
  for (const link of $("nav").children) if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
  $("ask").hidden = name !== "ask";
  $("other").hidden = name === "ask";
  if (name === "ask" || !state.paths.length) return;
  const { open } = await import("/studio/sheets.js");
  // A page of its own each time: what still comes for the one before it is not shown.
  const page = make("div");
  $("other").replaceChildren(page);
  await open(name, page, decoded(rest.join("/")));
};
addEventListener("hashchange", turn);

const measure = (url, kind) => new Promise((done, failed) => {
  const element = document.createElement(kind === "picture" ? "img" : "video");
  const bad = () => failed(new Trouble(0, "this browser cannot show the file; try PNG, JPEG, WebP or MP4"));
  element.addEventListener("error", bad);
  element.addEventListener(kind === "picture" ? "load" : "loadedmetadata", () =>
    done(kind === "picture" ? [element.naturalWidth, element.naturalHeight] : [element.videoWidth, element.videoHeight]));
  element.src = url;
});

const take = async (file, tries = []) => {
  if (!file) return;
  const kind = file.type.startsWith("video/") ? "video" : "picture";
  const url = URL.createObjectURL(file);
  try {
    const [width, height] = await measure(url, kind);
    const before = state.media;
    state.media = { kind, url, width, height, name: file.name || "pasted", data: await dataUrl(file) };
    if (before) URL.revokeObjectURL(before.url);
  } catch (error) { URL.revokeObjectURL(url); say(error.message); return; }
  say("");
  document.body.classList.remove("empty");
  lanes();
  $("tries").hidden = !tries.length;
  $("tries").replaceChildren(...tries.map((text) => make("button", { type: "button", onclick: () => { $("question").value = text; grow(); submit(); } }, text)));
  $("question").focus();
};

/* One lane, or two when another model is chosen beside the first. */
const lanes = () => {
  const wanted = $("beside").value ? 2 : 1;
  const options = { get feedback() { return state.paths.includes("/v1/feedback"); } };
  for (const lane of state.lanes) lane.reset();
  state.lanes = Array.from({ length: wanted }, () => new Lane($("lane"), options));
  $("lanes").classList.toggle("two", wanted === 2);
  $("lanes").replaceChildren(...state.lanes.map((lane) => lane.root));
  if (state.media) for (const lane of state.lanes) lane.show(state.media);
};
$("beside").addEventListener("change", () => { if (state.media) lanes(); });

const submit = async () => {
  const question = $("question").value.trim();
  if (!state.media) { $("file").click(); return; }
  if (!question) { $("question").focus(); return; }
  $("go").disabled = true;
  await state.connected;  // who is quick asks before the models are known
  const names = [$("model").value, $("beside").value].slice(0, state.lanes.length);
  $("go").hidden = true;
  $("stop").hidden = false;
  document.title = `${question} · Pixelis Studio`;
  const ends = await Promise.allSettled(state.lanes.map((lane, index) => lane.ask(names[index], question)));
  $("go").disabled = $("go").hidden = false;
  $("stop").hidden = true;
  const failed = ends.find((end) => end.status === "rejected" && end.reason.status === 401);
  if (failed) askForKey();
};

const grow = () => { const box = $("question"); box.style.height = "auto"; box.style.height = `${box.scrollHeight}px`; };
$("question").addEventListener("input", grow);
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); if (!$("go").disabled) submit(); }
});
$("form").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
$("stop").addEventListener("click", () => { for (const lane of state.lanes) lane.stop(); $("question").focus(); });
for (const id of ["open", "choose"]) $(id).addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => { take($("file").files[0]); $("file").value = ""; });
$("sample").addEventListener("click", async () => {
  const blob = await (await fetch("/studio/sample.jpg")).blob();
  take(new File([blob], "sample.jpg", { type: "image/jpeg" }), TRIES);
});
addEventListener("paste", (event) => { const file = event.clipboardData?.files[0]; if (file) take(file); });
for (const kind of ["dragenter", "dragover"]) addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) addEventListener(kind, (event) => { event.preventDefault(); document.body.classList.remove("over"); });
addEventListener("drop", (event) => take(event.dataTransfer.files[0]));

const each = (what) => () => state.lanes.forEach(what);
const keys = {
  ArrowDown: each((lane) => lane.walk(1)), j: each((lane) => lane.walk(1)),
  ArrowUp: each((lane) => lane.walk(-1)), k: each((lane) => lane.walk(-1)),
  Escape: each((lane) => lane.choose(null)), a: each((lane) => lane.choose(null)),
  z: each((lane) => lane.zoom()), r: each((lane) => lane.replay()),
  o: () => $("file").click(), "/": () => $("question").focus(), "?": () => $("keys").showModal(),
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("ask").hidden) return;
  if (event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) {
    if (event.key === "Escape" && event.target.matches("textarea")) event.target.blur();
    return;
  }
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
state.connected = connect();
