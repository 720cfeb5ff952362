/* Finished evaluation runs: a table, then one run with its bars and what it got wrong. */
import { call, headers, make, save } from "/studio/api.js";

const when = (seconds) => new Date(1000 * seconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const interval = (one) => `${(100 * one.ci95[0]).toFixed(1)} to ${(100 * one.ci95[1]).toFixed(1)}`;
const path = (name) => `/v1/evals/${encodeURIComponent(name)}`;
const NS = "http://www.w3.org/2000/svg";

const shape = (tag, attributes) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

/* A share from 0 to 100 %, its 95 % interval as a line over its end. */
const bar = (one, name) => {
  const svg = shape("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "bar95", role: "img",
    "aria-label": `${name}: ${percent(one.accuracy)}, 95 % interval ${interval(one)}` });
  const [low, high] = one.ci95.map((edge) => 100 * edge);
  svg.append(shape("rect", { class: "ground", width: 100, height: 10 }), shape("rect", { class: "share", width: 100 * one.accuracy, height: 10 }),
    shape("rect", { class: "over", x: low, width: Math.max(high - low, 0.5), y: 4, height: 2 }));
  return svg;
};

/* A page that a run left behind: opened beside, or saved where a key is needed to fetch it. */
const page = (address, text, name, trouble) => make("a", { href: address, target: "_blank", rel: "noopener", onclick: async (event) => {
  if (!Object.keys(headers()).length) return;
  event.preventDefault();
  const link = event.currentTarget;
  try { save(await call(address), name); } catch (error) { link.after(" ", trouble(error, "span")); }
} }, text);

const row = (one) => make("tr", { "data-name": one.name },
  make("th", { scope: "row" }, make("a", { href: `#evals/${encodeURIComponent(one.name)}` }, one.name)),
  make("td", { "data-title": "Benchmark" }, one.benchmark), make("td", { "data-title": "Model" }, one.model, ["none", one.model].includes(one.control) ? null : make("span", { class: "pill" }, one.control)),
  make("td", { "data-title": "Accuracy", class: "figure" }, make("b", {}, percent(one.accuracy)), ` ${interval(one)}`, bar(one, one.name)),
  make("td", { "data-title": "Questions" }, String(one.n)), make("td", { "data-title": "Finished" }, when(one.finished)));

const group = (title, shares) => {
  const rows = Object.entries(shares);
  if (!rows.length) return null;
  return make("section", { class: "card" }, make("h2", {}, title), make("table", { class: "bars shares" }, make("tbody", {},
    ...rows.map(([name, one]) => make("tr", {}, make("th", { scope: "row" }, name.replaceAll("_", " ")), make("td", { class: "wide" }, bar(one, name)),
      make("td", {}, make("b", {}, percent(one.accuracy))), make("td", { class: "small" }, `${interval(one)}, n ${one.n}`))))));
};

const used = (ops) => {
  const rows = Object.entries(ops);
  if (!rows.length) return null;
  return make("section", { class: "card" }, make("h2", {}, "By operation"), make("table", { class: "bars" },
    make("thead", {}, make("tr", {}, ...["", "calls", "worked", "of questions"].map((name) => make("th", {}, name)))),
    make("tbody", {}, ...rows.map(([name, one]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, String(one.calls)), make("td", {}, percent(one.success)), make("td", {}, percent(one.questions)))))));
};

const failure = (run, one, trouble) => {
  const sure = typeof one.confidence === "number" ? make("span", {}, `sure ${Math.round(100 * one.confidence)} %`) : null;
  const link = one.trace ? page(`${path(run)}/trace?question=${encodeURIComponent(one.id)}&seed=${one.seed}`, "the whole trace", `pixelis-${one.id}.html`, trouble) : null;
  return make("article", { class: "card failure", "data-id": one.id }, make("h2", {}, one.question),
    make("dl", {}, make("dt", {}, "right is"), make("dd", {}, one.gold.join(" / ")), make("dt", {}, "it said"), make("dd", { class: "wrong" }, one.answer || `no answer (${one.ended})`)),
    make("p", { class: "tags" }, make("span", { class: "pill" }, one.family.replaceAll("_", " ")), sure, make("span", {}, one.id)), link);
};

const figures = (run) => {
  const told = [["answers", run.n], ["control", run.control], ["score", run.score], ["operations a question", run.ops_per_question],
    ["of them worked", typeof run.op_success === "number" ? percent(run.op_success) : null], ["seconds a question", run.seconds_per_question], ["tokens a question", run.tokens_per_question], ["calibration error", run.ece]];
  const text = (value) => (typeof value === "number" && !Number.isInteger(value) ? value.toPrecision(3) : String(value));
  return make("dl", { class: "figures" }, ...told.filter(([, value]) => value !== null && value !== undefined)
    .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, text(value))]));
};

const detail = async (root, name, sheet, trouble) => {
  const back = make("p", {}, make("a", { href: "#evals" }, "All runs"));
  let run;
  try { run = await call(path(name)); } catch (error) { sheet(root, name, "", trouble(error), back); return; }
  const list = make("div", { class: "cards", id: "failures" });
  const count = make("p", { class: "small", id: "failed" });
  const show = (found) => {
    const more = found.failed > found.failures.length ? `, the ${found.failures.length} it was surest of` : "";
    const lost = found.unreadable ? ` ${found.unreadable} results cannot be read and are left out.` : "";
    count.textContent = `${found.failed} not answered right${more}.${lost}`;
    list.replaceChildren(...found.failures.map((one) => failure(name, one, trouble)));
  };
  const choice = make("select", { id: "family", onchange: async () => {
    const only = choice.value ? `?family=${encodeURIComponent(choice.value)}` : "";
    try { show(await call(path(name) + only)); } catch (error) { list.replaceChildren(trouble(error)); }
  } }, make("option", { value: "" }, "all families"), ...Object.keys(run.by_family).map((each) => make("option", { value: each }, each.replaceAll("_", " "))));
  const report = run.report ? page(`${path(name)}/report`, "The report, with pictures", `pixelis-${name}.html`, trouble) : null;
  const links = make("p", { class: "row" }, make("a", { href: "#evals" }, "All runs"), report);
  const frozen = run.exam ? `the frozen exam ${run.exam}` : run.frozen ? "frozen questions" : "questions that are not frozen";
  show(run);
  sheet(root, `${run.benchmark || "Run"}: ${run.model}`, `${percent(run.accuracy)} right (95 % interval ${interval(run)}), ${frozen}, ${when(run.finished)}.`,
    links, make("div", { class: "total" }, bar(run, "all")), figures(run), ...run.notes.map((note) => make("p", { class: "problem" }, note)),
    make("div", { class: "cards wide" }, ...[group("By family", run.by_family), group("By difficulty", run.by_difficulty), group("By domain", run.by_domain), used(run.by_op)].filter(Boolean)),
    run.command ? make("p", { class: "small" }, "Made by ", make("code", {}, run.command)) : "",
    make("h1", {}, "What went wrong"), make("p", { class: "row" }, count, make("span", { class: "grow" }), make("label", { class: "pick" }, "Show ", choice)), list);
};

export const evals = async (root, name, sheet, trouble) => {
  if (name) { await detail(root, name, sheet, trouble); return; }
  const table = make("div", { id: "runs" });
  sheet(root, "Evals", "Finished evaluation runs, the newest first. The line across a bar is the 95 % interval.", table);
  try {
    const found = await call("/v1/evals");
    const head = make("thead", {}, make("tr", {}, ...["Run", "Benchmark", "Model", "Accuracy", "Questions", "Finished"].map((title) => make("th", { scope: "col" }, title))));
    table.replaceChildren(found.data.length ? make("table", { class: "runs" }, head, make("tbody", {}, ...found.data.map(row)))
      : make("p", { class: "small" }, "No finished run yet. One comes from ", make("code", {}, "pixelis eval worlds --limit 50 --out runs/first"), "."));
    if (found.unreadable.length) table.append(make("p", { class: "problem" }, `Their figures cannot be read: ${found.unreadable.join(", ")}`));
  } catch (error) { table.replaceChildren(trouble(error)); }
};
