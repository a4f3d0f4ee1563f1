// Calls the service. URLs are relative, so that the page works behind a path prefix.

const KEY = "news-highlighter-api-key";

export class ApiError extends Error {
  constructor(status, { message, field = null }) {
    super(message);
    Object.assign(this, { status, field });
  }
}

export function storeKey(key) {
  sessionStorage.setItem(KEY, key);
}

export async function summarize(body, signal) {
  return (await post("../summarize", body, signal)).json();
}

// Yields the service's events as [name, data]; throws an error event.
export async function* streamSummary(body, signal) {
  const response = await post("../summarize/stream", body, signal);
  for await (const [name, data] of events(response.body)) {
    if (name === "error") throw new ApiError(response.status, data.error);
    yield [name, data];
    if (name === "summary") return;
  }
  throw new ApiError(0, { message: "The answer ended before it was complete." });
}

export async function describeModel() {
  return (await request("../model", { headers: headers() })).json();
}

function post(path, body, signal) {
  const json = { "Content-Type": "application/json" };
  return request(path, {
    method: "POST", headers: { ...json, ...headers() }, body: JSON.stringify(body), signal,
  });
}

function headers() {
  const key = sessionStorage.getItem(KEY);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { message: "The service cannot be reached." });
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response) {
  let error;
  try {
    ({ error } = await response.json());
  } catch {
    error = null; // a proxy's error page
  }
  error = { message: `The service failed (HTTP ${response.status}).`, ...error };
  const wait = response.headers.get("Retry-After");
  if (/^\d+$/.test(wait)) error.message += ` Try again in ${wait} s.`;
  return new ApiError(response.status, error);
}

// Parses server-sent events (https://html.spec.whatwg.org/#parsing-an-event-stream) without ids and
// retries, because EventSource cannot POST.
async function* events(stream) {
  let name = "message";
  let data = [];
  for await (const line of lines(stream)) {
    const [, field, text = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line);
    if (field === "event") name = text;
    if (field === "data") data.push(text);
    if (line !== "") continue;
    if (data.length) yield [name, JSON.parse(data.join("\n"))];
    name = "message";
    data = [];
  }
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const whole = (rest + value).split(/\r?\n/);
      rest = whole.pop();
      yield* whole;
    }
  } finally {
    reader.cancel().catch(() => {}); // the stream may have failed already
  }
}
