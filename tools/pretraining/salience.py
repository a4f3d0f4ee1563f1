"""Fit the salience head anew, alone, to the states of an encoder that learns no more.

The encoder has read the extra text many times and knows it by heart, and a head that learned along
with it relies on that: it tells the salient segments of those articles from the others far better
than those of articles that nobody has read. So the new head gets few of the states at each step
(dropout), and has to rely on place and words as well.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import nn
from tqdm.auto import tqdm

from highlighter.data.collator import IGNORED, WindowRow, collate
from highlighter.data.windows import plan_windows, window_budget
from highlighter.model.model import HighlightModel
from highlighter.model.salience import SalienceHead
from tools.pretraining.batches import BatchMaker
from tools.pretraining.recipe import SalienceFit
from tools.pretraining.texts import Article, generated_row

_WINDOWS = 32  # read at once
_LAST_RATE = 0.05  # of the learning rate


class Segments(NamedTuple):
    """All labelled segments: states (segments, d_model), indices, features and labels."""

    states: torch.Tensor
    indices: torch.Tensor
    features: torch.Tensor
    labels: torch.Tensor


def fit_salience(model: HighlightModel, maker: BatchMaker, fit: SalienceFit) -> float:
    """A new head in place of the model's; returns the mean loss a segment of its last epoch."""
    model.eval()
    device = next(model.parameters()).device
    rows = [generated_row(maker.generated + number) for number in range(fit.generated_articles)]
    own = maker.encoder.encode([(row.article, row.highlights) for row in rows])
    segments = read_segments(model, maker, [*maker.extra, *own])
    torch.manual_seed(maker.recipe.seed)
    width = segments.states.shape[1]
    head = SalienceHead(width, model.salience.config, fit.state_dropout).to(device)
    optimizer = torch.optim.AdamW(head.parameters(), lr=fit.learning_rate)
    steps = fit.epochs * -(-len(segments.labels) // fit.batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, _LAST_RATE, steps)
    mean = 0.0
    for _ in tqdm(range(fit.epochs), desc="salience head", unit="epoch"):
        total = 0.0
        order = torch.randperm(len(segments.labels)).to(device)
        for chosen in torch.split(order, fit.batch_size):
            states, indices, features, labels = (column[chosen] for column in segments)
            loss = nn.functional.binary_cross_entropy_with_logits(
                head(states, indices, features), labels
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        mean = total / len(segments.labels)
    model.salience.load_state_dict(head.state_dict())
    return mean


@torch.no_grad()
def read_segments(model: HighlightModel, maker: BatchMaker, articles: list[Article]) -> Segments:
    """What the head is given about every labelled segment, as when whole articles are read."""
    device = next(model.parameters()).device
    windows = sorted(_windows(maker, articles), key=lambda row: len(row.input_ids))
    parts = []
    for start in tqdm(range(0, len(windows), _WINDOWS), desc="reading", unit="batch"):
        rows = windows[start : start + _WINDOWS]
        batch = collate(rows, maker.tokenizer.pad_token_id)
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        states = model.encoder(
            input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
        ).last_hidden_state
        labels = batch["salience_labels"]
        pooled = model.pool_segments(states, batch["segment_of_token"], labels.shape[1])
        known = labels != IGNORED
        parts.append(
            Segments(
                pooled[known],
                batch["segment_indices"][known],
                batch["segment_features"][known],
                labels[known].float(),
            )
        )
    return Segments(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _windows(maker: BatchMaker, articles: list[Article]) -> Iterator[WindowRow]:
    text = maker.recipe.text
    budget = window_budget(maker.tasks.prefix, text)
    for article in articles:
        lengths = [len(segment) for segment in article.segments]
        for window in plan_windows(lengths, budget, text.overlap_tokens):
            yield maker.tasks.read_window(article, window, article.highlights)
