"""The quick dropout and its attention: torch's results, gradients and statistics."""

import pytest
import torch
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration

from highlighter.model.compat import attention_implementation
from highlighter.training.dropout import QuickDropout, attend, keep_mask, quick_dropout

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def model() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=64, d_model=16, d_kv=4, d_ff=32, num_layers=2, num_heads=4, dropout_rate=0.2,
        decoder_start_token_id=0,
    )  # fmt: skip
    return T5ForConditionalGeneration(config)


@pytest.fixture
def batch() -> Tensors:
    torch.manual_seed(1)
    mask = torch.ones(3, 20, dtype=torch.long)
    mask[1, 12:] = 0
    ids, labels = torch.randint(2, 64, (3, 20)), torch.randint(2, 64, (3, 7))
    labels[2, 4:] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def gradients(
    model: T5ForConditionalGeneration, batch: Tensors
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    model.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    return loss, [p.grad.clone() for p in model.parameters() if p.grad is not None]


def test_without_dropout_it_is_torchs_attention(
    model: T5ForConditionalGeneration, batch: Tensors
) -> None:
    model.eval()
    loss, expected = gradients(model, batch)
    with quick_dropout(model):
        quick_loss, found = gradients(model, batch)
    torch.testing.assert_close(quick_loss, loss)
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_gradients_with_dropout_are_those_of_the_formula() -> None:
    torch.manual_seed(2)
    query, key, value = (torch.randn(2, 3, 5, 4, requires_grad=True) for _ in range(3))
    bias = torch.randn(1, 3, 5, 5, requires_grad=True)
    mask = torch.zeros(2, 1, 1, 5)
    mask[0, ..., 4] = torch.finfo(torch.float32).min
    inputs = (query, key, value, bias)
    state = torch.get_rng_state()
    output, _ = attend(
        nn.Identity(), query, key, value, mask, scaling=0.5, dropout=0.3, position_bias=bias
    )
    weight = torch.randn_like(output)
    found = torch.autograd.grad((output * weight).sum(), inputs)
    torch.set_rng_state(state)
    kept = keep_mask(torch.Size([2, 3, 5, 5]), 0.3).float()
    weights = torch.softmax(0.5 * query @ key.mT + bias + mask, -1) * kept / 0.7
    plain = (weights @ value).transpose(1, 2)
    torch.testing.assert_close(output, plain)
    expected = torch.autograd.grad((plain * weight).sum(), inputs)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_share_dropped_and_the_mean_kept(rate: float) -> None:
    torch.manual_seed(3)
    ones = torch.ones(400_001, requires_grad=True)
    dropped = QuickDropout(rate)(ones)
    zeros = (dropped == 0).float().mean().item()
    assert zeros == pytest.approx(rate, abs=0.003)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    assert dropped.max().item() == pytest.approx(1 / (1 - rate))
    dropped.sum().backward()
    assert ones.grad is not None
    assert torch.equal(ones.grad, dropped.detach())  # the same elements, the same scale
    # No pattern over the four numbers that share a draw.
    lanes = (dropped[:400_000].view(-1, 4) == 0).float()
    assert torch.corrcoef(lanes.T).fill_diagonal_(0).abs().max() < 0.02


def test_torchs_seed_decides(model: T5ForConditionalGeneration, batch: Tensors) -> None:
    model.train()
    losses = []
    with quick_dropout(model):
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            losses.append(gradients(model, batch)[0].item())
    assert losses[0] == losses[1] != losses[2]


def test_the_model_is_as_before_afterwards(
    model: T5ForConditionalGeneration, batch: Tensors
) -> None:
    model.train()
    before = str(model), attention_implementation(model)
    names = list(model.state_dict())
    with pytest.raises(ZeroDivisionError), quick_dropout(model):
        assert sum(isinstance(part, QuickDropout) for part in model.modules()) > 10
        assert list(model.state_dict()) == names
        model.eval()
        _ = 1 / 0
    assert not any(part.training for part in model.modules())
    assert (str(model), attention_implementation(model)) == before


def test_generation_in_the_middle_of_training_writes_the_same(
    model: T5ForConditionalGeneration, batch: Tensors
) -> None:
    model.eval()
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    plain = model.generate(**inputs, max_new_tokens=12, do_sample=False)
    with quick_dropout(model):
        quick = model.generate(**inputs, max_new_tokens=12, do_sample=False)
    assert torch.equal(plain, quick)


def test_in_mixed_precision_its_error_is_no_larger_than_torchs(
    model: T5ForConditionalGeneration, batch: Tensors
) -> None:
    model.eval()
    exact, true = gradients(model, batch)
    with torch.autocast("cpu", torch.bfloat16):
        loss, theirs = gradients(model, batch)
        with quick_dropout(model):
            quick_loss, ours = gradients(model, batch)
    assert loss != exact
    torch.testing.assert_close(quick_loss, exact, rtol=1e-2, atol=0)
    assert {gradient.dtype for gradient in ours} == {torch.float32}
    errors = [
        [float((a - b).norm() / b.norm()) for a, b in zip(found, true, strict=True)]
        for found in (ours, theirs)
    ]
    assert sum(errors[0]) <= 1.3 * sum(errors[1])
    assert max(errors[0]) <= 0.1
