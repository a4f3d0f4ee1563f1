"""Articles as the token ids a model reads."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from highlighter.settings import TextSettings


def encode_sources(
    articles: Sequence[str], tokenizer: PreTrainedTokenizerBase, text: TextSettings
) -> list[list[int]]:
    """Token ids of each article behind the prefix, uncut, with the end token."""
    ids: list[list[int]] = tokenizer([text.prefix + article for article in articles])["input_ids"]
    return ids


def cut(ids: list[int], limit: int) -> list[int]:
    """At most `limit` ids, the last of which stays the end token."""
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
