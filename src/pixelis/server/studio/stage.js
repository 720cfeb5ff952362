/* The picture, or the frames of a clip, with marks on it: lighting, zooming, drawing a box. */
const SVG = "http://www.w3.org/2000/svg";

const shape = (tag, attributes) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

export class Stage {
  constructor(root, onMark) {
    this.root = root;
    this.film = root.querySelector(".film");
    this.still = root.querySelector(".still");
    this.clip = root.querySelector(".clip");
    this.svg = root.querySelector("svg");
    this.told = root.querySelector(".told");
    this.frames = root.querySelector(".frames");
    this.slider = this.frames.querySelector("input");
    this.onMark = onMark;
    this.slider.addEventListener("input", () => this.turnTo(this.known[Number(this.slider.value)]));
    this.film.addEventListener("pointerdown", (event) => this.#press(event));
    this.film.addEventListener("keydown", (event) => this.#key(event));
  }

  show(media) {
    this.media = media;
    this.size = [media.width, media.height];
    this.svg.setAttribute("viewBox", `0 0 ${media.width} ${media.height}`);
    const ratio = media.width / media.height;
    this.film.style.width = `min(100%, calc(max(300px, 100vh - 300px) * ${ratio}))`;
    this.root.querySelector("figcaption").textContent = `${media.name}, ${media.width} × ${media.height} px`;
    const still = media.kind === "picture";
    this.still.hidden = !still;
    this.clip.hidden = still;
    (still ? this.still : this.clip).src = media.url;
    if (still) this.still.alt = media.name;
    this.clear();
  }

  clear() {
    this.svg.replaceChildren();
    this.marks = new Map();
    this.images = new Map();
    this.known = [];
    this.frame = null;
    this.frames.hidden = true;
    this.told.textContent = "";
    this.zoomed = false;
    this.box = null;
    this.#move([]);
  }

  /* Adds what one step found; `frames` are pictures of a clip by number. */
  add(step) {
    for (const [number, url] of Object.entries(step.frames || {})) this.images.set(Number(number), url);
    for (const mark of step.marks || []) {
      const group = shape("g", { class: `mark fresh ${mark.kind} hue${mark.hue}`, id: "" });
      const title = shape("title", {});
      title.textContent = mark.label;
      const [w, h] = this.size;
      const shade = mark.kind === "path" ? null
        : shape("path", { class: "shade", "fill-rule": "evenodd", d: `M0 0H${w}V${h}H0Z${mark.outline}` });
      group.append(title, shape("path", { class: "halo", d: mark.outline }),
        shape("path", { class: "stroke", "fill-rule": "evenodd", d: mark.outline }));
      group.addEventListener("click", () => this.onMark(step.number));
      if (shade) this.svg.prepend(shade);
      this.svg.append(group);
      this.marks.set(mark.id, { ...mark, group, shade, step: step.number });
    }
    if (this.images.size) {
      this.known = [...this.images.keys()].sort((a, b) => a - b);
      this.frames.hidden = this.known.length < 2;
      this.slider.max = String(this.known.length - 1);
      const first = (step.marks || []).find((mark) => mark.frame !== null);
      this.turnTo(first ? first.frame : Number(Object.keys(step.frames)[0] ?? this.known[0]));
    }
  }

  turnTo(frame) {
    if (this.media.kind === "picture" || !this.images.has(frame)) return;
    this.frame = frame;
    this.clip.hidden = true;
    this.clip.pause();
    this.still.hidden = false;
    this.still.src = this.images.get(frame);
    this.slider.value = String(this.known.indexOf(frame));
    for (const mark of this.marks.values()) mark.group.style.display = mark.frame === frame ? "" : "none";
  }

  /* Lights up some marks and tells what they are; an empty list shows everything. */
  light(ids) {
    const lit = ids.map((id) => this.marks.get(id)).filter(Boolean);
    if (lit.length && this.frame !== null && !lit.some((mark) => mark.frame === this.frame)) this.turnTo(lit[0].frame);
    const here = lit.filter((mark) => this.frame === null || mark.frame === this.frame);
    this.svg.classList.toggle("chosen", lit.length > 0);
    for (const mark of this.marks.values()) {
      mark.group.classList.toggle("on", lit.includes(mark));
      mark.shade?.classList.remove("on");
    }
    this.#outermost(here)?.shade?.classList.add("on");
    this.told.textContent = here.slice(0, 3).map((mark) => mark.label).join("\n");
    this.lit = here;
    this.#move(this.zoomed ? here : []);
  }

  zoom(on) { this.zoomed = on; this.#move(on ? this.lit || [] : []); }

  #outermost(lit) {
    const boxes = lit.filter((mark) => mark.kind !== "path").map((mark) => [mark, mark.group.getBBox()]);
    boxes.sort((a, b) => b[1].width * b[1].height - a[1].width * a[1].height);
    if (!boxes.length) return null;
    const [mark, outer] = boxes[0];
    const holds = boxes.every(([, box]) => box.x >= outer.x - 2 && box.y >= outer.y - 2 &&
      box.x + box.width <= outer.x + outer.width + 2 && box.y + box.height <= outer.y + outer.height + 2);
    return holds ? mark : null;
  }

  #move(lit) {
    let transform = "none", scale = 1;
    const boxes = lit.map((mark) => mark.group.getBBox());
    if (boxes.length) {
      const [width, height] = this.size;
      const x1 = Math.min(...boxes.map((b) => b.x)), y1 = Math.min(...boxes.map((b) => b.y));
      const x2 = Math.max(...boxes.map((b) => b.x + b.width)), y2 = Math.max(...boxes.map((b) => b.y + b.height));
      scale = Math.max(1, Math.min(12, 0.8 * Math.min(width / (x2 - x1 || 1), height / (y2 - y1 || 1))));
      const shift = (low, high, side) => Math.max(Math.min(side / 2 - scale * (low + high) / 2, 0), side - scale * side);
      transform = `translate(${100 * shift(x1, x2, width) / width}%, ${100 * shift(y1, y2, height) / height}%) scale(${scale})`;
    }
    for (const layer of [this.still, this.svg]) layer.style.transform = transform;
    this.root.style.setProperty("--zoom", String(scale));
  }

  /* Drawing: one box in source pixels, reported as it changes; null ends it. */
  draw(onBox) {
    this.onBox = onBox;
    this.zoom(false);
    this.film.classList.toggle("drawing", Boolean(onBox));
    for (const [name, value] of [["tabindex", "0"], ["role", "application"], ["aria-label", "Box around the right place"]]) {
      if (onBox) this.film.setAttribute(name, value); else this.film.removeAttribute(name);
    }
    this.svg.querySelector(".mine")?.remove();
    this.box = null;
  }

  /* Arrows move the box, with Shift they size it; the first one makes it. */
  #key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!this.onBox || !way || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [width, height] = this.size, by = Math.max(1, Math.round(Math.max(width, height) / 60));
    const [x1, y1, x2, y2] = this.box || [0.4 * width, 0.4 * height, 0.6 * width, 0.6 * height];
    const within = (value, low, high) => Math.min(Math.max(value, low), high);
    if (event.shiftKey) {
      this.#stretch([x1, y1], [within(x2 + by * way[0], x1 + 2, width), within(y2 + by * way[1], y1 + 2, height)]);
    } else {
      const x = within(x1 + by * way[0], 0, width - (x2 - x1)), y = within(y1 + by * way[1], 0, height - (y2 - y1));
      this.#stretch([x, y], [x + x2 - x1, y + y2 - y1]);
    }
  }

  #press(event) {
    if (!this.onBox || event.button !== 0) return;
    event.preventDefault();
    this.film.setPointerCapture(event.pointerId);
    const start = this.#spot(event);
    const drag = (move) => this.#stretch(start, this.#spot(move));
    const end = () => this.film.removeEventListener("pointermove", drag);
    this.film.addEventListener("pointermove", drag);
    this.film.addEventListener("pointerup", end, { once: true });
    this.film.addEventListener("pointercancel", end, { once: true });
  }

  #spot(event) {
    const place = this.film.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - place.x) / place.width) * this.size[0],
      within((event.clientY - place.y) / place.height) * this.size[1]];
  }

  #stretch([x1, y1], [x2, y2]) {
    const box = [Math.min(x1, x2), Math.min(y1, y2), Math.max(x1, x2), Math.max(y1, y2)].map(Math.round);
    if (box[2] - box[0] < 2 || box[3] - box[1] < 2) return;
    this.box = box;
    let rect = this.svg.querySelector(".mine");
    if (!rect) { rect = shape("rect", { class: "mine" }); this.svg.append(rect); }
    for (const [name, value] of Object.entries({ x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1] })) rect.setAttribute(name, value);
    this.onBox(box, this.frame);
  }
}
