"""The evaluation's benchmark: both systems do the same work, and its table is right."""

import math

import pyarrow.parquet as pq
import pytest

from benchmarks.articles import Article
from benchmarks.evaluation_report import Measured, compare_evaluations, plot_evaluations
from benchmarks.evaluation_run import (
    BASELINE,
    PROJECT,
    WHOLE,
    Run,
    cut_to_window,
    evaluate,
    evaluate_plainly,
)
from highlighter.embedded import CHECKPOINT
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import ROUGE_TYPES, GenerationSettings
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    """Two of the corpus, and one that is longer than the window."""
    file = ROOT / "highlighter" / "embedded" / "corpus" / "test.parquet"
    rows = pq.read_table(file).slice(0, 6).to_pylist()
    short = [Article(article=row["article"], highlights=row["highlights"]) for row in rows]
    long = Article(
        article="\n\n".join(article.article for article in short),
        highlights=short[2].highlights,
    )
    return [*short[:2], long]


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
    theirs, ours = (run(CHECKPOINT, cut, generation) for run in (evaluate_plainly, evaluate))
    assert ours.summaries == theirs.summaries
    assert all(ours.summaries)
    for name in ROUGE_TYPES:  # the baseline's is the median of a bootstrap
        assert ours.rouge[name] == pytest.approx(theirs.rouge[name], abs=2.5)
    report = compare_evaluations([Measured(BASELINE, theirs, 1), Measured(PROJECT, ours, 1)])
    assert report.rows[1].same == 1


def run(writing: float, scoring: float, *summaries: str) -> Run:
    rouge = dict.fromkeys(ROUGE_TYPES, 12.5)
    return Run(writing=writing, scoring=scoring, rouge=rouge, summaries=list(summaries))


def test_the_table_has_medians_and_ratios() -> None:
    measured = [
        Measured(BASELINE, run(8, 2, "a", "b"), 500),
        Measured(PROJECT, run(1, 1, "a", "x"), 700),
        Measured(BASELINE, run(20, 2, "a", "b"), 520),
        Measured(PROJECT, run(3, 1, "a", "x"), 700),
        Measured(BASELINE, run(10, 2, "a", "b"), 900),
        Measured(PROJECT, run(1.5, 0.5, "a", "x"), 710),
    ]
    baseline, project = compare_evaluations(measured).rows
    assert (baseline.seconds, baseline.speed, baseline.same) == (12, 1, 1)
    assert (baseline.writing, baseline.peak_rss, baseline.runs) == (10, 520, 3)
    assert (project.seconds, project.speed, project.same) == (2, 6, 0.5)
    assert math.isclose(project.articles_per_second, 1.0)
    text = compare_evaluations(measured).text()
    assert "6.00 x" in text
    assert "50%" in text
    assert WHOLE not in text
    [axes] = plot_evaluations([baseline, project]).axes
    assert [bar.get_width() for bar in axes.containers[0]] == [10, 1.5]
