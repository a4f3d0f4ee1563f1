"""Each workaround is still needed, and still works."""

import pytest
from transformers import T5Config, T5ForConditionalGeneration

from highlighter.model.compat import attention_implementation


@pytest.mark.parametrize("name", ["eager", "sdpa"])
def test_transformers_can_set_the_attention_implementation_but_has_no_public_getter(
    name: str,
) -> None:
    config = T5Config(
        vocab_size=8, d_model=4, d_kv=2, d_ff=4, num_layers=1, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    model.set_attn_implementation(name)
    assert attention_implementation(model) == name
    names = {each for each in {*dir(model), *dir(config)} if "attn_implementation" in each}
    public = {each for each in names if not each.startswith("_")}
    assert public == {"get_correct_attn_implementation", "set_attn_implementation"}
