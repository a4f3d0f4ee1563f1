"""The batches of training, and what reading an article returns."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.data.collator import IGNORED, Draws, WindowCollator
from highlighter.data.features import tokenize_splits
from highlighter.data.sentence_features import FEATURES, describe_segments, token_weights
from highlighter.data.windows import encode_articles, encode_prefix
from highlighter.inference.reader import Reader
from highlighter.model.build import build_model
from highlighter.model.model import HighlightModel
from highlighter.settings import MapSettings, ScratchModel, TextSettings

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
SHORT = TextSettings(max_source_tokens=64, max_target_tokens=32, overlap_tokens=16)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    model = build_model(TINY, tokenizer, seed=3)
    # A head whose encoder part counts, so that a wrong pooling can't hide behind zeros.
    torch.nn.init.normal_(model.salience.states.weight)
    return model.eval()


@pytest.fixture(scope="module")
def rows(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("features")
    features, _ = tokenize_splits(articles, tokenizer, SHORT, MapSettings(), folder)
    return list(features["test"])


def collator(tokenizer: PreTrainedTokenizerBase, shuffle: bool) -> WindowCollator:
    return WindowCollator(
        text=SHORT,
        prefix=encode_prefix(tokenizer, SHORT),
        pad=tokenizer.pad_token_id,
        end=tokenizer.eos_token_id,
        reading_windows=1,
        shuffle=shuffle,
    )


def test_padding_and_neighbours_in_a_batch_change_no_score(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict
) -> None:
    texts = [articles["test"][0]["article"], "Short one.", articles["test"][1]["article"] * 3]
    reader = Reader(model, tokenizer, SHORT)
    together = reader.read(texts, batch_size=8)
    for text, read in zip(texts, together, strict=True):
        [alone] = reader.read([text], batch_size=1)
        assert read.scores == pytest.approx(alone.scores, abs=1e-5)
        assert read.windows == alone.windows


def test_validation_reads_every_segment_and_training_draws_from_seed_and_epoch(
    tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, object]]
) -> None:
    row = rows[0]
    batch = collator(tokenizer, shuffle=False)([row])
    labels = batch["salience_labels"]
    segments = {int(i) for i in batch["segment_indices"][labels != IGNORED]}
    assert segments == set(range(len(row["segment_lengths"])))  # type: ignore[arg-type]
    draws = []
    for seed, epoch in ((1, 0), (1, 0), (2, 0), (1, 1)):
        drawing = replace(collator(tokenizer, shuffle=True), draws=Draws(seed, epoch))
        draws.append([drawing([row])["input_ids"].tolist() for row in rows[:8]])
    assert draws[0] == draws[1] != draws[2]
    assert draws[0] != draws[3] != draws[2]


def test_the_oracles_sentences_reach_a_selected_source(
    tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, object]]
) -> None:
    row = dict(rows[0])
    count = len(row["segment_lengths"])  # type: ignore[arg-type]
    row["salience_labels"] = [0] * (count - 1) + [1]
    together = replace(collator(tokenizer, shuffle=True), reading_windows=0)
    last = []
    for together.draws.epoch in range(20):
        last.append(int(together([row])["segment_indices"][0, -1]) == count - 1)
    assert 3 <= sum(last) <= 17  # a coin's toss


def test_an_article_is_read_to_its_end_at_linear_cost(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict
) -> None:
    reader = Reader(model, tokenizer, SHORT)
    unit = articles["test"][0]["article"] + "\n\n"
    counts = [reader.read([unit * n], batch_size=16)[0].windows for n in (5, 10, 20)]
    assert counts[1] == pytest.approx(2 * counts[0], abs=2)
    assert counts[2] == pytest.approx(4 * counts[0], abs=4)
    [read] = reader.read([unit * 10], batch_size=16)
    assert len(read.scores) == len(read.encoded.sentences) > 40
    assert all(0 <= score <= 1 for score in read.scores)


def test_the_decoder_reads_the_most_salient_sentences_and_the_start_in_order(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict
) -> None:
    text = " ".join(f"The bridge at {number} closed." for number in range(10, 30))
    settings = SHORT.model_copy(update={"max_source_tokens": 128})
    reader = Reader(model, tokenizer, settings)
    [read] = reader.read([text], batch_size=4)
    count = len(read.scores)
    wanted = replace(read, scores=[float(i in (1, count - 1)) for i in range(count)])
    selected = tokenizer.decode(reader.source(wanted, selected=2), skip_special_tokens=True)
    first = tokenizer.decode(reader.source(wanted, selected=0), skip_special_tokens=True)
    assert selected.startswith("summarize: The bridge at 10")
    assert selected.endswith("The bridge at 29 closed.")
    assert "at 11 closed" in selected
    assert "at 29" not in first
    assert len(reader.source(wanted, selected=2)) <= settings.max_source_tokens
    short = reader.read(["Only this."], batch_size=1)[0]
    assert reader.fits(short)
    assert reader.source(short, 2) == reader.source(short, 0)


@pytest.mark.parametrize(
    "text",
    ["", " \n\n ", "x", "word " * 3000, "日本語" * 2000, "a.\n" * 500],
    ids=["empty", "blank", "letter", "one sentence", "no space", "many"],
)
def test_odd_articles_are_read(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, text: str
) -> None:
    [read] = Reader(model, tokenizer, SHORT).read([text], batch_size=4)
    assert len(read.scores) == len(read.encoded.sentences)
    assert read.encoded.tokens >= len(read.encoded.segments)


def test_sentences_give_the_tokens_the_whole_article_gives(
    t5_vocabulary: Path, sample_rows: dict[str, list[dict[str, str]]]
) -> None:
    from highlighter.model.tokenizer import load_tokenizer

    real = load_tokenizer(str(t5_vocabulary))
    texts = [row["article"] for row in sample_rows["test"][:50]]
    for text, encoded in zip(texts, encode_articles(texts, real, 500), strict=True):
        # A space at each boundary: "end.Next" would be one word to the tokenizer.
        spaced = " ".join(text[start:end] for start, end in encoded.sentences)
        tokens = [token for segment in encoded.segments for token in segment]
        assert tokens == real(spaced, add_special_tokens=False)["input_ids"]


def test_features_tell_place_and_words(tokenizer: PreTrainedTokenizerBase) -> None:
    weights = token_weights(tokenizer)
    assert weights.min() == 0
    assert weights[tokenizer.all_special_ids].max() == 0
    common, rare = [5, 6], [300, 301]
    weights = np.zeros(len(tokenizer), dtype=np.float32)
    weights[rare] = 1
    table = _features([rare + common, common, [302, 303], rare], weights)
    central = table["centrality"]
    assert central[0] == central[3] > central[1] == central[2] == 0
    assert list(table["relative_index"]) == [0, 0.25, 0.5, 0.75]
    assert table["overlap_with_lead"][3] > 0 == table["overlap_with_lead"][2]
    assert np.isfinite(_table([[], [1]], weights)).all()


def _table(segments: Sequence[Sequence[int]], weights: np.ndarray) -> np.ndarray:
    return describe_segments(segments, weights)


def _features(segments: Sequence[Sequence[int]], weights: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(FEATURES, _table(segments, weights).T, strict=True))
