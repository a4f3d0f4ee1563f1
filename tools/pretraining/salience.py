"""Fit a new salience head to the frozen, pretrained encoder.

The encoder has memorized the extra text, and a head trained with it relies on that: it scores these
articles far better than unseen ones. The new head therefore gets few of the encoder's states per
step (dropout) or none; its projection of them then stays zero, and fine-tuning can learn it. The
members without states are fitted to the extra text alone, if that has highlights: features that
fit generated articles too rank real ones worse.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from highlighter.data.collator import IGNORED, WindowRow, collate
from highlighter.data.sentence_features import FEATURES
from highlighter.data.windows import plan_windows, window_budget
from highlighter.model.model import HighlightModel
from highlighter.model.salience import SalienceHead
from tools.pretraining.articles import Article, generated_row
from tools.pretraining.batches import BatchMaker
from tools.pretraining.recipe import SalienceFit

_WINDOWS = 32  # per batch
_LAST_RATE = 0.05  # share of the learning rate at the end


class Segments(NamedTuple):
    """Labeled segments: mean states (segments, width), indices, features and labels."""

    states: torch.Tensor
    indices: torch.Tensor
    features: torch.Tensor
    labels: torch.Tensor


def fit_salience(model: HighlightModel, maker: BatchMaker, fit: SalienceFit) -> float:
    """Replace the model's head by a new one; return the last epoch's mean loss per segment.

    Args:
        model: the model; only its head changes.
        maker: its recipe, tokenizer and extra text.
        fit: settings.
    """
    model.eval()
    device = next(model.parameters()).device
    rows = [generated_row(maker.generated + number) for number in range(fit.generated_articles)]
    generated = maker.encoder.encode([(row.article, row.highlights) for row in rows])
    encode = fit.state_dropout < 1
    extra = read_segments(model, maker, maker.extra, encode=encode)
    others = read_segments(model, maker, generated, encode=encode)
    segments = Segments(*(torch.cat(columns) for columns in zip(extra, others, strict=True)))
    is_extra = torch.arange(len(segments.labels), device=device) < len(extra.labels)
    torch.manual_seed(maker.recipe.seed)
    width = segments.states.shape[1]
    head = SalienceHead(width, model.salience.config, fit.state_dropout).to(device)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=fit.learning_rate, weight_decay=fit.weight_decay
    )
    steps = fit.epochs * -(-len(segments.labels) // fit.batch_size)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, _LAST_RATE, steps)
    mean = 0.0
    for _ in tqdm(range(fit.epochs), desc="salience head", unit="epoch"):
        total = 0.0
        order = torch.randperm(len(segments.labels)).to(device)
        for chosen in torch.split(order, fit.batch_size):
            states, indices, features, labels = (column[chosen] for column in segments)
            # Members that are fitted separately make a better mean.
            logits = head.member_logits(states, indices, features)
            weights = torch.ones_like(logits)
            if len(extra.labels):
                weights[:, head.config.members :] = is_extra[chosen].unsqueeze(-1).float()
            loss = nn.functional.binary_cross_entropy_with_logits(
                logits, labels.unsqueeze(-1).expand_as(logits), weights, reduction="sum"
            ) / weights.sum().clamp(min=1)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        mean = total / len(segments.labels)
    model.salience.load_state_dict(head.state_dict())
    return mean


@torch.no_grad()
def read_segments(
    model: HighlightModel, maker: BatchMaker, articles: list[Article], *, encode: bool = True
) -> Segments:
    """Return the head's input for every labeled segment, from windows over whole articles.

    Without `encode` all states are zero, which saves nearly all of the time.
    """
    if not encode:
        return _segments_without_states(model, articles)
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
    if not parts:
        return _no_segments(model)
    return Segments(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _no_segments(model: HighlightModel) -> Segments:
    device = next(model.parameters()).device
    return Segments(
        torch.zeros(0, model.config.hidden_size, device=device),
        torch.zeros(0, dtype=torch.long, device=device),
        torch.zeros(0, len(FEATURES), device=device),
        torch.zeros(0, device=device),
    )


def _segments_without_states(model: HighlightModel, articles: list[Article]) -> Segments:
    device = next(model.parameters()).device
    articles = [article for article in articles if IGNORED not in article.salience]
    if not articles:
        return _no_segments(model)
    labels = torch.tensor([label for article in articles for label in article.salience])
    indices = torch.cat([torch.arange(len(article.salience)) for article in articles])
    features = torch.from_numpy(np.concatenate([article.features for article in articles]))
    states = torch.zeros(1, model.config.hidden_size).expand(len(labels), -1)
    columns = (states, indices, features, labels.float())
    return Segments(*(column.to(device) for column in columns))


def _windows(maker: BatchMaker, articles: list[Article]) -> Iterator[WindowRow]:
    text = maker.recipe.text
    budget = window_budget(maker.tasks.prefix, text)
    for article in articles:
        lengths = [len(segment) for segment in article.segments]
        for window in plan_windows(lengths, budget, text.overlap_tokens):
            yield maker.tasks.read_window(article, window, article.highlights)
