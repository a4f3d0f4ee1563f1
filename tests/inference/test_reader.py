"""What reading an article returns: scores of all sentences, windows, and the decoder's source."""

from dataclasses import replace

import datasets
import pytest
import torch
from transformers import PreTrainedTokenizerBase

from highlighter.inference.reader import Reader
from highlighter.model.build import build_model
from highlighter.model.model import HighlightModel
from highlighter.settings import ScratchModel, TextSettings

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
SHORT = TextSettings(max_source_tokens=64, max_target_tokens=32, overlap_tokens=16)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    model = build_model(TINY, tokenizer, seed=3)
    # A head whose encoder part counts, so that a wrong pooling can't hide behind zeros.
    torch.nn.init.normal_(model.salience.states.weight)
    return model.eval()


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
    scored = replace(read, scores=[float(i in (1, count - 1)) for i in range(count)])
    selected = tokenizer.decode(reader.source(scored, selected=2), skip_special_tokens=True)
    first = tokenizer.decode(reader.source(scored, selected=0), skip_special_tokens=True)
    assert selected.startswith("summarize: The bridge at 10")
    assert selected.endswith("The bridge at 29 closed.")
    assert "at 11 closed" in selected
    assert "at 29" not in first
    assert len(reader.source(scored, selected=2)) <= settings.max_source_tokens
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
