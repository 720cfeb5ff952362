/* The pages beside Ask: what is remembered, and what waits for a person's word; the rest has files. */
import { call, headers, make } from "/studio/api.js";
import { evals } from "/studio/evals.js";
import { learning } from "/studio/learning.js";

const when = (seconds) => new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const percent = (share) => `${Math.round(100 * share)} %`;
const BAD = ["rejected", "quarantined"];
const pill = (status) => make("span", { class: `pill${BAD.includes(status) ? " bad" : ""}` }, status);

/* Pictures need the key, so they are fetched and not linked. */
const picture = (id) => {
  const image = make("img", { alt: "", loading: "lazy" });
  fetch(`/v1/memory/${id}/picture`, { headers: headers() }).then(async (reply) => {
    if (!reply.ok || !reply.headers.get("content-type").startsWith("image/")) { image.remove(); return; }
    image.src = URL.createObjectURL(await reply.blob());
    image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  });
  return image;
};

/* The answer; a corrected one struck out, beside what is right. */
const answer = (one) => one.correction && one.correction !== one.answer
  ? make("p", { class: "big" }, make("s", {}, one.answer), " ", one.correction) : make("p", { class: "big" }, one.answer);

const tags = (one) => make("p", { class: "tags" }, pill(one.status),
  typeof one.confidence === "number" ? make("span", {}, `sure ${percent(one.confidence)}`) : null,
  typeof one.likeness === "number" ? make("span", {}, `like it ${percent(one.likeness)}`) : null,
  make("span", {}, when(one.born)), one.user ? make("span", {}, one.user) : null);

const sheet = (root, title, about, ...rest) => {
  root.className = "page sheet";
  root.replaceChildren(make("h1", {}, title), make("p", {}, about), ...rest);
};

const trouble = (error, tag = "p") => make(tag, { class: "problem", role: "alert" }, error.message);

const memory = async (root) => {
  const list = make("div", { class: "cards", id: "memories" });
  const box = make("input", { type: "search", placeholder: "Find questions like…", "aria-label": "Search", id: "search" });
  const form = make("form", { class: "search" }, box, make("button", { class: "go" }, "Find"));
  const fill = async (path) => {
    try {
      const found = (await call(path)).data;
      list.replaceChildren(...found.map((one) => card(one)));
      if (!found.length) list.replaceChildren(make("p", { class: "small" }, "Nothing is kept yet. Say that an answer is right, or correct one."));
    } catch (error) { list.replaceChildren(trouble(error)); }
  };
  const card = (one) => {
    const root_ = make("article", { class: "card", "data-id": one.id },
      one.media ? picture(one.id) : null, make("h2", {}, one.question), answer(one), tags(one));
    const sure = make("button", { type: "button", onclick: async () => {
      if (sure.textContent === "Erase") { sure.textContent = "Erase for good?"; sure.className = "go"; return; }
      try {
        const done = await call(`/v1/memory/${one.id}`, { method: "DELETE" });
        const versions = done.versions.length ? ` Adapter versions that learned from it: ${done.versions.join(", ")}.` : "";
        root_.replaceChildren(make("p", { class: "small" }, `Erased.${versions}`));
      } catch (error) { root_.append(trouble(error)); }
    } }, "Erase");
    const near = make("button", { type: "button", onclick: async () => {
      try {
        const whole = await call(`/v1/memory/${one.id}`);
        list.replaceChildren(card(one), ...whole.near.map((other) => card(other)));
        if (!whole.near.length) list.append(make("p", { class: "small" }, "Nothing else is like it."));
      } catch (error) { root_.append(trouble(error)); }
    } }, "What is like it");
    root_.append(make("p", { class: "row" }, near, sure));
    return root_;
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); fill(`/v1/memory?limit=60&text=${encodeURIComponent(box.value)}`); });
  sheet(root, "Memory", "What is remembered, the newest first. Erasing removes it from the database, the pictures and the index.", form, list);
  await fill("/v1/memory?limit=60");
};

const review = async (root) => {
  const list = make("div", { class: "cards", id: "reviews" });
  sheet(root, "Review", "Answers that wait for a person's word. What you decide is written to the audit log.", list);
  const empty = () => { if (!list.children.length) list.append(make("p", { class: "small" }, "Nothing waits.")); };
  const card = (each) => {
    const one = each.experience;
    const right = make("input", { type: "text", placeholder: "the right answer", "aria-label": "Right answer", maxlength: "2000" });
    const root_ = make("article", { class: "card", "data-number": each.number }, one.media ? picture(one.id) : null,
      make("h2", {}, one.question), make("p", { class: "big" }, one.answer), tags(one), make("p", { class: "small" }, each.reason));
    const say = (verdict, name) => make("button", { type: "button", "data-verdict": verdict, onclick: async () => {
      try {
        const correction = verdict === "correct" ? right.value : "";
        await call(`/v1/reviews/${each.number}`, { method: "POST", body: { verdict, correction } });
        root_.remove();
        empty();
        list.querySelector(".card input")?.focus();
      } catch (error) { root_.append(trouble(error)); }
    } }, name);
    root_.append(make("p", { class: "row search" }, right), make("p", { class: "row" }, say("approve", "It is right"), say("correct", "Correct it"), say("reject", "It is wrong")));
    return root_;
  };
  try {
    list.replaceChildren(...(await call("/v1/reviews?limit=60")).data.map(card));
    empty();
  } catch (error) { list.replaceChildren(trouble(error)); }
};

const SHEETS = { memory, review, learning: (root) => learning(root, sheet, trouble), evals: (root, inner) => evals(root, inner, sheet, trouble) };
export const open = (name, root, inner) => SHEETS[name]?.(root, inner);

