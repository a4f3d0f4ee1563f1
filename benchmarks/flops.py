"""The work that fine-tuning a T5 on an article can't do without: tokens and matrix products.

Counted, with 2 FLOPs a multiply-add, for the article's and the highlights' own tokens (cut at the
limits, the end token included, no padding):

- each encoder layer: q, k, v, o and the feed-forward part on source tokens;
- each decoder layer: the same on target tokens, and cross-attention's q and o on target tokens, its
  k and v on source tokens;
- attention's two products (scores, and weights by values) over all pairs of tokens; the decoder's
  self-attention counts the pairs that its mask hides too, for they are computed;
- the projection on the vocabulary, on target tokens.

Training is three times that: the backward pass has two products for each of the forward pass.

Not counted: embeddings (looked up), norms, softmax, dropout, the loss, the optimizer, and the
salience head with the windows that it reads beyond the source.
"""

from collections.abc import Sequence

from pydantic import BaseModel
from transformers import PreTrainedTokenizerBase, T5Config

from benchmarks.articles import Article
from benchmarks.contenders import TEXT, encode

_FORWARD_AND_BACKWARD = 3


class Work(BaseModel):
    """Of an example, on average: source and target tokens together, FLOPs of a training step."""

    tokens: float
    flops: float


def count_work(
    config: T5Config, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Article]
) -> Work:
    """The mean over the rows. What a contender pads or reads beyond that is not work."""
    sources = encode(tokenizer, rows, TEXT.max_source_tokens)["input_ids"]
    targets = encode(tokenizer, rows, TEXT.max_target_tokens, targets=True)["input_ids"]
    lengths = [(len(source), len(target)) for source, target in zip(sources, targets, strict=True)]
    return Work(
        tokens=sum(source + target for source, target in lengths) / len(lengths),
        flops=sum(training_flops(config, *pair) for pair in lengths) / len(lengths),
    )


def training_flops(config: T5Config, source: int, target: int) -> int:
    """FLOPs of the forward and backward pass over one example of so many tokens."""
    projection = config.d_model * config.num_heads * config.d_kv  # q, k, v or o: weights of each
    feed_forward = (3 if config.is_gated_act else 2) * config.d_model * config.d_ff
    encoder = source * (4 * projection + feed_forward) + _attention(config, source, source)
    decoder = (
        target * (6 * projection + feed_forward)
        + source * 2 * projection
        + _attention(config, target, target)
        + _attention(config, target, source)
    )
    multiply_adds: int = (
        config.num_layers * encoder
        + config.num_decoder_layers * decoder
        + target * config.d_model * config.vocab_size
    )
    return _FORWARD_AND_BACKWARD * 2 * multiply_adds


def _attention(config: T5Config, queries: int, keys: int) -> int:
    """Multiply-adds of the scores and of the weighted sum of values."""
    multiply_adds: int = 2 * queries * keys * config.num_heads * config.d_kv
    return multiply_adds
