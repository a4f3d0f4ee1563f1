"""Each workaround is still needed, and still works."""

import pytest
from transformers import PreTrainedConfig, T5Config, T5ForConditionalGeneration

from highlighter.training.compat import attention_of


@pytest.mark.parametrize("name", ["eager", "sdpa"])
def test_attention_can_be_set_but_not_read_publicly(name: str) -> None:
    config = T5Config(
        vocab_size=8, d_model=4, d_kv=2, d_ff=4, num_layers=1, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    model.set_attn_implementation(name)
    assert attention_of(model) == name
    public = [each for each in dir(PreTrainedConfig) if not each.startswith("_")]
    assert not [each for each in public if "attn_implementation" in each]
