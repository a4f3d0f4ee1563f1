"""Judge summaries on the test split, beside baselines on the same rows."""

from collections.abc import Sequence

import datasets
import numpy as np
from pydantic import BaseModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from highlighter.baselines import lead
from highlighter.checkpoint import generation_config
from highlighter.generation import generate_summaries
from highlighter.metrics.rouge import ROUGE_TYPES, score_rouge
from highlighter.settings import EvaluationSettings, GenerationSettings


class SystemScores(BaseModel):
    """Means over the test rows: ROUGE F1 in percent, length in words."""

    rouge1: float
    rouge2: float
    rougeL: float  # noqa: N815 - the field's own name
    rougeLsum: float  # noqa: N815
    words: float


class Evaluation(BaseModel):
    """Scores of each system on the same rows, and how they were got."""

    rows: int
    test_fingerprint: str
    generation: GenerationSettings
    systems: dict[str, SystemScores]
    generated_tokens: float
    cut_off: float
    empty: float

    def metrics(self) -> dict[str, float]:
        """The evaluation as flat metrics, named `test/<system>/<measure>`."""
        flat = {
            f"test/{system}/{name}": value
            for system, scores in self.systems.items()
            for name, value in scores.model_dump().items()
        }
        for name in ("generated_tokens", "cut_off", "empty"):
            flat[f"test/summary/{name}"] = getattr(self, name)
        return flat


def evaluate_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    articles: datasets.Dataset,
    features: datasets.Dataset,
    generation: GenerationSettings,
    settings: EvaluationSettings,
    test_fingerprint: str,
) -> tuple[Evaluation, datasets.Dataset]:
    """The evaluation and its rows: id, article, reference, and each system's text and ROUGE."""
    outputs = generate_summaries(
        model,
        tokenizer,
        features["input_ids"][:],
        generation_config(generation, tokenizer),
        batch_size=settings.batch_size,
        show_progress=True,
    )
    texts = {
        "summary": tokenizer.batch_decode(outputs, skip_special_tokens=True),
        "lead3": [lead(article) for article in articles["article"]],
    }
    references = articles["highlights"][:]
    columns: dict[str, Sequence[str] | Sequence[float]] = {
        "id": articles["id"][:],
        "article": articles["article"][:],
        "reference": references,
    }
    systems = {}
    for system, predictions in texts.items():
        scores = score_rouge(predictions, references)
        columns[system] = predictions
        columns.update({f"{system}_{name}": scores[name] for name in ROUGE_TYPES})
        systems[system] = SystemScores(
            **{name: 100 * float(np.mean(scores[name])) for name in ROUGE_TYPES},
            words=float(np.mean([len(text.split()) for text in predictions])),
        )
    lengths = [len(ids) for ids in outputs]
    evaluation = Evaluation(
        rows=len(references),
        test_fingerprint=test_fingerprint,
        generation=generation,
        systems=systems,
        generated_tokens=float(np.mean(lengths)),
        cut_off=float(np.mean([length >= generation.max_new_tokens for length in lengths])),
        empty=float(np.mean([not text.strip() for text in texts["summary"]])),
    )
    return evaluation, datasets.Dataset.from_dict(columns)
