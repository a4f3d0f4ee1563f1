import pytest
from rouge_score.rouge_scorer import RougeScorer

from highlighter.data.sentences import sentence_texts
from highlighter.evaluation.systems import lead
from highlighter.metrics.rouge import one_sentence_a_line, score_rouge
from highlighter.settings import ROUGE_TYPES
from tests.conftest import Sample


def test_identical_texts_score_one_and_disjoint_texts_zero() -> None:
    scores = score_rouge(["The cat sat down.", "Dogs bark."], ["The cat sat down.", "It rained."])
    for name in ROUGE_TYPES:
        assert scores[name] == [1.0, 0.0]


def test_stemming_matches_inflected_words() -> None:
    assert score_rouge(["bridges closed"], ["bridge closes"])["rouge1"] == [1.0]


def test_a_known_case_by_hand() -> None:
    # 3 of 4 unigrams and 1 of 3 bigrams match; the longest common subsequence has 3 words.
    scores = score_rouge(["red fox jumps high"], ["red dog jumps high"])
    assert scores["rouge1"] == [0.75]
    assert scores["rouge2"] == [pytest.approx(1 / 3)]
    assert scores["rougeL"] == [0.75]


def test_lsum_takes_sentences_one_by_one() -> None:
    """Swapped sentences cost rougeL, not rougeLsum."""
    reference = "Rain fell on Monday.\nThe river rose at night."
    swapped = "The river rose at night. Rain fell on Monday."
    scores = score_rouge([swapped], [reference])
    assert scores["rougeLsum"] == [1.0]
    assert scores["rougeL"][0] < 0.7


def test_a_text_with_line_breaks_is_taken_as_laid_out() -> None:
    assert one_sentence_a_line("Mr. Holt left\nIt rained") == "Mr. Holt left\nIt rained"
    assert one_sentence_a_line("It rained. Mr. Holt left.") == "It rained.\nMr. Holt left."


def test_sentences_of_a_prediction_may_share_a_line() -> None:
    reference = "Rain fell on Monday.\nThe river rose at night.\nNobody came."
    mixed = "The river rose at night. Rain fell on Monday.\nNobody came."
    assert score_rouge([mixed], [reference])["rougeLsum"] == [1.0]


def test_an_empty_prediction_scores_zero() -> None:
    assert score_rouge([""], ["It rained."])["rougeLsum"] == [0.0]


def test_scores_of_lead_3(sample: Sample) -> None:
    """An independent program computed the expected values for CNN/DailyMail."""
    rows = sample.rows
    texts = [sentence_texts(row["article"]) for row in rows]
    summaries = ["\n".join(sentences[i] for i in lead(sentences)) for sentences in texts]
    scores = score_rouge(summaries, [row["highlights"] for row in rows])
    means = {name: 100 * sum(values) / len(values) for name, values in scores.items()}
    expected = {
        "cnn_dailymail": {"rouge1": 29.57, "rouge2": 11.39, "rougeL": 19.48, "rougeLsum": 26.22},
        "embedded": {"rouge1": 39.18, "rouge2": 17.55, "rougeL": 24.76, "rougeLsum": 33.74},
    }
    assert means == pytest.approx(expected[sample.corpus], abs=0.05)


def test_agrees_with_rouge_score(sample: Sample) -> None:
    scorer = RougeScorer(["rouge1", "rouge2"], use_stemmer=True)
    rows = sample.rows[:10]
    expected = [scorer.score(r["highlights"], r["article"]) for r in rows]
    scores = score_rouge([r["article"] for r in rows], [r["highlights"] for r in rows])
    for name in ("rouge1", "rouge2"):
        assert scores[name] == [row[name].fmeasure for row in expected]
