"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const side = data.side, cells = side * side;
  const decode = (text) => Float32Array.from(atob(text), (c) => c.charCodeAt(0) / 127 - 1);
  const encode = (frame) => btoa(Array.from(frame, (v) => String.fromCharCode(Math.round((v + 1) * 127))).join(""));
  const memories = data.memories.map((m) => ({ ...m, frame: decode(m.frame) }));
  let chosen = memories[0], now = chosen.frame.slice(), timer = 0, asked = 0;

  const canvas = $("frame");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  const ends = [[33, 78, 130], [250, 249, 246], [150, 62, 20]];
  function paint() {
    const image = pen.createImageData(side, side);
    for (let k = 0; k < cells; k++) {
      const v = now[k], end = v < 0 ? ends[0] : ends[2], share = Math.abs(v);
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = ends[1][c] + (end[c] - ends[1][c]) * share;
      image.data[4 * k + 3] = 255;
    }
    pen.putImageData(image, 0, 0);
  }

  const norm = (x) => Math.hypot(...x) || 1;
  function pulls() {
    const length = norm(now);
    const scores = memories.map((m) => {
      let dot = 0;
      for (let k = 0; k < cells; k++) dot += m.frame[k] * now[k];
      return data.beta * dot / length / (m.norm ??= norm(m.frame));
    });
    const most = Math.max(...scores), raised = scores.map((s) => Math.exp(s - most));
    const sum = raised.reduce((a, b) => a + b, 0);
    return raised.map((r) => r / sum);
  }
  function tick() {
    const pull = pulls(), next = new Float32Array(cells);
    memories.forEach((m, n) => { if (pull[n] > 1e-9) for (let k = 0; k < cells; k++) next[k] += pull[n] * m.frame[k]; });
    let moved = 0;
    for (let k = 0; k < cells; k++) {
      const value = now[k] + data.eta * (next[k] - now[k]);
      moved = Math.max(moved, Math.abs(value - now[k]));
      now[k] = value;
    }
    return moved;
  }

  function bars(pull) {
    $("memories").querySelectorAll("i").forEach((bar, n) => { bar.style.scale = `${pull ? pull[n] : 0} 1`; });
  }
  function list() {
    const list = $("memories");
    list.replaceChildren(...memories.map((memory) => {
      const item = document.createElement("li"), button = document.createElement("button"), bar = document.createElement("i");
      button.textContent = memory.text;
      button.setAttribute("aria-pressed", memory === chosen);
      button.onclick = () => choose(memory);
      item.append(button, bar);
      return item;
    }));
  }
  function choose(memory) {
    stop();
    chosen = memory;
    now = memory.frame.slice();
    list(); paint(); say(""); read();
  }
  const say = (text) => { $("state").textContent = text; };
  const stop = () => { clearInterval(timer); timer = 0; };

  async function post(path, body) {
    const answer = await fetch(path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }
  async function read() {
    const mine = ++asked;
    const same = [chosen, ...memories].find((m) => m.frame.every((v, k) => Math.abs(v - now[k]) < 0.01));
    if (same) { $("reads").textContent = same.reads; return; }
    if (!data.live) { $("reads").textContent = "(a spoilt frame; settle it, or serve this page to read it as it is)"; return; }
    try {
      const told = await post("/read", { frame: encode(now) });
      if (mine === asked) $("reads").textContent = told.reads;
    } catch (error) { say(`cannot read: ${error.message}`); }
  }

  function settle() {
    stop();
    let count = 0;
    timer = setInterval(() => {
      const moved = tick(), pull = pulls();
      count++;
      paint(); bars(pull);
      const best = Math.max(...pull);
      say(`tick ${count}, largest move ${moved.toExponential(1)}, ${best >= 0.9 ? "SINGLE" : "MIXED"} (${best.toFixed(2)})`);
      if (moved < 5e-7 || count >= 400) { stop(); read(); }
    }, 90);
  }

  $("settle").onclick = settle;
  $("reset").onclick = () => choose(chosen);
  $("doflip").onclick = () => { stop(); const part = $("flip").value / 100; now = now.map((v) => (Math.random() < part ? -v : v)); paint(); bars(); read(); };
  $("dohide").onclick = () => { stop(); now.fill(0, 0, Math.round(side * $("hide").value / 100) * side); paint(); bars(); read(); };
  const show = () => { $("flipped").textContent = `${$("flip").value} %`; $("hidden").textContent = `${$("hide").value} %`; };
  $("flip").oninput = $("hide").oninput = show;

  function blot(event) {
    if (!event.buttons) return;
    stop();
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / box.width * side), y = Math.floor((event.clientY - box.top) / box.height * side);
    for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) {
      const cx = x + dx, cy = y + dy;
      if (cx >= 0 && cy >= 0 && cx < side && cy < side) now[cy * side + cx] = 0;
    }
    paint(); bars();
  }
  canvas.onpointerdown = canvas.onpointermove = blot;
  canvas.onpointerup = read;

  if (data.live) {
    $("type").hidden = false;
    const draw = async (keep) => {
      const text = $("text").value.trim();
      if (!text) return;
      try {
        const told = await post("/draw", { text });
        const memory = { ...told, frame: decode(told.frame) };
        if (keep && !memories.some((m) => m.text === text)) memories.unshift(memory);
        choose(memory);
      } catch (error) { say(`cannot draw: ${error.message}`); }
    };
    $("type").onsubmit = (event) => { event.preventDefault(); draw(false); };
    $("keep").onclick = () => draw(true);
  }
  show(); choose(chosen);
})();
