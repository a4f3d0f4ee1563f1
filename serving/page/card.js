// Builds the served model's card: what it is, where it comes from, its scores on test articles.

import { element } from "./dom.js";

const SYSTEMS = {
  served: "As served",
  abstractive: "Written",
  abstractive_first: "Written from the first sentences",
  abstractive_selected: "Written from selected sentences",
  extractive: "Extracted",
  lead3: "First 3 sentences",
  random3: "3 random sentences",
  oracle: "Best extract",
};
const METRICS = { rouge1: "ROUGE-1", rouge2: "ROUGE-2", rougeL: "ROUGE-L", rougeLsum: "ROUGE-Lsum" };

export function modelCard(model) {
  const facts = {
    Model: `${model.tag}, version ${model.version}`,
    Created: model.created.slice(0, 10),
    Size: `${new Intl.NumberFormat("en").format(model.parameters)} parameters`,
    Engine: model.engine,
    Data: model.data_fingerprint,
    Commit: model.git_commit,
    "MLflow run": model.mlflow_run_id,
    "ZenML run": model.zenml_run,
  };
  const list = element("dl");
  for (const [name, value] of Object.entries(facts)) {
    if (value) list.append(element("dt", {}, name), element("dd", {}, value));
  }
  return [list, scoreTable(model.evaluation)];
}

function scoreTable({ rows, test_fingerprint, scores, faithfulness }) {
  const cells = new Map(); // system -> column -> cell
  const columns = new Set();
  const put = (system, column, cell) => {
    columns.add(column);
    if (!cells.has(system)) cells.set(system, new Map());
    cells.get(system).set(column, cell);
  };
  for (const score of scores) {
    put(score.system, METRICS[score.metric] ?? score.metric, scoreCell(score, (v) => v.toFixed(1)));
  }
  for (const share of faithfulness) {
    const percent = (value) => `${Math.round(100 * value)} %`;
    put(share.system, "Facts in the article", scoreCell(share, percent));
  }
  const header = (scope, text) => element("th", { scope }, text);
  const head = ["Summary", ...columns].map((column) => header("col", column));
  const body = [...cells].map(([system, row]) =>
    element(
      "tr",
      {},
      header("row", SYSTEMS[system] ?? system.replaceAll("_", " ")),
      ...[...columns].map((column) => row.get(column) ?? element("td")),
    ),
  );
  const table = element(
    "table",
    {},
    element("caption", {}, `On ${rows} test articles (${test_fingerprint}), with 95 % intervals`),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
  return element("div", { className: "wide", tabIndex: 0 }, table);
}

function scoreCell({ value, low, high }, format) {
  const cell = element("td", {}, format(value));
  if (low !== null && high !== null) {
    cell.append(element("span", { className: "interval" }, `${format(low)} – ${format(high)}`));
  }
  return cell;
}
