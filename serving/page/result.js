// Shows an answer: the article's passages by score, and the summary. A passage is a paragraph, or a
// sentence if the article has only one paragraph.

import { byId, element } from "./dom.js";

const DOUBTS = {
  empty: "the model wrote nothing",
  damaged: "it was broken: a fragment, a repetition, an open quotation or a sentence from elsewhere",
  unsupported_facts: "it stated a name, number or date that the article does not have",
  contradicts_article: "it said the opposite of the article",
  low_confidence: "the model was not sure enough of its words",
  unfamiliar: "the article is unlike those that the model was trained on",
  misses_salient: "it said too little of the sentences that matter most",
};

const MOST_IMPORTANT = 50; // the API's limit for top_k; a slider with more steps is hard to set

const number = new Intl.NumberFormat("en");
let passages = [];
let important = new Set(); // indices

export function showPassages({ paragraphs, source, counts }) {
  passages = paragraphs;
  byId("passages").replaceChildren(...passages.map(passageItem));
  showSource(source);
  byId("counts").textContent =
    `${plural(counts.words, "word")}, ${plural(counts.sentences, "sentence")}, ` +
    `read in ${plural(counts.windows, "window")}.`;
  markImportant(passages.flatMap((passage, index) => (passage.important ? [index] : [])));
  byId("count").max = Math.max(Math.min(passages.length, MOST_IMPORTANT), important.size);
  byId("count").value = important.size;
  byId("summary").textContent = "";
  byId("notes").replaceChildren();
  byId("origin").textContent = "";
}

export function appendToSummary(text) {
  byId("summary").append(text);
}

export function showSummary(answer) {
  const { summary, timing, model } = answer;
  byId("summary").textContent = summary;
  byId("notes").replaceChildren(...notes(answer));
  byId("origin").textContent = `${duration(timing)} Model ${model.tag}, version ${model.version}.`;
}

// Marks the `count` passages with the highest scores; sort is stable, so ties go to the earlier one.
export function markBest(count) {
  const order = [...passages.keys()].sort((a, b) => passages[b].score - passages[a].score);
  markImportant(order.slice(0, count));
}

export function importantText() {
  return passages
    .filter((_, index) => important.has(index))
    .map(({ text }) => text)
    .join("\n\n");
}

function markImportant(indices) {
  important = new Set(indices);
  [...byId("passages").children].forEach((item, index) => {
    item.classList.toggle("important", important.has(index));
    item.querySelector(".label").hidden = !important.has(index);
  });
  const text = `${important.size} of ${passages.length}`;
  byId("count-text").textContent = text;
  byId("count").setAttribute("aria-valuetext", text);
  byId("copy-passages").disabled = important.size === 0;
}

function passageItem({ text, score }) {
  const item = element(
    "li",
    { className: "passage" },
    element(
      "p",
      { className: "strength" },
      element("strong", { className: "label" }, "Important "),
      element("span", { className: "unseen" }, "score "),
      element("span", { className: "score" }, score.toFixed(2)),
    ),
    element("p", { className: "text", dir: "auto" }, text),
  );
  item.style.setProperty("--strength", score);
  return item;
}

function showSource(source) {
  byId("source").hidden = source === null;
  if (source === null) return;
  const link = element("a", { rel: "noopener noreferrer", target: "_blank", dir: "auto" });
  link.append(source.title ?? source.url);
  if (/^https?:/i.test(source.url)) link.href = source.url;
  byId("source").replaceChildren("From ", link);
}

function notes({ doubt, confidence, truncated, facts_checked }) {
  const sure = `confidence ${confidence.toFixed(2)}`;
  if (doubt !== null) {
    const why = DOUBTS[doubt] ?? `of a failed check (${doubt})`;
    const note = element(
      "p",
      { className: "note" },
      element("strong", {}, "Extracted, not written. "),
      "These are the article’s most salient sentences, word for word. " +
        `The model’s own summary was set aside because ${why} (${sure}).`,
    );
    return [note];
  }
  const texts = [`Written by the model (${sure}). Check it against the article.`];
  if (!facts_checked) {
    texts.push(
      "Its names, numbers and dates were not checked: the article is not in English, or the " +
        "model was registered without this check.",
    );
  }
  if (truncated.source) {
    texts.push("Written from a part of the article, which is too long for the model.");
  }
  if (truncated.summary) texts.push("Cut off at the length limit: the end is missing.");
  return texts.map((text, index) => element("p", { className: index ? "note" : "small" }, text));
}

function duration({ fetch_ms, queue_ms, read_ms, write_ms, total_ms }) {
  const steps = { fetching: fetch_ms, waiting: queue_ms, reading: read_ms, writing: write_ms };
  const parts = Object.entries(steps).filter(([, ms]) => ms >= 1);
  const list = parts.map(([name, ms]) => `${name} ${seconds(ms)}`).join(", ");
  return `${seconds(total_ms)}${list && ` (${list})`}.`;
}

const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const plural = (count, noun) => `${number.format(count)} ${noun}${count === 1 ? "" : "s"}`;
