"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const marks = all(".mark"), stages = all(".stage"), steps = all(".step[data-marks]"), parts = all(".part");
  const told = byId("told"), slider = byId("frame"), zoomButton = byId("zoom");
  let chosen = null;   // the step or answer part whose pixels are shown; null shows everything
  let zoomed = false;
  const marksOf = (element) => (element.dataset.marks || "").split(" ").filter(Boolean);
  const stageOf = (mark) => mark.closest(".stage");
  const current = () => stages.find((stage) => !stage.hidden);

  /* Small pictures are enlarged to the column, large ones shrunk to the window. */
  stages.forEach((stage) => {
    const ratio = Number(stage.dataset.width) / Number(stage.dataset.height);
    stage.querySelector(".film").style.width = `min(100%, calc(max(320px, 100vh - 150px) * ${ratio}))`;
    stage.querySelector(".film img").style.width = "100%";
    stage.querySelector(".film img").style.maxHeight = "none";
  });

  const turnTo = (stage) => {
    stages.forEach((each) => { each.hidden = each !== stage; });
    if (slider) slider.value = String(stages.indexOf(stage));
  };

  /* Lights up the marks of an element (a step, a part of the answer), or everything for null. */
  const light = (element) => {
    const ids = new Set(element ? marksOf(element) : []);
    const lit = marks.filter((mark) => ids.has(mark.id));
    if (lit.length && !lit.some((mark) => stageOf(mark) === current())) turnTo(stageOf(lit[0]));
    document.body.classList.toggle("chosen", ids.size > 0);
    marks.forEach((mark) => mark.classList.toggle("on", ids.has(mark.id)));
    const here = lit.filter((mark) => stageOf(mark) === current());
    const shaded = outermost(here);
    all(".shade").forEach((shade) => shade.classList.toggle("on", shade.dataset.for === shaded));
    told.textContent = here.slice(0, 3).map((mark) => mark.querySelector("title").textContent).join("\n");
    frameOn(zoomed ? lit : []);
  };

  /* The one mark that holds all others: what is outside it is darkened. */
  const outermost = (lit) => {
    const area = (mark) => { const box = mark.getBBox(); return box.width * box.height; };
    const boxes = lit.filter((mark) => !mark.classList.contains("path"));
    const largest = boxes.reduce((best, mark) => (!best || area(mark) > area(best) ? mark : best), null);
    if (!largest) return "";
    const outer = largest.getBBox(), slack = 2;
    const holds = boxes.every((mark) => {
      const box = mark.getBBox();
      return box.x >= outer.x - slack && box.y >= outer.y - slack &&
        box.x + box.width <= outer.x + outer.width + slack && box.y + box.height <= outer.y + outer.height + slack;
    });
    return holds ? largest.id : "";
  };

  /* Moves and enlarges the picture so that the marks fill it; an empty list shows all of it. */
  const frameOn = (lit) => {
    stages.forEach((stage) => {
      const here = lit.filter((mark) => stageOf(mark) === stage).map((mark) => mark.getBBox());
      const width = Number(stage.dataset.width), height = Number(stage.dataset.height);
      let transform = "none", scale = 1;
      if (here.length && !stage.hidden) {
        const x1 = Math.min(...here.map((b) => b.x)), y1 = Math.min(...here.map((b) => b.y));
        const x2 = Math.max(...here.map((b) => b.x + b.width)), y2 = Math.max(...here.map((b) => b.y + b.height));
        scale = Math.max(1, Math.min(12, 0.8 * Math.min(width / (x2 - x1 || 1), height / (y2 - y1 || 1))));
        const shift = (low, high, side) => Math.max(Math.min(side / 2 - scale * (low + high) / 2, 0), side - scale * side);
        transform = `translate(${100 * shift(x1, x2, width) / width}%, ${100 * shift(y1, y2, height) / height}%) scale(${scale})`;
      }
      stage.querySelectorAll(".film img, .film svg").forEach((layer) => { layer.style.transform = transform; });
      stage.style.setProperty("--zoom", String(scale));
    });
  };

  const choose = (element) => {
    chosen = element;
    steps.forEach((step) => step.setAttribute("aria-current", String(step === element)));
    parts.forEach((part) => part.setAttribute("aria-pressed", String(part === element)));
    light(element);
  };

  const walk = (by) => {
    const at = steps.indexOf(chosen);
    const next = at < 0 ? (by > 0 ? 0 : steps.length - 1) : Math.min(Math.max(at + by, 0), steps.length - 1);
    if (!steps[next]) return;
    choose(steps[next]);
    steps[next].focus({ preventScroll: true });
    steps[next].scrollIntoView({ block: "nearest" });
  };

  const setZoom = (on) => {
    zoomed = on;
    zoomButton.setAttribute("aria-pressed", String(on));
    light(chosen);
  };

  [...steps, ...parts].forEach((element) => {
    element.addEventListener("click", () => choose(chosen === element && parts.includes(element) ? null : element));
    element.addEventListener("mouseenter", () => { if (!chosen) light(element); });
    element.addEventListener("mouseleave", () => { if (!chosen) light(null); });
  });
  marks.forEach((mark) => mark.addEventListener("click", () => {
    const step = byId("step-" + mark.dataset.step);
    choose(step);
    step.scrollIntoView({ block: "nearest" });
  }));
  byId("all").addEventListener("click", () => choose(null));
  zoomButton.addEventListener("click", () => setZoom(!zoomed));
  if (slider) slider.addEventListener("input", () => { turnTo(stages[Number(slider.value)]); light(chosen); });

  const keys = {
    ArrowDown: () => walk(1), ArrowRight: () => walk(1), j: () => walk(1),
    ArrowUp: () => walk(-1), ArrowLeft: () => walk(-1), k: () => walk(-1),
    Home: () => { choose(null); walk(1); }, End: () => { choose(null); walk(-1); },
    Escape: () => choose(null), a: () => choose(null), z: () => setZoom(!zoomed),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === slider) return;
    if (event.key === "Enter" && event.target.matches(".step")) { choose(event.target); return; }
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
