"""Evaluate a registered checkpoint on test articles."""

from pathlib import Path

import datasets

from highlighter.evaluation.aggregate import sum_up
from highlighter.evaluation.entailment import EntailmentJudge, score_entailment
from highlighter.evaluation.record import COMPARED, Evaluation
from highlighter.evaluation.scoring import score_rows
from highlighter.evaluation.systems import run_systems
from highlighter.inference.summarizer import Summarizer
from highlighter.model.checkpoint import read_generation_settings, read_highlight_settings
from highlighter.settings import EvaluationSettings


def evaluate_checkpoint(
    checkpoint: Path,
    articles: datasets.Dataset,
    *,
    test_fingerprint: str,
    oracle_sentences: int,
    settings: EvaluationSettings,
    seed: int,
) -> tuple[Evaluation, datasets.Dataset]:
    """Return the evaluation, and the scored rows it was computed from (see `score_rows`).

    Args:
        checkpoint: a folder with settings and engine, as it is registered and served.
        articles: columns `id`, `article`, `highlights` and `group`.
        test_fingerprint: fingerprint of the articles.
        oracle_sentences: maximum number of sentences of the oracle.
        settings: batch sizes, processes and resamples.
        seed: seed of the random baseline and of the bootstrap.
    """
    # A judge that cannot be loaded should end the step at once.
    judge = EntailmentJudge.load(settings.entailment) if settings.entailment else None
    summarizer = Summarizer.load(checkpoint)
    rows = run_systems(
        summarizer,
        articles,
        batch_size=settings.batch_size,
        oracle_sentences=oracle_sentences,
        seed=seed,
    )
    rows = score_rows(rows, settings.workers)
    evaluation = sum_up(
        rows,
        writer=summarizer.writer.description,
        test_fingerprint=test_fingerprint,
        generation=read_generation_settings(checkpoint),
        highlights=read_highlight_settings(checkpoint),
        settings=settings,
        seed=seed,
    )
    if judge and settings.entailment:
        evaluation.entailment = score_entailment(
            judge, rows, COMPARED, settings.entailment, resamples=settings.resamples, seed=seed
        )
    return evaluation, rows
