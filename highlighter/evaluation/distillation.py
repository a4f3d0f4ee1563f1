"""Evaluate a student beside its teacher, each as it is served: quality and speed."""

import time
from collections.abc import Sequence
from pathlib import Path

import datasets
import numpy as np
import torch

from highlighter.evaluation.evaluate import judge
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
from highlighter.inference.engines import FOLDER, compute_type, convert
from highlighter.inference.summarizer import Summarizer, best_device
from highlighter.metrics.statistics import paired_difference, ratio_interval
from highlighter.model.checkpoint import (
    count_parameters,
    finish_checkpoint,
    read_engine,
    read_generation_settings,
    read_highlight_settings,
    write_engine,
)
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import ROUGE_TYPES, EvaluationSettings
from highlighter.system.folders import temporary_folder


def compare_speed(
    teacher: Path, student: Path, articles: Sequence[str], *, resamples: int, seed: int
) -> Speed:
    """Have two registered checkpoints answer the same articles, each with its own writer."""
    summarizers = [Summarizer.load(folder) for folder in (teacher, student)]
    for summarizer in summarizers:
        _seconds(summarizer, articles[0])  # the first call of each is slower
    seconds = np.zeros((len(articles), 2))
    for number, article in enumerate(articles):
        # Who comes first changes, so that a machine that slows down is unfair to neither.
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


def judge_beside_teacher(
    student: Path,
    teacher: Path,
    name: str,
    articles: datasets.Dataset,
    judged: tuple[Evaluation, datasets.Dataset],
    *,
    settings: EvaluationSettings,
    seed: int,
) -> tuple[Evaluation, datasets.Dataset]:
    """The student's evaluation and rows, with the teacher's beside them.

    The teacher writes with the settings it was registered with, the student with its own. `name`
    is what the teacher is called.
    """
    evaluation, rows = judged
    of_teacher, teacher_rows = judge(
        teacher,
        articles,
        test_fingerprint=evaluation.test_fingerprint,
        highlights=read_highlight_settings(teacher),
        generation=read_generation_settings(teacher),
        settings=settings,
        seed=seed,
    )
    measures = {s: [column(s, rouge) for rouge in ROUGE_TYPES] for s in COMPARED}
    for measured in [*COMPARED, *sum(measures.values(), [])]:
        rows = rows.add_column(teacher_column(measured), teacher_rows[measured][:])
    tradeoff = Tradeoff(
        name=name,
        teacher=_contender(teacher, of_teacher),
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
        speed=compare_speed(
            teacher,
            _as_served(student, evaluation, teacher),
            articles["article"][: settings.timed_articles],
            resamples=settings.resamples,
            seed=seed,
        ),
    )
    return evaluation.model_copy(update={"tradeoff": tradeoff}), rows


def _contender(folder: Path, evaluation: Evaluation) -> Contender:
    config = load_model(str(folder)).config
    systems = {system: evaluation.systems[system] for system in COMPARED}
    return Contender(
        encoder_layers=config.num_layers,
        decoder_layers=config.num_decoder_layers,
        parameters=count_parameters(folder),
        num_beams=evaluation.generation.num_beams,
        rouge={s: {r: scores.rouge[r].mean for r in ROUGE_TYPES} for s, scores in systems.items()},
        faithfulness={s: scores.faithfulness.mean for s, scores in systems.items()},
        fact_recall={s: scores.fact_recall.mean for s, scores in systems.items()},
    )


def _as_served(student: Path, evaluation: Evaluation, teacher: Path) -> Path:
    """The student's checkpoint finished, with its teacher's writer if that can hold it to words."""
    folder = temporary_folder("student") / "checkpoint"
    finish_checkpoint(student, evaluation.generation, evaluation.highlights, folder)
    constrained = evaluation.highlights.trust.names_from_article
    if read_engine(teacher) == "ctranslate2" and not constrained:
        model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
        convert(model, tokenizer, folder / FOLDER, compute_type(teacher / FOLDER))
        write_engine(folder, "ctranslate2")
    return folder
