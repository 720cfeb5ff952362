/* One model's way to its answer: the stage, the steps as they come, the answer, what to do with it. */
import { Trouble, call, make, save, stream } from "/studio/api.js";
import { Stage } from "/studio/stage.js";

const ENDINGS = {
  answered: "It answered.", steps: "It used up its steps.", calls: "It used up its calls.",
  images: "It used up its images.", tokens: "It used up its tokens.", time: "It ran out of time.",
  loop: "It repeated the same call.", empty: "It wrote nothing that could be used.",
};
const percent = (share) => `${Math.round(100 * share)} %`;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Lane {
  constructor(template, options) {
    this.root = template.content.firstElementChild.cloneNode(true);
    this.options = options;
    this.stage = new Stage(this.root, (number) => this.choose(this.cards[number - 1]));
    this.list = this.root.querySelector(".steps");
    this.answer = this.root.querySelector(".answer");
    this.facts = this.root.querySelector(".facts");
    this.acts = this.root.querySelector(".acts");
    this.form = this.root.querySelector(".correct");
    this.said = this.root.querySelector(".said");
    this.eyebrow = this.root.querySelector(".eyebrow");
    this.root.addEventListener("click", (event) => this.#press(event));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#correct(); });
    this.reset();
  }

  reset() {
    this.leaving?.abort();
    this.steps = [];
    this.cards = [];
    this.chosen = null;
    this.told = null;
    this.list.replaceChildren();
    for (const part of [this.answer, this.facts, this.acts, this.form]) part.hidden = true;
    this.#say("");
    this.eyebrow.textContent = "";
  }

  /* Leaves the answer; the server ends it then. */
  stop() { this.stopped = true; this.leaving?.abort(); }

  show(media) { this.reset(); this.media = media; this.stage.show(media); }

  async ask(model, question) {
    this.reset();
    this.stage.clear();
    this.question = question;
    this.model = model;
    this.leaving = new AbortController();
    this.stopped = false;
    this.root.classList.add("busy");
    this.#title(question, model);
    const waiting = make("li", { class: "waiting" }, "It looks…");
    this.list.append(waiting);
    const started = performance.now();
    const clock = setInterval(() => { waiting.textContent = `It looks… ${((performance.now() - started) / 1000).toFixed(0)} s`; }, 1000);
    const part = this.media.kind === "picture" ? "image_url" : "video_url";
    const body = {
      model, stream: true, pixelis: { pictures: true },
      messages: [{ role: "user", content: [{ type: part, [part]: { url: this.media.data } }, { type: "text", text: question }] }],
    };
    let text = "";
    try {
      await stream("/v1/chat/completions", body, (chunk) => {
        const delta = chunk.choices[0]?.delta || {};
        if (delta.content) text += delta.content;
        if (delta.pixelis?.step) this.#step(delta.pixelis.step);
        else if (delta.pixelis) this.told = delta.pixelis;
      }, this.leaving.signal);
      this.#finish(text);
    } catch (error) {
      if (this.stopped) this.#failed(new Trouble(0, "Stopped."));
      else if (error.name !== "AbortError") this.#failed(error);
      throw error;
    } finally {
      clearInterval(clock);
      waiting.remove();
      this.root.classList.remove("busy");
    }
  }

  #title(question, model) {
    this.eyebrow.replaceChildren(make("b", {}, model), ` · ${question}`);
  }

  #step(step) {
    this.steps.push(step);
    this.#card(step);
  }

  #card(step) {
    const seen = step.observation;
    const turn = make("div", { class: "turn" });
    if (step.thought) turn.append(make("p", { class: "thought" }, step.thought));
    if (step.call_text) turn.append(make("p", { class: "call" }, make("code", {}, step.call_text)));
    if (seen?.error) turn.append(make("p", { class: "seen error" }, make("b", {}, "Could not: "), seen.error));
    else if (seen) turn.append(make("p", { class: "seen" }, seen.text));
    if (step.crops?.length) {
      turn.append(make("div", { class: "crops" }, ...step.crops.map((crop) => make("img", { src: crop.url, alt: `Image ${crop.image}`, width: crop.width, height: crop.height }))));
    }
    if (seen?.handle) {
      const sure = typeof seen.confidence === "number" ? make("span", {}, `confidence ${percent(seen.confidence)}`) : null;
      turn.append(make("p", { class: "tags" }, make("b", {}, seen.handle), sure));
    }
    if (step.notice) turn.append(make("p", { class: "notice" }, step.notice));
    if (step.answer) turn.append(make("p", { class: "final" }, step.answer.text));
    const hue = (step.number - 1) % 6;
    const card = make("li", { class: `step fresh hue${hue}`, tabindex: "0", "aria-current": "false" }, make("span", { class: "number" }, String(step.number)), turn);
    card.marks = (step.marks || []).map((mark) => mark.id);
    this.#hover(card);
    card.addEventListener("click", () => this.choose(card));
    card.addEventListener("keydown", (event) => { if (event.key === "Enter") this.choose(card); });
    this.cards.push(card);
    const waiting = this.list.querySelector(".waiting");
    if (waiting) waiting.before(card); else this.list.append(card);
    this.stage.add(step);
  }

  #hover(element) {
    element.addEventListener("mouseenter", () => { if (!this.chosen) this.stage.light(element.marks); });
    element.addEventListener("mouseleave", () => { if (!this.chosen) this.stage.light([]); });
  }

  #finish(text) {
    const told = this.told || {};
    this.answer.hidden = this.facts.hidden = this.acts.hidden = false;
    this.answer.className = `answer${text ? "" : " none"}${told.known === false ? " unknown" : ""}${text.length > 120 ? " long" : ""}`;
    const parts = text && told.parts?.length ? told.parts : [{ text: text || "No answer.", marks: [] }];
    this.answer.replaceChildren(...parts.map((part) => this.#part(part.text, part.marks, "part", part.source)));
    const facts = [];
    if (typeof told.confidence === "number") {
      facts.push(make("li", {}, make("span", {}, "Confidence"), make("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 1, value: told.confidence }), make("b", {}, percent(told.confidence))));
    }
    const behind = Object.entries(told.behind || {}).map(([name, ids]) => this.#part(name, ids, "part chip"));
    const none = make("b", { class: "warn" }, "nothing it looked at");
    if (text) facts.push(make("li", {}, make("span", {}, told.known === false ? "Looked at" : "Rests on"), ...(behind.length ? behind : [none])));
    if (told.ended !== "answered") facts.push(make("li", {}, make("b", { class: "warn" }, ENDINGS[told.ended] || told.ended)));
    facts.push(make("li", {}, make("span", {}, "Time"), make("b", {}, `${(told.seconds ?? 0).toFixed(1)} s`)));
    this.facts.replaceChildren(...facts);
    for (const button of this.acts.querySelectorAll(".judge")) button.hidden = !this.options.feedback || !text;
  }

  #part(text, marks, kind, source) {
    if (!marks?.length) return make("span", {}, text);
    const button = make("button", { type: "button", class: kind, "aria-pressed": "false", title: source }, text);
    button.marks = marks;
    this.#hover(button);
    button.addEventListener("click", () => this.choose(this.chosen === button ? null : button));
    return button;
  }

  #failed(error) {
    this.answer.hidden = false;
    this.answer.className = "answer none long";
    this.answer.textContent = error.message;
  }

  choose(element) {
    this.chosen = element || null;
    for (const each of this.cards) each.setAttribute("aria-current", String(each === element));
    for (const each of this.root.querySelectorAll(".part")) each.setAttribute("aria-pressed", String(each === element));
    this.stage.light(element ? element.marks : []);
  }

  walk(by) {
    if (!this.cards.length) return;
    const at = this.cards.indexOf(this.chosen);
    const next = at < 0 ? (by > 0 ? 0 : this.cards.length - 1) : Math.min(Math.max(at + by, 0), this.cards.length - 1);
    this.choose(this.cards[next]);
    this.cards[next].focus({ preventScroll: true });
    this.cards[next].scrollIntoView({ block: "nearest" });
  }

  zoom() {
    this.stage.zoom(!this.stage.zoomed);
    this.root.querySelector("[data-do=zoom]").setAttribute("aria-pressed", String(this.stage.zoomed));
  }

  /* Shows the steps again, one after the other. */
  async replay() {
    if (!this.told || this.replaying) return;
    this.replaying = true;
    const steps = this.steps;
    this.choose(null);
    this.stage.clear();
    this.list.replaceChildren();
    this.cards = [];
    for (const step of steps) {
      this.#card(step);
      this.stage.light((step.marks || []).map((mark) => mark.id));
      await pause(900);
    }
    this.choose(null);
    this.replaying = false;
  }

  #say(text, bad = false) {
    this.said.textContent = text;
    this.said.classList.toggle("bad", bad);
  }

  async #press(event) {
    const what = event.target.closest("[data-do]")?.dataset.do;
    if (!what) return;
    try {
      if (what === "all") this.choose(null);
      if (what === "zoom") this.zoom();
      if (what === "replay") await this.replay();
      if (what === "page") save(await call(`/v1/episodes/${this.told.episode}/trace`), `pixelis-${this.told.episode}.html`);
      if (what === "json") save(new Blob([JSON.stringify(await call(`/v1/episodes/${this.told.episode}`), null, 2)]), `pixelis-${this.told.episode}.json`);
      if (what === "right") await this.#feedback({ right: true }, "Kept as a right answer.");
      if (what === "wrong") await this.#feedback({ right: false }, "Kept as a wrong answer.");
      if (what === "correct") this.#open(true);
      if (what === "leave") this.#open(false);
    } catch (error) { this.#say(error.message, true); }
  }

  #open(on) {
    this.form.hidden = !on;
    this.choose(null);
    const drawn = this.form.querySelector(".drawn");
    drawn.textContent = "no box yet";
    this.stage.draw(on ? (box) => { drawn.textContent = `x ${box[0]} to ${box[2]}, y ${box[1]} to ${box[3]} px`; } : null);
    if (on) { this.form.answer.value = ""; this.form.answer.focus(); }
  }

  async #correct() {
    const answer = this.form.answer.value.trim();
    const box = this.stage.box;
    if (!answer && !box) { this.#say("Draw a box or type an answer first.", true); return; }
    try {
      await this.#feedback({ right: false, ...(answer ? { answer } : {}), ...(box ? { box } : {}) }, "Saved. It is remembered as a confirmed experience.");
      this.#open(false);
    } catch (error) { this.#say(error.message, true); }
  }

  async #feedback(body, thanks) {
    const kept = await call("/v1/feedback", { method: "POST", body: { episode: this.told.episode, ...body } });
    const learned = kept.versions.length ? ` Learned before by version ${kept.versions.join(", ")}.` : "";
    this.#say(thanks + learned);
  }
}
