"""Uses of transformers' private attributes."""

from transformers import PreTrainedModel


def attention_implementation(model: PreTrainedModel) -> str:
    """Return the name of the model's attention implementation.

    `set_attn_implementation` is public, but transformers 5.23 has no public getter.
    """
    return str(model.config._attn_implementation)
