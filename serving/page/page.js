// Handles the form: sends the request, shows progress and errors, copies text.

import { ApiError, describeModel, storeKey, streamSummary, summarize } from "./api.js";
import { modelCard } from "./card.js";
import { byId, element } from "./dom.js";
import { appendToSummary, importantText, markBest, showPassages, showSummary } from "./result.js";

const form = byId("form");
let running = null; // AbortController of the current request

function kind() {
  return form.elements.kind.value;
}

function showKind() {
  byId("article-field").hidden = kind() !== "article";
  byId("url-field").hidden = kind() !== "url";
}

function showError({ status, field, message }) {
  if (status === 401) byId("key-field").hidden = false;
  const name = status === 401 ? "key" : field;
  const input = ["key", kind()].includes(name) ? byId(name) : null;
  const place = byId(input ? `${name}-error` : "form-error");
  place.textContent = input || !field ? message : `${field}: ${message}`;
  place.hidden = false;
  if (input) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-errormessage", place.id);
    input.focus();
  }
  place.scrollIntoView({ block: "nearest" });
}

function showFailure(error) {
  if (error instanceof ApiError) {
    showError(error);
  } else {
    console.error(error);
    showError({ message: "The answer could not be read." });
  }
}

function clearErrors() {
  for (const place of form.querySelectorAll(".error")) place.hidden = true;
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-errormessage");
  }
}

function showProgress(text) {
  byId("progress").hidden = running === null;
  byId("cancel").hidden = running === null;
  byId("summarize").setAttribute("aria-disabled", String(running !== null));
  byId("status").textContent = text;
}

function question() {
  const text = byId(kind()).value.trim();
  const missing = { article: "Paste an article first.", url: "Enter a web address first." };
  if (!text) throw new ApiError(0, { message: missing[kind()], field: kind() });
  return { [kind()]: kind() === "url" && !/^[a-z]+:\/\//i.test(text) ? `https://${text}` : text };
}

function reveal() {
  if (!byId("result").hidden) return;
  byId("result").hidden = false;
  byId("summary-heading").focus({ preventScroll: true });
  byId("result").scrollIntoView();
}

async function answerWhole(body, signal) {
  const answer = await summarize(body, signal);
  showPassages(answer);
  showSummary(answer);
}

async function answerInParts(body, signal) {
  for await (const [name, data] of streamSummary(body, signal)) {
    if (name === "paragraphs") {
      showPassages(data);
      reveal();
      showProgress("Writing the summary…");
    } else if (name === "token") {
      appendToSummary(data.text);
    } else if (name === "summary") {
      showSummary(data);
    }
  }
}

async function submit() {
  if (running) return;
  clearErrors();
  let outcome = "";
  try {
    const body = question();
    if (!byId("key-field").hidden) storeKey(byId("key").value.trim());
    running = new AbortController();
    byId("result").hidden = true;
    showProgress(kind() === "url" ? "Fetching and reading the article…" : "Reading the article…");
    await (byId("streaming").checked ? answerInParts : answerWhole)(body, running.signal);
    reveal();
    outcome = `Done: ${byId("count-text").textContent} passages are important.`;
  } catch (error) {
    byId("result").hidden = true; // the summary may be incomplete
    if (error.name === "AbortError") outcome = "Cancelled.";
    else showFailure(error);
  }
  running = null;
  showProgress(outcome);
}

async function toClipboard(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = element("textarea", { value: text }); // there is no clipboard API over plain http
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("not copied");
}

function copyOnClick(button, text) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const copied = await toClipboard(text()).then(() => true, () => false);
    button.textContent = copied ? "Copied" : "Not copied";
    byId("status").textContent = button.textContent;
    button.focus();
    setTimeout(() => (button.textContent = label), 1500);
  });
}

async function showCard() {
  if (!byId("card").open || byId("card-body").hasChildNodes()) return;
  byId("card-status").textContent = "Loading…";
  try {
    byId("card-body").replaceChildren(...modelCard(await describeModel()));
    byId("card-status").textContent = "";
  } catch (error) {
    byId("card-status").textContent = error.message;
    if (error.status === 401) byId("key-field").hidden = false;
  }
}

form.addEventListener("change", showKind);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    submit();
  }
});
byId("cancel").addEventListener("click", () => {
  running.abort();
  byId("summarize").focus();
});
byId("example").addEventListener("click", () => {
  form.elements.kind.value = "article";
  showKind();
  byId("article").value = byId("example-text").content.textContent;
  byId("article").setSelectionRange(0, 0);
  byId("article").focus();
});
byId("count").addEventListener("input", () => markBest(Number(byId("count").value)));
copyOnClick(byId("copy-summary"), () => byId("summary").textContent);
copyOnClick(byId("copy-passages"), importantText);
byId("card").addEventListener("toggle", showCard);
showKind(); // after a reload the browser restores the choice
