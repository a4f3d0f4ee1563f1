"""The evaluation people would otherwise write: transformers' `generate`, then `rouge_score`.

Full precision, batches of 4 articles in the order given, the first 512 tokens of each; one process
scores, and `rouge_score`'s own bootstrap gives the intervals.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import BootstrapAggregator
from transformers import AutoTokenizer, T5ForConditionalGeneration

from highlighter.settings import GenerationSettings

_BATCH = 4
_PREFIX = "summarize: "
_SOURCE_TOKENS = 512
_TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


class PlainEvaluation:
    """T5 as it is loaded by default."""

    def __init__(self, checkpoint: Path) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = T5ForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
        self._model = model.to(device).eval()

    @torch.inference_mode()
    def write(self, articles: Sequence[str], settings: GenerationSettings) -> list[str]:
        """A summary of each article."""
        summaries: list[str] = []
        for start in range(0, len(articles), _BATCH):
            inputs = self._tokenizer(
                [_PREFIX + article for article in articles[start : start + _BATCH]],
                max_length=_SOURCE_TOKENS,
                padding=True,
                truncation=True,
                return_tensors="pt",
            ).to(self._model.device)
            ids = self._model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                num_beams=settings.num_beams,
                early_stopping=settings.num_beams > 1,
                length_penalty=settings.length_penalty,
                min_new_tokens=settings.min_new_tokens,
                max_new_tokens=settings.max_new_tokens,
                no_repeat_ngram_size=settings.no_repeat_ngram_size,
            )
            summaries += self._tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [summary.strip() for summary in summaries]


def score(summaries: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Mean F1 in percent of each ROUGE type; the texts have one sentence a line."""
    scorer = RougeScorer(_TYPES, use_stemmer=True)
    aggregator = BootstrapAggregator()
    for summary, reference in zip(summaries, references, strict=True):
        aggregator.add_scores(scorer.score(reference, summary))
    scores = aggregator.aggregate()
    return {name: 100 * float(scores[name].mid.fmeasure) for name in _TYPES}
