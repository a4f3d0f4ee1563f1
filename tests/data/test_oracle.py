import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from highlighter.data.oracle import greedy_oracle
from highlighter.data.sentences import sentence_texts
from highlighter.metrics.rouge import score_rouge
from tests.conftest import Sample

WORDS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=6).map(" ".join)


def naive(sentences: list[str], highlights: str, limit: int) -> list[int]:
    """The same greedy search, scoring every candidate selection from scratch."""

    def grams(texts: list[str], n: int) -> set[tuple[str, ...]]:
        return {
            gram
            for text in texts
            for words in [text.split()]
            for gram in zip(*(words[i:] for i in range(n)), strict=False)
        }

    def f1(chosen: list[int], n: int) -> float:
        wanted, got = grams([highlights], n), grams([sentences[i] for i in chosen], n)
        return 2 * len(wanted & got) / (len(wanted) + len(got)) if wanted & got else 0.0

    chosen: list[int] = []
    best = 0.0
    while len(chosen) < limit:
        scores = {
            i: f1([*chosen, i], 1) + f1([*chosen, i], 2)
            for i in range(len(sentences))
            if i not in chosen
        }
        winner = max(scores, key=lambda i: (scores[i], -i), default=None)
        if winner is None or scores[winner] <= best:
            break
        best = scores[winner]
        chosen.append(winner)
    return sorted(chosen)


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=7), WORDS)
def test_equals_the_search_from_scratch(sentences: list[str], highlights: str) -> None:
    assert greedy_oracle(sentences, highlights) == naive(sentences, highlights, 3)


def test_takes_the_sentences_the_highlights_were_made_of() -> None:
    sentences = [
        "It rained.",
        "The bridge will close in May.",
        "Cats sat.",
        "Repairs cost 4 million.",
    ]
    assert greedy_oracle(sentences, "Bridge to close in May.\nRepairs will cost 4 million.") == [
        1,
        3,
    ]


def test_a_sentence_that_adds_nothing_is_not_taken() -> None:
    assert greedy_oracle(["The bridge closes.", "The bridge closes."], "The bridge closes.") == [0]
    assert greedy_oracle(["Nothing alike."], "Other words") == []
    assert greedy_oracle([], "Other words") == []


def test_scores_of_the_oracle(sample: Sample) -> None:
    """An independent program computed the expected values for CNN/DailyMail."""
    rows = sample.rows
    texts = [sentence_texts(row["article"]) for row in rows]
    chosen = [greedy_oracle(s, row["highlights"]) for s, row in zip(texts, rows, strict=True)]
    summaries = ["\n".join(s[i] for i in c) for s, c in zip(texts, chosen, strict=True)]
    scores = score_rouge(summaries, [row["highlights"] for row in rows])
    means = {name: 100 * sum(v) / len(v) for name, v in scores.items()}
    expected = {"cnn_dailymail": (48.2, 27.6), "embedded": (58.15, 34.52)}[sample.corpus]
    assert (means["rouge1"], means["rouge2"]) == pytest.approx(expected, abs=0.3)


def test_greedy_is_close_to_the_best_selection_on_a_small_case() -> None:
    sentences = ["a b c", "c d e", "a b c d e f g h"]
    assert greedy_oracle(sentences, "a b c d e") in [
        sorted(pick) for n in (1, 2, 3) for pick in itertools.combinations(range(3), n)
    ]
    assert greedy_oracle(sentences, "a b c d e", limit=1) == [2]
