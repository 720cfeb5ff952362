/* What was learned: versions with their curves and canary, the gate's decisions, promote, roll back. */
import { call, make } from "/studio/api.js";

const when = (seconds) => new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const NAMES = { kl: "KL to the promoted version, nats", entropy: "entropy, nats", change: "change of the adapters, norm" };

/* One line over the updates, with its first and last value. */
const curve = (updates, name) => {
  const values = updates.map((one) => one[name]).filter((value) => typeof value === "number");
  if (!values.length) return null;
  const low = Math.min(...values), high = Math.max(...values), NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg"), path = document.createElementNS(NS, "path");
  svg.setAttribute("viewBox", "0 0 100 40"); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("class", "curve");
  svg.setAttribute("role", "img"); svg.setAttribute("aria-label", `${NAMES[name]}: from ${values[0]} to ${values.at(-1)}`);
  const x = (index) => values.length === 1 ? 50 : 100 * index / (values.length - 1);
  const y = (value) => 36 - 32 * (high > low ? (value - low) / (high - low) : 0.5);
  const d = values.map((value, index) => `${index ? "L" : "M"}${x(index)} ${y(value)}`).join("");
  path.setAttribute("d", values.length === 1 ? `M0 ${y(values[0])}H100` : d);
  svg.append(path);
  const told = `${NAMES[name]}: ${values.length} updates, ${low.toPrecision(3)} to ${high.toPrecision(3)}`;
  return make("figure", {}, svg, make("figcaption", {}, told));
};

const canary = (told) => {
  if (!told) return null;
  const rows = Object.keys(told.after || {}).map((name) => make("tr", {}, make("th", {}, name),
    ...[told.before, told.after].map((side) => make("td", {}, typeof side?.[name] === "number" ? side[name].toPrecision(3) : String(side?.[name] ?? "–")))));
  const table = rows.length ? make("table", {}, make("thead", {}, make("tr", {}, make("th", {}, "canary"), make("th", {}, "before"), make("th", {}, "after"))), make("tbody", {}, ...rows)) : null;
  return make("div", {}, table, told.why ? make("p", { class: "small" }, told.why) : null);
};

const version = (one, list, change) => {
  const updates = one.figures.updates || [];
  const state = make("span", { class: `pill${one.state === "rolled-back" ? " bad" : ""}` }, one.state);
  const act = (verb, name) => {
    const button = make("button", { type: "button", onclick: () => {
      if (button.textContent === name) { button.textContent = `${name}: sure?`; button.className = "go"; return; }
      change(`/v1/versions/${one.number}/${verb}`, button);
    } }, name);
    return button;
  };
  return make("article", { class: "card", "data-number": one.number },
    make("h2", {}, `from version ${one.parent}, ${when(one.born)}`), make("p", { class: "big" }, `Version ${one.number} `, state),
    make("p", { class: "small" }, `${one.reason}; learned from ${one.experiences} experiences`),
    ...["kl", "entropy", "change"].map((name) => curve(updates, name)), canary(one.figures.canary),
    make("p", { class: "row" }, one.state === "promoted" ? null : act("promote", "Promote"), one.state === "rolled-back" ? null : act("rollback", "Roll back")));
};

export const learning = async (root, sheet, trouble) => {
  const top = make("p", { class: "small", id: "learner" }), cards = make("div", { class: "cards", id: "versions" });
  const table = make("div", { id: "decisions" });
  sheet(root, "Learning", "Adapter versions, the newest first, with what was measured; and what the gate decided about each answer.", top, cards, make("h1", {}, "Decisions"), table);
  const show = (found) => {
    const learner = found.learning ? (found.learner ? "the learner runs" : "the learner does not run") : "learning is off";
    const answering = found.answering === null ? "" : `; version ${found.answering} answers now`;
    top.textContent = `Version ${found.promoted} is promoted${answering}; ${learner}; ${Object.entries(found.queue).map(([name, count]) => `${count} ${name}`).join(", ")}.`;
    cards.replaceChildren(...found.data.toReversed().map((one) => version(one, found, change)));
    if (!found.data.length) cards.replaceChildren(make("p", { class: "small" }, "No version yet: the model answers without adapters."));
  };
  const change = async (path, button) => {
    try { show(await call(path, { method: "POST", body: { reason: "by hand, in the Studio" } })); }
    catch (error) { button.closest(".card").append(trouble(error)); }
  };
  try {
    show(await call("/v1/versions"));
    const told = await call("/v1/decisions?limit=50");
    const rows = told.data.map((one) => make("tr", {}, make("td", {}, make("span", { class: "pill" }, one.action)), make("td", {}, one.reason),
      make("td", {}, one.experience.question), make("td", {}, one.experience.answer), make("td", {}, when(one.born))));
    const head = make("thead", {}, make("tr", {}, ...["Decision", "Why", "Question", "Answer", "When"].map((name) => make("th", {}, name))));
    table.replaceChildren(rows.length ? make("table", {}, head, make("tbody", {}, ...rows)) : make("p", { class: "small" }, "No decision yet."));
  } catch (error) { cards.replaceChildren(trouble(error)); }
};
