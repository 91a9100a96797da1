// Calls the named endpoints of the page's own server: the same that other programs call.

const API = "gradio_api/";
let info = null;

/** An error that the server explains in a sentence meant for people. */
export class Refused extends Error {}

async function endpoint(name) {
  info ??= fetch(API + "info").then((answer) => answer.json());
  const told = (await info).named_endpoints["/" + name];
  const id = window.gradio_config.dependencies.find((d) => d.api_name === name)?.id;
  if (told === undefined || id === undefined) throw new Error(`no endpoint /${name}`);
  return { id, parameters: told.parameters };
}

/** Fetches what calls need, so that the first one need not wait for it. */
export function prepareCalls() {
  endpoint("continue_stream").catch(() => {});
}

function argumentList(name, parameters, told) {
  const known = new Set(parameters.map((p) => p.parameter_name));
  for (const key of Object.keys(told)) {
    if (!known.has(key)) throw new Error(`/${name} takes no ${key}`);
  }
  return parameters.map((p) =>
    p.parameter_name in told ? told[p.parameter_name] : p.parameter_default);
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
 * @param {object} on `data(values)` for each answer, `waiting(n)` with the number of people before
 * @returns {{done: Promise, cancel: function}} `done` gives the last answer, or null if cancelled
 */
export function startCall(name, told, on = {}) {
  const session = crypto.randomUUID();
  let id = null;
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
    if (message.msg === "estimation") on.waiting?.(message.rank);
    if (message.msg === "process_starts") on.waiting?.(-1);
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
    const found = await endpoint(name);
    id = found.id;
    const data = argumentList(name, found.parameters, told);
    const answer = await fetch(API + "queue/join", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data, fn_index: id, session_hash: session, simple_format: true }),
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

/** Calls an endpoint and gives its last answer. */
export async function call(name, told = {}) {
  return startCall(name, told).done;
}
