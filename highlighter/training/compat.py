"""Workarounds for what transformers does not offer publicly (checked with 5.23.0)."""

from transformers import PreTrainedModel


def attention_of(model: PreTrainedModel) -> str | None:
    """Return the name that `set_attn_implementation` takes to restore a model's attention.

    transformers can set the implementation but has no public way to read it.
    """
    name: str | None = model.config._attn_implementation  # noqa: SLF001
    return name
