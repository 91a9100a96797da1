// Calls the named endpoints of the page's own server: the same that other programs call.

import { endpoints } from "./data.js";

const API = "gradio_api/";

/** An error that the server explains in a sentence meant for people. */
export class Refused extends Error {}

async function post(path, told) {
  try {
    return await fetch(API + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(told),
    });
  } catch {
    throw new Refused("The server cannot be reached. Please try again in a minute.");
  }
}

function argumentList(name, parameters, told) {
  const known = new Set(parameters.map(([parameter]) => parameter));
  for (const key of Object.keys(told)) {
    if (!known.has(key)) throw new Error(`/${name} takes no ${key}`);
  }
  return parameters.map(([parameter, otherwise]) => (parameter in told ? told[parameter] : otherwise));
}

function sentence(output) {
  const text = typeof output === "string" ? output : output?.error;
  return text || "That did not work. Please try once more.";
}

/**
 * Calls an endpoint and hears of everything it sends.
 *
 * @param {string} name of the endpoint, without the slash
 * @param {object} told its arguments by name; the others take their defaults
 * @param {object} on `data(values)` for each answer, `waiting()` when the server takes the call
 * @returns {{done: Promise, cancel: function}} `done` gives the last answer, or null if cancelled
 */
export function startCall(name, told, on = {}) {
  const session = randomName();
  const { id, parameters } = endpoints[name];
  let event = null;
  let source = null;
  let settle;
  let cancelled = false;
  const done = new Promise((resolve, reject) => { settle = { resolve, reject }; });

  const end = (how, value) => {
    source?.close();
    removeEventListener("pagehide", leave);
    settle[how](value);
  };
  const stopServer = () => {
    if (event === null) return;
    const body = JSON.stringify({ session_hash: session, fn_index: id, event_id: event });
    const headers = { "Content-Type": "application/json" };
    fetch(API + "cancel", { method: "POST", headers, body, keepalive: true }).catch(() => {});
  };
  // A closed page frees its worker at once.
  const leave = () => stopServer();

  const hear = (message) => {
    if (message.msg === "process_starts") on.waiting?.();
    if (message.msg === "process_generating" && message.success) on.data?.(message.output.data);
    if (message.msg === "unexpected_error") end("reject", new Refused(sentence(message.message)));
    if (message.msg === "process_generating" && !message.success) {
      end("reject", new Refused(sentence(message.output)));
    }
    if (message.msg === "process_completed") {
      if (!message.success) end("reject", new Refused(sentence(message.output)));
      else end("resolve", message.output.data ?? null);
    }
  };

  const begin = async () => {
    const data = argumentList(name, parameters, told);
    const answer = await post("queue/join", {
      data, fn_index: id, session_hash: session, simple_format: true,
    });
    const joined = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      throw new Refused(answer.status === 503 && !joined.detail
        ? "Many people are here at the moment. Please try again in a minute."
        : sentence(joined.detail));
    }
    event = joined.event_id;
    if (cancelled) return stopServer();
    addEventListener("pagehide", leave);
    source = new EventSource(`${API}queue/data?session_hash=${session}`);
    source.onmessage = (told) => hear(JSON.parse(told.data));
    // The browser would ask again for ever; the server has forgotten the call by then.
    source.onerror = () => end("reject", new Refused("The connection broke. Please try once more."));
  };
  begin().catch((error) => end("reject", error));

  return {
    done,
    cancel() {
      if (cancelled) return;
      cancelled = true;
      stopServer();
      end("resolve", null);
    },
  };
}

/**
 * Where a file of the server is, as seen from this page: the server may not know under which path of
 * a site it is served.
 */
export const addressOf = (file) => `${API}file=${encodeURI(file.path)}`;

/** What to say until the first answer comes; all begin at once and take turns. */
export const waitingWords = (what = "the models") => `Getting ${what} ready`;

/** Calls an endpoint and gives its last answer, `[what the endpoint returns]`. */
export async function call(name, told = {}) {
  const { queued, parameters } = endpoints[name];
  if (queued) return startCall(name, told).done;
  const data = argumentList(name, parameters, told);
  const answer = await post(`run/${name}`, { data, session_hash: randomName() });
  const output = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(sentence(output.detail ?? output));
  return output.data;
}

/** A name that nobody can guess, and nothing else has. */
export function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
