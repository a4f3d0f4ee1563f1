"""Convert a checkpoint for CTranslate2, and compare its summaries with those of torch."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel

from highlighter.inference.engines import FOLDER, CTranslate2Writer, convert
from highlighter.inference.summarizer import Summarizer
from highlighter.metrics.rouge import score_rouge
from highlighter.model.checkpoint import write_engine
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import EngineSettings

_BATCH = 8


class EngineCheck(BaseModel):
    """Agreement of both engines' summaries.

    `same` is the number of equal summaries of `articles`; `rouge` is the mean ROUGE-L F1 of
    CTranslate2's summaries against those of torch, in percent.
    """

    articles: int
    same: int
    rouge: float
    accepted: bool


def convert_and_check(
    folder: Path, articles: Sequence[str], settings: EngineSettings
) -> EngineCheck:
    """Convert a registered checkpoint, and make CTranslate2 its engine if the summaries agree.

    Args:
        folder: the checkpoint, whose engine is torch. The converted model is kept in it only if it
            is accepted.
        articles: texts to summarize with both engines.
        settings: the type of the converted weights, and the lowest agreement to accept.
    """
    tokenizer = load_tokenizer(str(folder))
    convert(load_model(str(folder)), tokenizer, folder / FOLDER, settings.compute_type)
    summarizer = Summarizer.load(folder)
    read = summarizer.read(articles, _BATCH)
    reference = [draft.written for draft in summarizer.write(read, _BATCH)]
    summarizer.writer = CTranslate2Writer(folder / FOLDER, tokenizer, torch.get_num_threads())
    converted = [draft.written for draft in summarizer.write(read, _BATCH)]
    rouge = 100 * float(np.mean(score_rouge(converted, reference)["rougeL"]))
    # Two empty summaries are equal, but their ROUGE is 0.
    same = sum(a == b for a, b in zip(reference, converted, strict=True))
    accepted = rouge >= settings.minimum_agreement or same == len(articles)
    if accepted:
        write_engine(folder, "ctranslate2")
    else:
        shutil.rmtree(folder / FOLDER)
    return EngineCheck(articles=len(articles), same=same, rouge=rouge, accepted=accepted)
