"""The evaluation's benchmark: both systems do the same work, and its table is right."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.evaluation import (
    ALL_TEXT,
    BASELINE,
    PROJECT,
    compare,
    cut_to_window,
    evaluate_plainly,
    evaluate_project,
    main,
)
from benchmarks.inputs import Article, read_articles
from benchmarks.processes import Measured
from highlighter.embedded import CHECKPOINT, CORPUS
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import ROUGE_TYPES, GenerationSettings


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    """Two articles of the corpus, and one that is longer than the window."""
    short = read_articles(Path(CORPUS) / "test.parquet")[:6]
    text = "\n\n".join(article.article for article in short)
    return [*short[:2], Article(text, short[2].highlights)]


def test_articles_are_cut_after_the_last_sentence_that_fits(articles: list[Article]) -> None:
    tokenizer = load_tokenizer(str(CHECKPOINT))
    *short, long = cut_to_window(articles, CHECKPOINT)
    assert short == articles[:2]
    assert articles[2].article.startswith(long.article)
    assert long.article[-1] in '.!?"”'
    tokens = len(tokenizer("summarize: " + long.article)["input_ids"])
    assert 400 < tokens <= 512


def test_both_write_the_same_from_the_same_text_and_score_it_alike(
    articles: list[Article],
) -> None:
    generation = GenerationSettings(num_beams=2, max_new_tokens=24, length_penalty=1.0)
    cut = cut_to_window(articles, CHECKPOINT)
    theirs = evaluate_plainly(CHECKPOINT, cut, generation)
    ours = evaluate_project(CHECKPOINT, cut, generation)
    assert ours["summaries"] == theirs["summaries"]
    assert all(ours["summaries"])
    for name in ROUGE_TYPES:  # the baseline's is the median of a bootstrap
        assert ours["rouge"][name] == pytest.approx(theirs["rouge"][name], abs=2.5)


def test_the_command_measures_all_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--rows", "2", "--rounds", "1", "--beams", "1", "--max-new-tokens", "8"]
    monkeypatch.setattr(sys, "argv", ["evaluation", *words, "--output", str(tmp_path)])
    main()
    rows = json.loads((tmp_path / "evaluation.json").read_text())["rows"]
    assert [row["system"] for row in rows] == [BASELINE, PROJECT, ALL_TEXT]
    assert all(row["writing s"] > 0 and row["peak RSS MB"] > 100 for row in rows)


def test_rows_have_medians_and_ratios() -> None:
    rouge = dict.fromkeys(ROUGE_TYPES, 12.5)

    def run(writing: float, scoring: float, texts: str, peak: float) -> Measured:
        times = {"writing": writing, "scoring": scoring}
        return Measured({**times, "rouge": rouge, "summaries": list(texts)}, peak, peak)

    runs = {
        BASELINE: [run(8, 2, "ab", 500), run(20, 2, "ab", 520), run(10, 2, "ab", 900)],
        PROJECT: [run(1, 1, "ax", 700), run(3, 1, "ax", 700), run(1.5, 0.5, "ax", 710)],
        ALL_TEXT: [run(12, 12, "xy", 700)],
    }
    baseline, project, all_text = compare(runs)
    assert (baseline["writing s"], baseline["scoring s"]) == (10, 2)
    assert (baseline["/ baseline"], baseline["same texts %"]) == (1, 100)
    assert (baseline["peak RSS MB"], baseline["runs"], baseline["R-1"]) == (520, 3, 12.5)
    assert (project["/ baseline"], project["same texts %"]) == (6, 50)
    assert project["articles/s"] == 1.0
    assert (all_text["/ baseline"], all_text["same texts %"]) == (0.5, 0)
