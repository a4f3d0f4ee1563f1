"""The data card of the corpus, with what was measured on it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, quantiles

from highlighter.data.oracle import greedy_oracle
from highlighter.data.sentences import sentence_texts
from highlighter.evaluation.systems import lead
from highlighter.metrics.rouge import score_rouge
from tools.newswire.corpus import Row
from tools.newswire.stories import count_words, split_sentences

MEASURES = ("rouge1", "rouge2", "rougeLsum")


def measure_extracts(pairs: Sequence[tuple[str, str]]) -> dict[str, dict[str, float]]:
    """Mean F1 (times 100) of LEAD-3 and the oracle over pairs of article and highlights."""
    articles = [sentence_texts(article) for article, _ in pairs]
    references = [highlights for _, highlights in pairs]
    chosen = {
        "LEAD-3": [lead(sentences) for sentences in articles],
        "oracle": [
            greedy_oracle(sentences, highlights)
            for sentences, highlights in zip(articles, references, strict=True)
        ],
    }
    means = {}
    for name, rows in chosen.items():
        extracts = [
            "\n".join(sentences[i] for i in indices)
            for sentences, indices in zip(articles, rows, strict=True)
        ]
        scores = score_rouge(extracts, references)
        means[name] = {measure: 100 * fmean(scores[measure]) for measure in MEASURES}
    return means


Splits = dict[str, list[Row]]
SAMPLES = (("validation", 0), ("validation", 7))


def write_card(splits: Splits, seed: int, path: Path) -> None:
    """Fills the card's text with counts, lengths, ROUGE and samples."""
    template = Path(__file__).parent / "texts" / "card.md"
    card = template.read_text(encoding="utf-8")
    parts = {
        "seed": str(seed),
        "counts": _tabulate_counts(splits),
        "lengths": _tabulate_lengths(splits["train"]),
        "rouge": _tabulate_rouge(splits),
        "late": f"{100 * measure_late_facts(splits['train']):.0f}",
        "unread": f"{100 * measure_scene_openings(splits['train']):.0f}",
        "samples": "\n\n".join(_show(splits[split][number]) for split, number in SAMPLES),
    }
    for name, text in parts.items():
        card = card.replace(f"<<{name}>>", text)
    path.write_text(card, encoding="utf-8")


def measure_late_facts(rows: list[Row]) -> float:
    """The share of facts that first appear after an article's third sentence."""
    late = total = 0
    for row in rows:
        lead = " ".join(split_sentences(row.article)[:3])
        late += sum(fact not in lead for fact in row.facts)
        total += len(row.facts)
    return late / total


def measure_scene_openings(rows: list[Row]) -> float:
    """The share of articles whose first paragraph holds none of the facts."""
    return fmean(not any(_opens_with(row, fact) for fact in row.facts) for row in rows)


def _opens_with(row: Row, fact: str) -> bool:
    return fact in row.article.split("\n\n")[0].split(" - ")[-1]


def _tabulate_counts(splits: Splits) -> str:
    lines = ["| kind | " + " | ".join(splits) + " |", "| --- |" + " ---: |" * len(splits)]
    by_split = {split: Counter(row.kind for row in rows) for split, rows in splits.items()}
    for kind in sorted(by_split["train"]):
        lines.append(f"| {kind} | " + " | ".join(str(by_split[s][kind]) for s in splits) + " |")
    totals = " | ".join(f"**{len(rows):,}**" for rows in splits.values())
    unseen = " | ".join(str(sum(row.unseen_names for row in rows)) for rows in splits.values())
    return "\n".join([*lines, f"| **all** | {totals} |", f"| with `unseen_names` | {unseen} |"])


def _tabulate_lengths(rows: list[Row]) -> str:
    measured = {
        "article words": [count_words(row.article) for row in rows],
        "article paragraphs": [row.article.count("\n\n") + 1 for row in rows],
        "highlight words": [count_words(row.highlights) for row in rows],
        "highlight sentences": [row.highlights.count("\n") + 1 for row in rows],
        "facts": [len(row.facts) for row in rows],
    }
    lines = ["| train | least | 10th | median | 90th | most |", "| --- |" + " ---: |" * 5]
    for name, values in measured.items():
        cuts = quantiles(values, n=10)
        shown = (min(values), cuts[0], cuts[4], cuts[8], max(values))
        lines.append(f"| {name} | " + " | ".join(f"{value:.0f}" for value in shown) + " |")
    return "\n".join(lines)


def _tabulate_rouge(splits: Splits) -> str:
    lines = ["| split | extract | ROUGE-1 | ROUGE-2 | ROUGE-Lsum |"]
    lines.append("| --- | --- |" + " ---: |" * len(MEASURES))
    for split in ("validation", "test"):
        scores = measure_extracts([(row.article, row.highlights) for row in splits[split]])
        for extract, by_measure in scores.items():
            shown = " | ".join(f"{by_measure[measure]:.1f}" for measure in MEASURES)
            lines.append(f"| {split} | {extract} | {shown} |")
    return "\n".join(lines)


def _show(row: Row) -> str:
    quoted = "\n".join(f"> {line}".rstrip() for line in row.article.split("\n"))
    points = "\n".join(f"- {line}" for line in row.highlights.split("\n"))
    facts = ", ".join(f"`{fact}`" for fact in row.facts)
    return f"### `{row.id}` ({row.kind})\n\n{quoted}\n\nHighlights:\n\n{points}\n\nFacts: {facts}"
