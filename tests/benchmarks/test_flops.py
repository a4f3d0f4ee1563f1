"""The counted work is what torch counts, on the tokens that there are, against a measured rate."""

import itertools
import time

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration

from benchmarks import flops
from benchmarks.articles import Article
from benchmarks.flops import count_work, training_flops
from benchmarks.machine import choose_gpu, describe_machine, product_rate
from highlighter.errors import TrainingError
from highlighter.settings import TextSettings


def shape(feed_forward: str = "relu") -> T5Config:
    """Sizes that differ all from each other, so that none stands in for another."""
    return T5Config(
        vocab_size=384,
        d_model=48,
        d_kv=8,
        d_ff=80,
        num_layers=3,
        num_decoder_layers=2,
        num_heads=5,
        feed_forward_proj=feed_forward,
        decoder_start_token_id=0,
    )


@pytest.mark.parametrize("feed_forward", ["relu", "gated-gelu"])
@pytest.mark.parametrize(("source", "target"), [(70, 9), (11, 40)])
def test_a_training_step_takes_the_flops_that_torch_counts(
    feed_forward: str, source: int, target: int
) -> None:
    config = shape(feed_forward)
    config._attn_implementation = "eager"
    model = T5ForConditionalGeneration(config).train()
    draw = torch.Generator().manual_seed(1)
    with FlopCounterMode(display=False) as counter:
        model(
            input_ids=torch.randint(2, 384, (1, source), generator=draw),
            labels=torch.randint(2, 384, (1, target), generator=draw),
        ).loss.backward()
    assert training_flops(config, source, target) == counter.get_total_flops()


def test_work_is_the_mean_over_rows_cut_at_the_limits(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = TextSettings(max_source_tokens=32, max_target_tokens=8, overlap_tokens=16)
    monkeypatch.setattr(flops, "TEXT", limits)
    short = Article(article="The bridge .", highlights="May .")
    long = Article(article="The bridge will close. " * 40, highlights="It closes in May .\n" * 40)
    source = len(tokenizer("summarize: The bridge .")["input_ids"])
    target = len(tokenizer("May.")["input_ids"])
    assert source < 32
    assert target < 8
    work = count_work(shape(), tokenizer, [short, long])
    assert work.tokens == (source + target + 32 + 8) / 2
    assert work.flops == (
        (training_flops(shape(), source, target) + training_flops(shape(), 32, 8)) / 2
    )


def test_the_rate_is_that_of_the_fastest_round(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = itertools.chain([0.0, 8.0, 10.0, 12.0], *([20.0 * i, 20.0 * i + 5] for i in range(8)))
    monkeypatch.setattr(time, "perf_counter", lambda: next(rounds))
    assert product_rate(torch.device("cpu"), size=64) == 10 * 2 * 64**3 / 2.0


def test_one_gpu_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA Test")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert choose_gpu("auto") == choose_gpu("cuda") == "0"
    assert choose_gpu("cpu") == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert choose_gpu("auto") == "2"
    assert describe_machine().endswith(f"torch {torch.__version__}, NVIDIA Test")


def test_without_a_gpu_none_is_named_or_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_gpu("auto") == choose_gpu("cpu") == ""
    with pytest.raises(TrainingError, match="torch sees no GPU"):
        choose_gpu("cuda")
    assert describe_machine().endswith(f"torch {torch.__version__}")
