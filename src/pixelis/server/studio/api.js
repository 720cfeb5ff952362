/* Talking to the server: JSON, streams, and the key, which stays in this tab. */
const KEY = "pixelis-key";

export const headers = () => {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export const setKey = (key) => sessionStorage.setItem(KEY, key);

export class Trouble extends Error {
  constructor(status, message, code) { super(message); this.status = status; this.code = code; }
}

const trouble = async (reply) => {
  let told = {};
  try { told = (await reply.json()).error || {}; } catch { /* not JSON: the status must do */ }
  return new Trouble(reply.status, told.message || `status ${reply.status}`, told.code);
};

export const call = async (path, options = {}) => {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const kind = body === undefined ? {} : { "Content-Type": "application/json" };
  const reply = await fetch(path, { ...options, body, headers: { ...headers(), ...kind } });
  if (!reply.ok) throw await trouble(reply);
  if (reply.status === 204) return null;
  return (reply.headers.get("content-type") || "").includes("json") ? reply.json() : reply.blob();
};

/* Calls `each` with every event of a stream, until [DONE]. */
export const stream = async (path, body, each, signal) => {
  const reply = await fetch(path, {
    method: "POST", signal, body: JSON.stringify(body),
    headers: { ...headers(), "Content-Type": "application/json" },
  });
  if (!reply.ok) throw await trouble(reply);
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Trouble(0, "the connection broke before the answer was complete");
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      if (!event.startsWith("data: ")) continue;
      const data = event.slice(6);
      if (data === "[DONE]") return;
      const told = JSON.parse(data);
      if (told.error) throw new Trouble(0, told.error.message, told.error.code);
      each(told);
    }
  }
};

export const dataUrl = (blob) => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => failed(new Trouble(0, "the file cannot be read"));
  reader.readAsDataURL(blob);
});

export const save = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

/* An element with text and children; everything that comes from outside stays text. */
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
};
