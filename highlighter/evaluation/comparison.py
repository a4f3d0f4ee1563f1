"""Compare quality and speed of a student and its teacher, each with its own engine and settings."""

import time
from collections.abc import Sequence
from pathlib import Path

import datasets
import numpy as np
import torch

from highlighter.evaluation.evaluate import evaluate_checkpoint
from highlighter.evaluation.record import (
    COMPARED,
    Contender,
    Evaluation,
    Speed,
    Tradeoff,
    column,
    teacher_column,
)
from highlighter.inference.answers import HighlightRequest
from highlighter.inference.summarizer import Summarizer, best_device
from highlighter.metrics.statistics import paired_difference, ratio_interval
from highlighter.model.checkpoint import count_parameters
from highlighter.model.model import load_model
from highlighter.settings import ROUGE_TYPES, EvaluationSettings


def compare_with_teacher(
    student: Path,
    teacher: Path,
    name: str,
    articles: datasets.Dataset,
    evaluated: tuple[Evaluation, datasets.Dataset],
    *,
    oracle_sentences: int,
    settings: EvaluationSettings,
    seed: int,
) -> tuple[Evaluation, datasets.Dataset]:
    """Return the student's evaluation and rows, with the teacher's columns added.

    Args:
        student: registered checkpoint of the student.
        teacher: registered checkpoint of the teacher; each uses its own settings and engine.
        name: the teacher's name in the report.
        articles: the test articles.
        evaluated: the student's evaluation on the test articles, and its scored rows.
        oracle_sentences: maximum number of sentences of the oracle.
        settings: as for `evaluate_checkpoint`.
        seed: as for `evaluate_checkpoint`.
    """
    evaluation, rows = evaluated
    teacher_evaluation, teacher_rows = evaluate_checkpoint(
        teacher,
        articles,
        test_fingerprint=evaluation.test_fingerprint,
        oracle_sentences=oracle_sentences,
        settings=settings,
        seed=seed,
    )
    measures = {s: [column(s, rouge) for rouge in ROUGE_TYPES] for s in COMPARED}
    for measured in [*COMPARED, *sum(measures.values(), [])]:
        rows = rows.add_column(teacher_column(measured), teacher_rows[measured][:])
    tradeoff = Tradeoff(
        name=name,
        teacher=_contender(teacher, teacher_evaluation),
        student=_contender(student, evaluation),
        difference={
            system: {
                rouge: paired_difference(
                    rows[measure][:], rows[teacher_column(measure)][:], settings.resamples, seed
                )
                for rouge, measure in zip(ROUGE_TYPES, measures[system], strict=True)
            }
            for system in COMPARED
        },
        speed=_compare_speed(
            teacher,
            student,
            articles["article"][: settings.timed_articles],
            resamples=settings.resamples,
            seed=seed,
        ),
    )
    return evaluation.model_copy(update={"tradeoff": tradeoff}), rows


def _compare_speed(
    teacher: Path, student: Path, articles: Sequence[str], *, resamples: int, seed: int
) -> Speed:
    summarizers = [Summarizer.load(folder) for folder in (teacher, student)]
    for summarizer in summarizers:
        _seconds(summarizer, articles[0])  # the first call of each is slower
    seconds = np.zeros((len(articles), 2))
    for number, article in enumerate(articles):
        # The order alternates, so that a change of the machine's speed affects both alike.
        for which in (0, 1) if number % 2 else (1, 0):
            seconds[number, which] = _seconds(summarizers[which], article)
    medians = np.median(seconds, axis=0)
    return Speed(
        articles=len(articles),
        device=best_device().type,
        threads=torch.get_num_threads(),
        teacher=float(medians[0]),
        student=float(medians[1]),
        ratio=ratio_interval(seconds[:, 0], seconds[:, 1], resamples, seed),
    )


def _seconds(summarizer: Summarizer, article: str) -> float:
    started = time.perf_counter()
    summarizer.summarize([HighlightRequest(article=article)])
    return time.perf_counter() - started


def _contender(folder: Path, evaluation: Evaluation) -> Contender:
    encoder_layers, decoder_layers = load_model(str(folder)).layers
    systems = {system: evaluation.systems[system] for system in COMPARED}
    return Contender(
        encoder_layers=encoder_layers,
        decoder_layers=decoder_layers,
        parameters=count_parameters(folder),
        num_beams=evaluation.generation.num_beams,
        rouge={s: {r: scores.rouge[r].mean for r in ROUGE_TYPES} for s, scores in systems.items()},
        faithfulness={s: scores.faithfulness.mean for s, scores in systems.items()},
        fact_recall={s: scores.fact_recall.mean for s, scores in systems.items()},
    )
