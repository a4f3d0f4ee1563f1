"""Uses of transformers' private attributes (checked with 5.23.0)."""

from transformers import PreTrainedModel


def attention_implementation(model: PreTrainedModel) -> str:
    """Return the name of a model's attention, as `set_attn_implementation` takes it.

    `set_attn_implementation` is public, but transformers has no public getter.
    """
    name: str = model.config._attn_implementation
    return name
