"""The training pipeline: ingest, tokenize, fine-tune, evaluate, register."""

from zenml import pipeline
from zenml.enums import ExecutionMode

from highlighter.settings import GenerationSettings, HighlightSettings, ModelSource, TextSettings
from steps.evaluate import evaluate
from steps.fine_tune import fine_tune
from steps.ingest import ingest
from steps.register import register
from steps.tokenize import tokenize

STEPS = {step.name: step for step in (ingest, tokenize, fine_tune, evaluate, register)}


@pipeline(name="news_summarization", execution_mode=ExecutionMode.FAIL_FAST)
def summarization(
    data_version: str,
    model_version: str,
    model: ModelSource,
    seed: int = 13,
    text: TextSettings = TextSettings(),
    highlights: HighlightSettings = HighlightSettings(),
    generation: GenerationSettings = GenerationSettings(),
) -> None:
    """Fine-tune T5 on news, judge it, register it.

    The two versions are what the data and the model's files are today (`pipelines.config` finds
    them), so that a changed file is not taken for a cached one.
    """
    articles, ingest_report = ingest(seed=seed, data_version=data_version)
    features, tokenizer, tokenize_report = tokenize(articles, model, model_version, text)
    checkpoint, training_report = fine_tune(features, tokenizer, model, model_version, text, seed)
    evaluation, rows, engine, _ = evaluate(
        articles,
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
