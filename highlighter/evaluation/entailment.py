"""Score summaries with a learned judge: does the article entail each sentence?

This is SummaC-ZS (Laban et al. 2022, "SummaC: Re-Visiting NLI-based Models for Inconsistency
Detection in Summarization"): a classifier of natural language inference compares each sentence of a
summary with each of the article. A sentence's score is the highest probability of entailment, and a
summary's is the mean over its sentences.
"""

from collections.abc import Sequence
from pathlib import Path

import datasets
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from highlighter.data.sentences import sentence_texts
from highlighter.errors import CheckpointError, first_line
from highlighter.evaluation.record import EntailmentScores
from highlighter.metrics.statistics import mean_interval
from highlighter.settings import EntailmentSettings


class EntailmentJudge:
    """A classifier of natural language inference."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        entailment: int,
        batch_size: int,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._entailment = entailment
        self._batch_size = batch_size
        limit = getattr(model.config, "max_position_embeddings", 512)
        self._limit = min(512, limit - 2)  # RoBERTa's positions begin at 2

    @classmethod
    def load(cls, settings: EntailmentSettings) -> "EntailmentJudge":
        """Load a classifier and its tokenizer, on the GPU if there is one.

        Raises:
            CheckpointError: it cannot be loaded, lacks weights, or has no label for entailment.
        """
        name, revision = settings.model, settings.revision
        try:
            tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
            model, loading = AutoModelForSequenceClassification.from_pretrained(
                name,
                revision=revision,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
            )
        except (OSError, ValueError, ImportError, KeyError) as error:
            place = "this folder" if Path(name).is_dir() else "the hub"
            raise CheckpointError(
                f"{name}: no classifier can be loaded from {place} ({first_line(error)})."
            ) from error
        if missing := sorted(loading["missing_keys"]):
            raise CheckpointError(
                f"{name}: {len(missing)} of the classifier's weights are missing, for example "
                f"{missing[0]}; choose a model that was fine-tuned on natural language inference."
            )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        label = _entailment_label(name, model.config.id2label)
        return cls(model.eval().to(device), tokenizer, label, settings.batch_size)

    def score(self, article: str, summaries: Sequence[str]) -> list[float]:
        """Return each summary's mean entailment by the article, in 0..1; NaN for no sentence."""
        premises = sentence_texts(article)
        sentences = [sentence_texts(summary) for summary in summaries]
        distinct = list(dict.fromkeys(sentence for each in sentences for sentence in each))
        pairs = [(premise, sentence) for sentence in distinct for premise in premises]
        probabilities = self._entailed(pairs).reshape(len(distinct), len(premises))
        best = probabilities.max(axis=1, initial=0.0)
        of_sentence = dict(zip(distinct, best, strict=True))
        return [
            float(np.mean([of_sentence[sentence] for sentence in each])) if each else float("nan")
            for each in sentences
        ]

    @torch.inference_mode()
    def _entailed(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        """Return the probability of entailment of each (premise, hypothesis)."""
        order = sorted(range(len(pairs)), key=lambda index: sum(map(len, pairs[index])))
        probabilities = np.zeros(len(pairs))
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            inputs = self._tokenizer(
                [pairs[index][0] for index in batch],
                [pairs[index][1] for index in batch],
                truncation="longest_first",
                max_length=self._limit,
                padding=True,
                return_tensors="pt",
            ).to(self._model.device)
            logits = self._model(**inputs).logits
            probabilities[batch] = logits.softmax(dim=-1)[:, self._entailment].cpu().numpy()
        return probabilities


def _entailment_label(name: str, labels: dict[int, str]) -> int:
    found = [
        index
        for index, label in labels.items()
        if "entail" in label.lower() and not label.lower().startswith(("not", "non", "no_"))
    ]
    if len(found) != 1:
        raise CheckpointError(
            f"{name}: its config.json has the labels {', '.join(labels.values())}; one of them "
            "must be entailment. Choose a classifier of natural language inference."
        )
    return int(found[0])


def score_entailment(
    judge: EntailmentJudge,
    rows: datasets.Dataset,
    systems: Sequence[str],
    settings: EntailmentSettings,
    *,
    resamples: int,
    seed: int,
) -> EntailmentScores:
    """Return the entailment of the first `settings.articles` rows' summaries.

    Args:
        judge: what `EntailmentJudge.load(settings)` returned.
        rows: column `article`, and the summaries in a column for each system.
        systems: names of the columns to judge.
        settings: the classifier, and how many rows it judges.
        resamples: bootstrap resamples of an interval.
        seed: of the resampling.
    """
    judged = rows.select(range(min(settings.articles, len(rows))))
    scores = [
        judge.score(row["article"], [row[system] for system in systems])
        for row in judged.select_columns(["article", *systems])
    ]
    return EntailmentScores(
        model=settings.model,
        revision=settings.revision,
        rows=len(judged),
        systems={
            system: mean_interval(values, resamples, seed)
            for system, values in zip(systems, np.array(scores).T, strict=True)
        },
    )
