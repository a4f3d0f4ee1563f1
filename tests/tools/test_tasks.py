"""Pretraining tasks: copying strings, masked spans, principal sentences."""

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED
from highlighter.data.windows import encode_prefix
from highlighter.model.tokenizer import SENTINELS
from highlighter.settings import TextSettings
from tools.pretraining.articles import ArticleEncoder
from tools.pretraining.recipe import StringStage, TaskWeights
from tools.pretraining.tasks import (
    MASKED_SHARE,
    TaskMaker,
    corrupt_spans,
    draw_string,
    principal_segments,
)

TOKENS = np.arange(300, 400)
STOP = 7


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def test_without_cues_the_target_is_the_source(random: np.random.Generator) -> None:
    stage = StringStage(kind="strings", name="copy", span_tokens=(2, 8))
    drawn = [draw_string(stage, TOKENS, STOP, random) for _ in range(200)]
    assert all(source == target for source, target in drawn)
    assert {len(source) for source, _ in drawn} == set(range(3, 10))
    assert all(source.index(STOP) == len(source) - 1 for source, _ in drawn)
    assert {token for source, _ in drawn for token in source} == {*TOKENS.tolist(), STOP}


def test_each_cue_selects_the_span_it_starts(random: np.random.Generator) -> None:
    stage = StringStage(kind="strings", name="find", cues=2, spans=(4, 5), span_tokens=(3, 6))
    for _ in range(100):
        source, target = draw_string(stage, TOKENS, STOP, random)
        cues, spans = source[:2], source[2:]
        places = [spans.index(cue) for cue in cues]
        assert all(spans.count(cue) == 1 for cue in cues)
        # The target is both spans, in the order of the cues, each unchanged.
        second = target.index(cues[1])
        assert spans[places[0] : places[0] + second] == target[:second]
        assert spans[places[1] : places[1] + len(target) - second] == target[second:]
        assert 8 <= len(target) <= 14
        # Each span ends with a stop, in the source and in the target.
        assert spans.count(STOP) in (4, 5)
        assert [place for place, token in enumerate(target) if token == STOP] == [
            second - 1,
            len(target) - 1,
        ]


def test_source_and_target_of_span_corruption_restore_the_text(random: np.random.Generator) -> None:
    tokens, sentinels = list(range(100)), [-1 - n for n in range(100)]
    for _ in range(50):
        source, target = corrupt_spans(tokens, sentinels, random)
        hidden: dict[int, list[int]] = {}
        for token in target:
            if token < 0:
                hidden[token] = []
                span = hidden[token]
            else:
                span.append(token)
        restored = [t for token in source for t in hidden.get(token, [token])]
        assert restored == tokens
        assert sum(map(len, hidden.values())) == round(100 * MASKED_SHARE)
        assert len(hidden) == 5
        assert list(hidden) == sentinels[:5]


@pytest.mark.parametrize("length", [2, 3, 7])
def test_the_shortest_texts_can_be_corrupted(length: int, random: np.random.Generator) -> None:
    source, target = corrupt_spans(list(range(length)), [-1], random)
    assert len(source) == length
    assert len(target) == 2


def test_principal_sentences_are_the_most_similar_to_the_rest() -> None:
    segments = [[1, 2, 3], [1, 2, 3, 4], [8, 9, 10, 11], [3, 4, 12]]
    assert principal_segments(segments, budget=4) == [1]
    assert principal_segments(segments, budget=7) == [0, 1]
    assert principal_segments(segments, budget=1) == [1], "one is always chosen"


@pytest.fixture
def maker(tokenizer: PreTrainedTokenizerBase) -> TaskMaker:
    text = TextSettings(max_source_tokens=256, max_target_tokens=64)
    return TaskMaker(
        text,
        encode_prefix(tokenizer, text),
        tokenizer.convert_tokens_to_ids(SENTINELS),
        tokenizer.eos_token_id,
    )


ARTICLE = (
    "The bridge at Calder will close in May, the council said on Tuesday.\n\n"
    "Repairs at the bridge cost 31 million pounds, said Holt, of the council.\n\n"
    "Tea is served at four."
)


def test_gap_sentences_are_masked_in_the_source_and_are_the_target(
    maker: TaskMaker, tokenizer: PreTrainedTokenizerBase, random: np.random.Generator
) -> None:
    [article] = ArticleEncoder(tokenizer, 200).encode([(ARTICLE, "")])
    row = maker.make(article, TaskWeights(gap_sentences=1), None, random)
    kept, written = tokenizer.decode(row.input_ids), tokenizer.decode(row.labels)
    for sentence in ARTICLE.split("\n\n"):
        assert (sentence in kept) != (sentence in written)
    assert kept.count("<extra_id_") == len([s for s in ARTICLE.split("\n\n") if s in written])
    assert "Tea is served" in kept, "the sentence least like the rest"


def test_extracted_sentences_stay_in_the_source(
    maker: TaskMaker, tokenizer: PreTrainedTokenizerBase, random: np.random.Generator
) -> None:
    highlights = "The Calder bridge closes in May ."
    [article] = ArticleEncoder(tokenizer, 200).encode([(ARTICLE, highlights)])
    row = maker.make(article, TaskWeights(extract=1), None, random)
    assert " ".join(ARTICLE.split()) in tokenizer.decode(row.input_ids)
    assert tokenizer.decode(row.labels[:-1]) in " ".join(ARTICLE.split())
    assert row.salience_labels == [1, 0, 0]


def test_a_text_without_highlights_is_never_summarized(
    maker: TaskMaker, tokenizer: PreTrainedTokenizerBase, random: np.random.Generator
) -> None:
    highlights = "The Calder bridge closes in May ."
    with_them, without = ArticleEncoder(tokenizer, 200).encode(
        [(ARTICLE, highlights), (ARTICLE, "")]
    )
    written = maker.make(with_them, TaskWeights(summarize=1), None, random)
    extracted = maker.make(without, TaskWeights(summarize=1), None, random)
    assert tokenizer.decode(written.labels[:-1]) == "The Calder bridge closes in May."
    assert tokenizer.decode(extracted.labels[:-1]) in " ".join(ARTICLE.split())
    assert set(extracted.salience_labels) == {IGNORED}


def test_a_stage_can_limit_windows(
    maker: TaskMaker, tokenizer: PreTrainedTokenizerBase, random: np.random.Generator
) -> None:
    [article] = ArticleEncoder(tokenizer, 200).encode([(ARTICLE, "")])
    longest = max(map(len, article.segments))
    rows = [maker.make(article, TaskWeights(extract=1), longest, random) for _ in range(20)]
    read = {tuple(row.segment_indices) for row in rows}
    assert len(read) > 1
    assert all(len(row.input_ids) <= longest + len(maker.prefix) + 1 for row in rows)
