"""Judge a student beside its teacher, each as it is served."""

from pathlib import Path

import datasets

from highlighter.checkpoint import (
    count_parameters,
    finish_checkpoint,
    read_engine,
    read_generation_settings,
    read_highlight_settings,
    write_engine,
)
from highlighter.ctranslate2_writer import FOLDER, compute_type, convert
from highlighter.evaluation.columns import column
from highlighter.evaluation.judge import judge
from highlighter.evaluation.record import Evaluation
from highlighter.evaluation.speed import compare_speed
from highlighter.evaluation.tradeoff import COMPARED, Contender, Tradeoff, teacher_column
from highlighter.metrics.rouge_types import ROUGE_TYPES
from highlighter.model import load_model
from highlighter.settings import EvaluationSettings
from highlighter.statistics import paired_difference
from highlighter.tokenizer import load_tokenizer
from highlighter.workspace import temporary_folder


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
