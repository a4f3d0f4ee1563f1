"""The training pipeline: ingest, tokenize, fine-tune, evaluate, register."""

from zenml import pipeline
from zenml.enums import ExecutionMode

from highlighter.settings import (
    PIPELINE_NAME,
    GenerationSettings,
    HighlightSettings,
    ModelSource,
    TextSettings,
)
from steps.evaluate import evaluate
from steps.fine_tune import fine_tune
from steps.ingest import ingest
from steps.register import register
from steps.tokenize import tokenize

STEPS = {step.name: step for step in (ingest, tokenize, fine_tune, evaluate, register)}


@pipeline(name=PIPELINE_NAME, execution_mode=ExecutionMode.FAIL_FAST)
def summarization(
    data_version: str,
    model_version: str,
    model: ModelSource,
    seed: int = 13,
    text: TextSettings = TextSettings(),
    highlights: HighlightSettings = HighlightSettings(),
    generation: GenerationSettings = GenerationSettings(),
) -> None:
    """Fine-tune a T5 on news, evaluate it and register it.

    Args:
        data_version: hash of the source's files, or the commit of its repository. It is part of the
            cache keys, so that changed files are read again. `pipelines.run` computes it.
        model_version: the same for the model's files; empty for a model built from its shape.
        model: the model to fine-tune.
        seed: seed of data order, new weights, dropout and bootstrap.
        text: limits of the model's input and output.
        highlights: use of the salience scores, and checks of written summaries.
        generation: decoding of summaries.
    """
    articles, ingest_report = ingest(seed=seed, data_version=data_version)
    features, tokenizer, tokenize_report = tokenize(articles, model, model_version, text)
    checkpoint, training_report = fine_tune(features, tokenizer, model, model_version, text, seed)
    evaluation, rows, engine, _ = evaluate(
        articles,
        features,
        checkpoint,
        ingest_report,
        tokenize_report,
        training_report,
        model,
        model_version,
        highlights,
        generation,
        seed,
    )
    register(checkpoint, evaluation, rows, engine, ingest_report, seed)
