"""From a checkpoint and test articles to the evaluation."""

from pathlib import Path

import datasets

from highlighter.evaluation.aggregate import sum_up
from highlighter.evaluation.record import Evaluation
from highlighter.evaluation.scoring import score_rows
from highlighter.evaluation.systems import write_summaries
from highlighter.inference.summarizer import best_device
from highlighter.model.checkpoint import read_text_settings
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import EvaluationSettings, GenerationSettings, HighlightSettings


def judge(
    checkpoint: Path,
    articles: datasets.Dataset,
    *,
    test_fingerprint: str,
    highlights: HighlightSettings,
    generation: GenerationSettings,
    settings: EvaluationSettings,
    seed: int,
) -> tuple[Evaluation, datasets.Dataset]:
    """The evaluation, and the scored rows behind it (see `score_rows`)."""
    model = load_model(str(checkpoint)).to(best_device())
    outputs = write_summaries(
        model,
        load_tokenizer(str(checkpoint)),
        articles["article"][:],
        articles["highlights"][:],
        text=read_text_settings(checkpoint),
        highlights=highlights,
        generation=generation,
        batch_size=settings.batch_size,
        seed=seed,
    )
    rows = score_rows(articles, outputs, settings.workers)
    evaluation = sum_up(
        rows,
        # What the service runs instead is compared with it when it is registered (engine_check).
        writer=f"torch, {str(model.dtype).removeprefix('torch.')}, {model.device.type}",
        test_fingerprint=test_fingerprint,
        generation=generation,
        highlights=highlights,
        settings=settings,
        seed=seed,
    )
    return evaluation, rows
