"""Whether a converted model writes what the reference writes, before it may serve."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from transformers import GenerationConfig

from highlighter.inference.engines import FOLDER, CTranslate2Writer, TorchWriter, convert
from highlighter.inference.reader import Reader
from highlighter.metrics.rouge import score_rouge
from highlighter.model.checkpoint import read_highlight_settings, read_text_settings
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import EngineSettings

_BATCH = 8


class EngineCheck(BaseModel):
    """How the summaries of both engines agree on some articles; `rouge` is in percent."""

    articles: int
    same: int
    rouge: float
    accepted: bool


def convert_and_check(
    folder: Path, articles: Sequence[str], settings: EngineSettings, threads: int
) -> EngineCheck:
    """Convert a checkpoint folder's model into it, and compare both on the articles.

    `rouge` is the mean ROUGE-L F1 of the converted model's summaries against torch's. Below the
    settings' least agreement the check is not accepted.
    """
    tokenizer = load_tokenizer(str(folder))
    model = load_model(str(folder), tokenizer=tokenizer).eval()
    convert(model, tokenizer, folder / FOLDER, settings.compute_type)
    reader = Reader(model, tokenizer, read_text_settings(folder))
    selected = read_highlight_settings(folder).selected
    sources = [reader.source(article, selected) for article in reader.read(articles, _BATCH)]
    config = GenerationConfig.from_pretrained(folder)
    writers = (
        TorchWriter(model.seq2seq, tokenizer),
        CTranslate2Writer(folder / FOLDER, tokenizer, threads),
    )
    reference, converted = (
        tokenizer.batch_decode(
            [out.ids for out in writer.write(sources, config, batch_size=_BATCH)],
            skip_special_tokens=True,
        )
        for writer in writers
    )
    rouge = 100 * float(np.mean(score_rouge(converted, reference)["rougeL"]))
    # Two empty summaries agree, but score 0.
    same = sum(a == b for a, b in zip(reference, converted, strict=True))
    accepted = rouge >= settings.minimum_agreement or same == len(articles)
    return EngineCheck(articles=len(articles), same=same, rouge=rouge, accepted=accepted)
