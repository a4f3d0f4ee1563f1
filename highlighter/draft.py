"""A short draft first: where the model is not sure of it, no summary is written."""

from collections.abc import Sequence

from transformers import GenerationConfig

from highlighter.article_words import WordList
from highlighter.generation import Generated, greedy
from highlighter.settings import TrustSettings
from highlighter.writers import Writer


def unsure_drafts(
    writer: Writer,
    sources: Sequence[list[int]],
    config: GenerationConfig,
    trust: TrustSettings,
    *,
    batch_size: int,
) -> dict[int, Generated]:
    """Drafts of less than the least confidence, by their source's number in `sources`.

    A draft is the summary's first tokens, written greedily and free to name what it likes, so it
    costs a small part of a summary.
    """
    if not (trust.draft_tokens and trust.minimum_confidence):
        return {}
    short = greedy(config)
    short.max_new_tokens = min(trust.draft_tokens, config.max_new_tokens)
    short.min_new_tokens = min(config.min_new_tokens or 0, short.max_new_tokens)
    drafts = enumerate(writer.write(sources, short, batch_size=batch_size))
    return {n: draft for n, draft in drafts if draft.confidence < trust.minimum_confidence}


def write_if_sure(
    writer: Writer,
    sources: Sequence[list[int]],
    config: GenerationConfig,
    trust: TrustSettings,
    *,
    batch_size: int,
    words: Sequence[WordList] | None = None,
) -> list[Generated]:
    """A summary of each source, or its draft where that is unsure and no reader would see more."""
    outputs = unsure_drafts(writer, sources, config, trust, batch_size=batch_size)
    sure = [n for n in range(len(sources)) if n not in outputs]
    written = writer.write(
        [sources[n] for n in sure],
        config,
        batch_size=batch_size,
        words=[words[n] for n in sure] if words else None,
    )
    outputs.update(zip(sure, written, strict=True))
    return [outputs[n] for n in range(len(sources))]
