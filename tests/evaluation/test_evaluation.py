"""The evaluation of a small model: its rows, its sums, and its report."""

from pathlib import Path

import datasets
import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.oracle import greedy_oracle
from highlighter.data.sentences import sentence_texts
from highlighter.evaluation.evaluate import evaluate_checkpoint
from highlighter.evaluation.pictures import picture_evaluation
from highlighter.evaluation.record import SYSTEMS, EntailmentScores, Evaluation
from highlighter.evaluation.report import print_scores, render_report, scores_as_markdown
from highlighter.evaluation.systems import run_systems
from highlighter.inference.answers import HighlightRequest
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.metrics.statistics import calibration_error
from highlighter.metrics.text import compression
from highlighter.model.build import build_model
from highlighter.model.checkpoint import finish_checkpoint, save_checkpoint
from highlighter.settings import (
    EntailmentSettings,
    EvaluationSettings,
    GateSettings,
    GenerationSettings,
    HighlightSettings,
    ScratchModel,
    TextSettings,
)
from highlighter.training.report import TrainingReport
from release.gate import measured_for_gate
from tests.evaluation.test_entailment import LABELS, save_classifier

Evaluated = tuple[Evaluation, datasets.Dataset]
TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)


def run(checkpoint: Path, articles: datasets.Dataset, workers: int, seed: int = 7) -> Evaluated:
    return evaluate_checkpoint(
        checkpoint,
        articles,
        test_fingerprint="rows",
        oracle_sentences=2,
        settings=EvaluationSettings(batch_size=8, workers=workers, resamples=200),
        seed=seed,
    )


@pytest.fixture(scope="module")
def checkpoint(
    tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    text = TextSettings(max_source_tokens=96, overlap_tokens=16)
    save_checkpoint(folder / "tuned", build_model(TINY, tokenizer, seed=3), tokenizer, text)
    finish_checkpoint(
        folder / "tuned",
        GenerationSettings(num_beams=2, max_new_tokens=6),
        HighlightSettings(sentences=2, source="selected"),
        folder / "final",
    )
    return folder / "final"


@pytest.fixture(scope="module")
def test_rows(articles: datasets.DatasetDict) -> datasets.Dataset:
    """Sixteen long articles and one that fits the window."""
    short = {
        "id": "short",
        "group": "weather",
        "article": "It rained. Nobody came.",
        "highlights": "It rained.",
    }
    return datasets.concatenate_datasets([articles["test"], datasets.Dataset.from_list([short])])


@pytest.fixture(scope="module")
def evaluated(checkpoint: Path, test_rows: datasets.Dataset) -> Evaluated:
    return run(checkpoint, test_rows, workers=1)


def test_every_row_has_every_system(evaluated: Evaluated, test_rows: datasets.Dataset) -> None:
    evaluation, rows = evaluated
    assert evaluation.rows == len(rows) == 17
    assert rows["id"][:] == test_rows["id"][:]
    assert set(evaluation.systems) == set(SYSTEMS)
    for system in SYSTEMS:
        for name, interval in evaluation.systems[system].rouge.items():
            assert interval.mean == pytest.approx(np.mean(rows[f"{system}_{name}"]))
            assert 0 <= interval.low <= interval.mean <= interval.high <= 100


def test_every_text_has_its_own_measures(evaluated: Evaluated) -> None:
    _, rows = evaluated
    for row in rows:
        known = ArticleFacts(row["article"])
        for system in SYSTEMS:
            text = row[system]
            rouge = score_rouge([text], [row["reference"]])
            assert row[f"{system}_rouge2"] == pytest.approx(100 * rouge["rouge2"][0])
            assert row[f"{system}_rougeLsum"] == pytest.approx(100 * rouge["rougeLsum"][0])
            assert row[f"{system}_words"] == len(text.split())
            expected = compression(text, row["article"])
            assert row[f"{system}_compression"] == pytest.approx(expected, nan_ok=True)
            facts = (row[f"{system}_supported_facts"], row[f"{system}_facts"])
            assert facts == known.count(text)
            wanted = known.facts_of(row["reference"])
            assert row[f"{system}_recalled_facts"] == sum(map(ArticleFacts(text).supports, wanted))


def test_extractors_quote_the_article_and_the_oracle_is_the_best_of_them(
    evaluated: Evaluated,
) -> None:
    evaluation, rows = evaluated
    for row in rows:
        sentences = sentence_texts(row["article"])
        for system in ("extractive", "lead3", "random3", "oracle"):
            chosen = row[f"{system}_chosen"]
            assert row[system] == "\n".join(sentences[i] for i in chosen)
            assert row[f"{system}_facts"] == row[f"{system}_supported_facts"]
        assert row["lead3_chosen"] == list(range(min(3, len(sentences))))
        assert row["oracle_chosen"] == greedy_oracle(sentences, row["reference"], 2)
        assert len(row["extractive_chosen"]) == min(2, len(sentences))
        assert len(row["sentence_scores"]) == len(sentences)
    means = {s: evaluation.systems[s].rouge["rouge1"].mean for s in SYSTEMS}
    assert means["oracle"] == max(means.values())
    assert evaluation.systems["lead3"].over_lead3["rouge1"].mean == 0
    assert evaluation.systems["oracle"].over_lead3["rouge1"].low > 0
    assert evaluation.systems["lead3"].faithfulness.low == 1.0


def test_both_sources_are_compared_on_the_longer_rows_only(evaluated: Evaluated) -> None:
    evaluation, rows = evaluated
    assert rows["fits"][:] == [False] * 16 + [True]
    assert evaluation.sources.rows == 16
    assert rows["abstractive"][:] == rows["abstractive_selected"][:]
    assert rows[16]["abstractive_first"] == rows[16]["abstractive_selected"]
    gains = np.subtract(
        rows["abstractive_selected_rouge1"][:16], rows["abstractive_first_rouge1"][:16]
    )
    assert evaluation.sources.difference["rouge1"].mean == pytest.approx(gains.mean())
    # The first sentence of each article holds the first highlight's words, the third the second's.
    assert 0 < evaluation.sources.recall_first < 100
    assert rows["recall_first"][16] == rows["recall_selected"][16] == 100
    gain = evaluation.sources.recall_selected - evaluation.sources.recall_first
    assert evaluation.sources.recall_difference.mean == pytest.approx(gain)


def test_each_window_and_each_selected_source_is_encoded_once(
    checkpoint: Path, test_rows: datasets.Dataset
) -> None:
    summarizer = Summarizer.load(checkpoint)
    encoded: list[int] = []
    handle = summarizer.model.encoder.register_forward_pre_hook(
        lambda _, __, inputs: encoded.append(len(inputs["input_ids"])), with_kwargs=True
    )
    rows = run_systems(summarizer, test_rows, batch_size=5, oracle_sentences=3, seed=7)
    handle.remove()
    selections = sum(row["source_selected"] != row["source_first"] for row in rows)
    assert sum(encoded) == sum(rows["windows"]) + selections
    assert 0 < selections <= 16


def test_rows_hold_what_the_summarizer_answers(
    checkpoint: Path, test_rows: datasets.Dataset, evaluated: Evaluated
) -> None:
    evaluation, rows = evaluated
    assert evaluation.writer == "torch, float32, cpu"
    summarizer = Summarizer.load(checkpoint)
    for row in rows:
        [answer] = summarizer.summarize([HighlightRequest(article=row["article"])])
        assert row["served"] == answer.summary
        assert row["doubt"] == (answer.doubt or "")
        assert row["fits"] != answer.truncated.source
        assert row["cut_off"] == answer.truncated.summary
        assert row["windows"] == answer.counts.windows
        assert row["confidence"] == pytest.approx(answer.confidence, rel=1e-4)
    read = summarizer.read(test_rows["article"][:], batch_size=1)
    for source in ("first", "selected"):
        alone = [summarizer.write([article], 1, source=source)[0] for article in read]
        assert [draft.written for draft in alone] == rows[f"abstractive_{source}"][:]


def test_the_terminal_shows_what_every_baseline_scores(
    evaluated: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluation, _ = evaluated
    print_scores(evaluation)
    first, headings, *lines, last = capsys.readouterr().out.splitlines()
    assert first.startswith("17 articles.")
    assert headings.split()[:3] == ["R-1", "R-2", "R-Lsum"]
    rows = {name: values for name, *values in map(str.split, lines)}
    assert list(rows) == ["served", "abstractive", "extractive", "lead3", "random3", "oracle"]
    assert rows["oracle"][0] == f"{evaluation.systems['oracle'].rouge['rouge1'].mean:.1f}"
    assert last.startswith(f"{evaluation.doubted:.0%} of the written summaries")


def test_slices_divide_the_rows(evaluated: Evaluated) -> None:
    slices = {part.name: part.rows for part in evaluated[0].slices}
    assert slices["article fits the source"] == 1
    assert slices["article longer than the source"] == 16
    assert sum(rows for name, rows in slices.items() if name.startswith("oracle")) == 17


def test_workers_and_repetition_change_nothing_and_the_seed_does(
    checkpoint: Path, test_rows: datasets.Dataset, evaluated: Evaluated
) -> None:
    again, rows = run(checkpoint, datasets.concatenate_datasets([test_rows] * 4), workers=2)
    for name in ("lead3_rougeLsum", "abstractive_words", "extractive"):
        assert rows[name][:17] == evaluated[1][name][:]
    same, _ = run(checkpoint, test_rows, workers=1)
    assert same.model_dump_json() == evaluated[0].model_dump_json()  # NaN is not NaN
    other, other_rows = run(checkpoint, test_rows, workers=1, seed=8)
    assert other_rows["random3"][:] != evaluated[1]["random3"][:]
    assert (
        other.systems["lead3"].rouge["rouge1"].mean == again.systems["lead3"].rouge["rouge1"].mean
    )


def test_the_gate_gets_the_configured_measure(evaluated: Evaluated) -> None:
    evaluation, rows = evaluated
    measured = measured_for_gate(
        evaluation, rows, GateSettings(system="extractive", metric="rouge2")
    )
    assert measured.scores == rows["extractive_rouge2"][:]
    assert measured.score == pytest.approx(evaluation.systems["extractive"].rouge["rouge2"].mean)
    assert measured.faithfulness == 1.0
    assert measured.lead3 == pytest.approx(evaluation.systems["lead3"].rouge["rouge2"].mean)


def test_every_sentence_counts_in_the_calibration(evaluated: Evaluated) -> None:
    evaluation, rows = evaluated
    bins = evaluation.calibration
    sentences = sum(map(len, rows["sentence_scores"]))
    chosen = sum(map(len, rows["oracle_chosen"]))
    assert sum(part.count for part in bins) == sentences
    assert sum(part.count * part.share for part in bins) == pytest.approx(chosen)
    error = evaluation.metrics()["test/extractive/calibration_error"]
    assert error == pytest.approx(calibration_error(bins))
    assert 0 < error < 1


def test_the_report_shows_figures_intervals_and_escaped_articles(evaluated: Evaluated) -> None:
    evaluation, rows = evaluated
    training = TrainingReport(
        steps=2, best_step=2, validation_loss=1.0, seconds=1.0, examples_per_second=1.0,
        parameters=1, precision="fp32", device="cpu", stopped_early=False,
        curves={"validation/summary_loss": [(1, 2.0), (2, 1.0)]},
    )  # fmt: skip
    nasty = rows.select([0]).map(lambda row: {"abstractive": "<script>alert(1)</script>"})
    figures = picture_evaluation(evaluation, rows, training)
    page = render_report(evaluation, nasty, figures, samples=5)
    assert page.count("data:image/png;base64,") == 5
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    interval = evaluation.systems["lead3"].rouge["rougeLsum"]
    assert f"<b>{interval.mean:.1f}</b> <small>[{interval.low:.1f}, {interval.high:.1f}]" in page
    for sentence in sentence_texts(rows[0]["article"]):
        assert sentence in page


def test_an_evaluation_says_what_was_counted_and_not_checked(
    checkpoint: Path, evaluated: Evaluated
) -> None:
    assert (evaluated[0].words, evaluated[0].not_english) == ("rouge_score", 0)
    article = "Паром вернётся на линию третьего мая. Ремонт обошёлся в миллион рублей."
    rows = [
        {"id": f"{n}", "group": None, "article": article * (n + 1), "highlights": article[:37]}
        for n in range(2)
    ]
    evaluation, scored = run(checkpoint, datasets.Dataset.from_list(rows), workers=1)
    assert evaluation.systems["lead3"].rouge["rouge1"].mean > 20
    assert (evaluation.words, evaluation.not_english) == ("all_scripts", 2)
    assert evaluation.card(1, "torch").evaluation.words == "all_scripts"
    page = render_report(evaluation, scored, {}, samples=1)
    for text in (page, scores_as_markdown(evaluation)):
        assert "2 articles are not in English" in text
        assert "words of all scripts" in text


def test_a_learned_judge_is_named_with_its_scores(
    checkpoint: Path, test_rows: datasets.Dataset, tmp_path: Path
) -> None:
    model = save_classifier(tmp_path / "nli", LABELS)
    evaluation, rows = evaluate_checkpoint(
        checkpoint,
        test_rows.select([16, 0]),
        test_fingerprint="rows",
        oracle_sentences=2,
        settings=EvaluationSettings(
            workers=1, resamples=100, entailment=EntailmentSettings(model=model, articles=1)
        ),
        seed=7,
    )
    judged = EntailmentScores.model_validate(evaluation.model_dump(mode="json")["entailment"])
    assert (judged.model, judged.revision, judged.rows) == (model, "main", 1)
    for system, score in judged.systems.items():
        assert evaluation.metrics()[f"test/{system}/entailment"] == score.mean
    page = render_report(evaluation, rows, {}, samples=1)
    for text in (page, scores_as_markdown(evaluation)):
        assert model in text
    assert f"served <b>{100 * judged.systems['served'].mean:.1f}</b>" in page
