"""Generate the corpus that ships with the project, and its data card."""

import argparse
from collections import Counter
from pathlib import Path
from statistics import fmean, quantiles

from highlighter.data.oracle import greedy_oracle
from highlighter.data.sentences import sentence_texts
from highlighter.embedded import CORPUS
from highlighter.evaluation.systems import lead
from highlighter.metrics.rouge import score_rouge
from highlighter.system.templates import render
from tools.newswire.corpus import DEFAULT_SEED, SPLIT_SIZES, Row, generate_rows, write_split
from tools.newswire.templates import count_words, split_sentences

Splits = dict[str, list[Row]]


def main() -> None:
    """Write every split as parquet and print its size; with --card, write the data card too."""
    parser = argparse.ArgumentParser(prog="python -m tools.newswire", description=__doc__)
    parser.add_argument("--output", type=Path, default=CORPUS, help="folder of the parquet files")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--card", action="store_true", help="measure and write README.md too")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    splits = {split: list(generate_rows(split, options.seed)) for split in SPLIT_SIZES}
    print(f"{'split':<12}{'articles':>10}{'kinds':>8}{'unseen':>8}{'KiB':>8}")
    for split, rows in splits.items():
        size = write_split(rows, options.output / f"{split}.parquet")
        kinds, unseen = len({row.kind for row in rows}), sum(row.unseen_names for row in rows)
        print(f"{split:<12}{len(rows):>10,}{kinds:>8}{unseen:>8}{size / 1024:>8.0f}")
    if options.card:
        card = render_card(splits, options.seed)
        (options.output / "README.md").write_text(card, encoding="utf-8")


def render_card(splits: Splits, seed: int) -> str:
    """Return the data card: counts, lengths, scores of extractive baselines, and samples."""
    kinds = sorted({row.kind for row in splits["train"]})
    counts = {split: Counter(row.kind for row in rows) for split, rows in splits.items()}
    card = render(
        Path(__file__).parent / "card.md",
        seed=seed,
        splits=splits,
        kinds={kind: [counts[split][kind] for split in splits] for kind in kinds},
        lengths=measure_lengths(splits["train"]),
        scores={split: score_extracts(splits[split]) for split in ("validation", "test")},
        late_facts=late_fact_share(splits["train"]),
        openings_without_facts=opening_without_facts_share(splits["train"]),
        samples=[splits["validation"][number] for number in (0, 7)],
    )
    return card.rstrip() + "\n"


def measure_lengths(rows: list[Row]) -> dict[str, tuple[float, ...]]:
    """Return minimum, 10th, 50th and 90th percentile and maximum of each length."""
    measured = {
        "article words": [count_words(row.article) for row in rows],
        "article paragraphs": [row.article.count("\n\n") + 1 for row in rows],
        "highlight words": [count_words(row.highlights) for row in rows],
        "highlight sentences": [row.highlights.count("\n") + 1 for row in rows],
        "facts": [len(row.facts) for row in rows],
    }
    tenths = {name: quantiles(values, n=10) for name, values in measured.items()}
    return {
        name: (min(values), tenths[name][0], tenths[name][4], tenths[name][8], max(values))
        for name, values in measured.items()
    }


def score_extracts(rows: list[Row]) -> dict[str, list[float]]:
    """Return the mean ROUGE-1, ROUGE-2 and ROUGE-Lsum F1, times 100, of LEAD-3 and the oracle."""
    articles = [sentence_texts(row.article) for row in rows]
    references = [row.highlights for row in rows]
    chosen = {
        "LEAD-3": [lead(sentences) for sentences in articles],
        "oracle": [greedy_oracle(s, r) for s, r in zip(articles, references, strict=True)],
    }
    scores = {
        name: score_rouge(
            ["\n".join(s[i] for i in indices) for s, indices in zip(articles, each, strict=True)],
            references,
        )
        for name, each in chosen.items()
    }
    measures = ("rouge1", "rouge2", "rougeLsum")
    return {
        name: [100 * fmean(values[measure]) for measure in measures]
        for name, values in scores.items()
    }


def late_fact_share(rows: list[Row]) -> float:
    """Return the share of facts that first occur after an article's third sentence."""
    late = []
    for row in rows:
        start = " ".join(split_sentences(row.article)[:3])
        late += [fact not in start for fact in row.facts]
    return fmean(late)


def opening_without_facts_share(rows: list[Row]) -> float:
    """Return the share of articles without a fact in the first paragraph."""
    openings = [(row.article.split("\n\n")[0].split(" - ")[-1], row.facts) for row in rows]
    return fmean(not any(fact in opening for fact in facts) for opening, facts in openings)


if __name__ == "__main__":
    main()
