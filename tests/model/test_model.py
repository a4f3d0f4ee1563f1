"""The model: its losses, its salience head, and the checkpoints it is saved to and loaded from."""

import json
from copy import deepcopy
from pathlib import Path

import datasets
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
)

from highlighter.data.collator import IGNORED, WindowCollator
from highlighter.data.features import tokenize_splits
from highlighter.data.sentence_features import FEATURES
from highlighter.data.windows import encode_prefix
from highlighter.embedded import CHECKPOINT
from highlighter.errors import CheckpointError
from highlighter.model.build import build_model, shrink
from highlighter.model.checkpoint import save_checkpoint
from highlighter.model.model import HighlightModel, load_model
from highlighter.model.salience import CONFIG_FILE, WEIGHTS_FILE, SalienceConfig, SalienceHead
from highlighter.settings import MapSettings, ScratchModel, TextSettings

TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.0)
SHORT = TextSettings(max_source_tokens=64, max_target_tokens=32, overlap_tokens=16)
IDS = torch.tensor([[5, 6, 7, 1]])


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerBase) -> HighlightModel:
    """A model whose salience depends on the encoder: a new head ignores the states."""
    model = build_model(TINY, tokenizer, seed=3)
    torch.nn.init.normal_(model.salience.states.weight)
    return model.eval()


@pytest.fixture(scope="module")
def rows(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("features")
    features, _ = tokenize_splits(articles, tokenizer, SHORT, MapSettings(), folder)
    return list(features["test"])


@pytest.fixture
def collator(tokenizer: PreTrainedTokenizerBase) -> WindowCollator:
    return WindowCollator(
        text=SHORT, prefix=encode_prefix(tokenizer, SHORT), pad=tokenizer.pad_token_id,
        end=tokenizer.eos_token_id, reading_windows=1, shuffle=False,
    )  # fmt: skip


def t5(**shape: object) -> T5ForConditionalGeneration:
    """A small T5 with random weights."""
    config = T5Config(
        vocab_size=64, d_model=16, d_kv=4, d_ff=32, num_layers=2, num_heads=2,
        decoder_start_token_id=0, **shape,
    )  # fmt: skip
    return T5ForConditionalGeneration(config)


def flan_t5() -> T5ForConditionalGeneration:
    """A T5 v1.1 or FLAN-T5: gated activation, and an output projection of its own."""
    torch.manual_seed(4)
    made = t5(feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    made.lm_head.weight = torch.nn.Parameter(torch.randn_like(made.shared.weight))
    return made


def logits(seq2seq: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = seq2seq.eval()(input_ids=IDS, labels=IDS).logits
    return found


def assert_same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    expected = dict(one.named_parameters(remove_duplicate=False))
    found = dict(other.named_parameters(remove_duplicate=False))
    assert found.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(found[name], weight), name


def test_a_saved_model_is_loaded_again_and_transformers_reads_its_folder(
    model: HighlightModel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    assert_same_weights(model, load_model(str(tmp_path)))
    plain, report = T5ForConditionalGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(report.values())
    assert_same_weights(model.seq2seq, plain)
    assert {file.name for file in tmp_path.iterdir()} == {
        "config.json", "generation_config.json", "model.safetensors",
        CONFIG_FILE, WEIGHTS_FILE,
    }  # fmt: skip


def test_tied_weights_are_stored_once_and_stay_tied(model: HighlightModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    stored |= load_file(tmp_path / WEIGHTS_FILE)
    assert sum(weight.numel() for weight in stored.values()) == model.num_parameters()
    again = load_model(str(tmp_path))
    assert again.num_parameters() == model.num_parameters()
    assert again.seq2seq.lm_head.weight is again.seq2seq.shared.weight


def test_a_plain_checkpoint_gets_a_new_head_and_is_saved_unchanged(tmp_path: Path) -> None:
    plain = t5()
    plain.save_pretrained(tmp_path / "plain")
    model = load_model(str(tmp_path / "plain"))
    assert not model.salience.states.weight.any()
    assert (model.salience.output.bias == -2.0).all()
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    model.save(tmp_path / "saved")
    assert_same_weights(plain, T5ForConditionalGeneration.from_pretrained(tmp_path / "saved"))


def test_a_separate_output_projection_survives_copies_saving_and_shrinking(tmp_path: Path) -> None:
    plain = flan_t5()
    expected = logits(plain)
    plain.save_pretrained(tmp_path / "hub")
    # As on the hub. transformers itself writes `tie_word_embeddings: true`.
    config = json.loads((tmp_path / "hub" / "config.json").read_text())
    del config["scale_decoder_outputs"]
    config["tie_word_embeddings"] = False
    (tmp_path / "hub" / "config.json").write_text(json.dumps(config))

    loaded = load_model(str(tmp_path / "hub"))
    loaded.save(tmp_path / "saved")
    again = load_model(str(tmp_path / "saved"))
    again.save(tmp_path / "twice")
    filled = HighlightModel(flan_t5())
    with torch.no_grad():
        for weight in filled.parameters():
            weight.zero_()
    filled.load_state_dict(loaded.state_dict())
    copies = [
        loaded, again, load_model(str(tmp_path / "twice")), deepcopy(again), filled,
        shrink(again, 2, 2),
    ]  # fmt: skip
    for model in copies:
        assert not torch.equal(model.seq2seq.lm_head.weight, model.seq2seq.shared.weight)
        assert torch.equal(logits(model.seq2seq), expected)
    small = shrink(again, 1, 1)
    assert torch.equal(small.seq2seq.lm_head.weight, plain.lm_head.weight)
    small.save(tmp_path / "small")
    assert torch.equal(logits(load_model(str(tmp_path / "small")).seq2seq), logits(small.seq2seq))


def test_a_checkpoint_with_missing_or_unknown_weights_is_refused(tmp_path: Path) -> None:
    T5EncoderModel(t5().config).save_pretrained(tmp_path / "encoder")
    with pytest.raises(CheckpointError, match=r"\d\d weights are missing, .* the first is decoder"):
        load_model(str(tmp_path / "encoder"))
    t5().save_pretrained(tmp_path / "more")
    weights = load_file(tmp_path / "more" / "model.safetensors")
    weights["adapter.weight"] = torch.zeros(2)
    save_file(weights, tmp_path / "more" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"1 are unknown .* the first is adapter\.weight"):
        load_model(str(tmp_path / "more"))


def test_weights_of_another_shape_than_the_configuration_are_refused(tmp_path: Path) -> None:
    t5().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"d_ff": 40}))
    with pytest.raises(
        CheckpointError, match=r"8 have another shape .* the first is decoder\.block\.0"
    ):
        load_model(str(tmp_path))


def test_a_checkpoint_of_an_earlier_version_says_what_to_do(
    model: HighlightModel, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, model, tokenizer, SHORT)
    weights = load_file(tmp_path / "model.safetensors")
    head = load_file(tmp_path / WEIGHTS_FILE)
    weights |= {f"salience.{name}": weight for name, weight in head.items()}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / WEIGHTS_FILE).unlink()
    (tmp_path / CONFIG_FILE).unlink()
    with pytest.raises(CheckpointError, match=r"earlier version .* `python run_pipeline\.py`"):
        load_model(str(tmp_path))


def test_a_head_of_other_features_is_refused(model: HighlightModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    other = SalienceConfig(features=(*FEATURES[:-1], "color"))
    (tmp_path / CONFIG_FILE).write_text(other.model_dump_json())
    with pytest.raises(CheckpointError, match=r"uses the features .*, color"):
        load_model(str(tmp_path))


def test_the_shipped_checkpoint_is_a_plain_t5_with_a_head_beside_it() -> None:
    plain, report = T5ForConditionalGeneration.from_pretrained(CHECKPOINT, output_loading_info=True)
    assert not any(report.values())
    model = load_model(str(CHECKPOINT))
    assert_same_weights(model.seq2seq, plain)
    assert model.num_parameters() == 3_096_844
    assert model.salience.states.weight.any()


def test_a_state_dict_without_a_weight_is_refused_unless_it_is_tied(model: HighlightModel) -> None:
    state = model.state_dict()
    assert "seq2seq.shared.weight" in state
    assert "seq2seq.lm_head.weight" not in state
    other = deepcopy(model)
    other.load_state_dict(state)
    del state["salience.output.weight"]
    with pytest.raises(RuntimeError, match=r"Missing key.*salience\.output\.weight"):
        other.load_state_dict(state)


def test_a_new_head_scores_without_the_encoder_and_a_dropout_rate_is_kept(tmp_path: Path) -> None:
    torch.manual_seed(0)
    head = SalienceHead(16, SalienceConfig(dropout=0.3)).eval()
    indices, features = torch.arange(3)[None], torch.randn(1, 3, len(FEATURES))
    scores = head(torch.randn(1, 3, 16), indices, features)
    assert torch.equal(scores, head(torch.randn(1, 3, 16), indices, features))
    assert len(scores.unique()) == 3
    HighlightModel(t5(), head).save(tmp_path)
    assert load_model(str(tmp_path)).salience.dropout.p == 0.3


def test_a_head_is_the_mean_of_separate_networks() -> None:
    torch.manual_seed(0)
    head = SalienceHead(16, SalienceConfig(members=3, feature_members=2, hidden_size=5)).eval()
    torch.nn.init.normal_(head.states.weight)
    inputs = (
        torch.randn(2, 4, 16),
        torch.arange(4).expand(2, -1),
        torch.randn(2, 4, len(FEATURES)),
    )
    before = head.member_logits(*inputs)
    assert torch.allclose(head(*inputs), before.mean(dim=-1))
    with torch.no_grad():
        head.states.weight[5:10] += 1  # all of the second network
        head.features.bias[5:10] += 1
        head.positions.weight[:, 5:10] += 1
        head.hidden.weight[1] += 1
        head.output.bias[1] += 1
    after = head.member_logits(*inputs)
    assert torch.equal(after[..., [0, 2, 3, 4]], before[..., [0, 2, 3, 4]])
    assert (after[..., 1] != before[..., 1]).all()
    other = head.member_logits(torch.randn(2, 4, 16), *inputs[1:])
    assert torch.equal(other[..., 3:], after[..., 3:])  # these see no states
    assert (other[..., :3] != after[..., :3]).all()


def test_pooling_is_the_mean_of_a_segments_tokens(model: HighlightModel) -> None:
    states = torch.randn(1, 6, 32)
    segment_of_token = torch.tensor([[-1, 0, 0, 1, 1, -1]])
    indices, features = torch.tensor([[0, 5]]), torch.zeros(1, 2, len(FEATURES))
    logits = model.score_segments(states, segment_of_token, indices, features)
    means = torch.stack([states[0, 1:3].mean(0), states[0, 3:5].mean(0)])[None]
    assert torch.allclose(logits, model.salience(means, indices, features), atol=1e-5)


def test_each_member_of_the_head_is_trained_by_its_own_loss(
    model: HighlightModel, collator: WindowCollator, rows: list[dict[str, object]]
) -> None:
    batch = collator(rows[:4])
    seen: list[torch.Tensor] = []
    member_logits = model.salience.member_logits

    def keep(*inputs: torch.Tensor) -> torch.Tensor:
        seen.append(member_logits(*inputs))
        return seen[-1]

    model.salience.member_logits = keep  # type: ignore[method-assign]
    try:
        with torch.no_grad():
            loss = model(**batch).salience_loss
    finally:
        del model.salience.member_logits
    labeled = batch["salience_labels"] != IGNORED
    labels = batch["salience_labels"][labeled].float()
    losses = [
        torch.nn.functional.binary_cross_entropy_with_logits(of_member, labels)
        for of_member in seen[0][labeled].unbind(dim=-1)
    ]
    assert len(losses) == 12
    assert loss == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)


def test_only_salience_or_only_summary_can_be_trained(
    model: HighlightModel, collator: WindowCollator, rows: list[dict[str, object]]
) -> None:
    batch = collator(rows[:4])
    model(**batch).summary_loss.backward()
    assert model.salience.output.weight.grad is None
    model.zero_grad()
    model(**batch).salience_loss.backward()
    assert model.seq2seq.decoder.block[0].layer[0].SelfAttention.q.weight.grad is None
    assert model.encoder.block[0].layer[0].SelfAttention.q.weight.grad is not None
    model.zero_grad()


def test_rows_read_for_salience_only_do_not_change_the_summary_loss(
    model: HighlightModel, collator: WindowCollator, rows: list[dict[str, object]]
) -> None:
    batch = collator(rows[:4])
    rows_with_summary = batch["summary_rows"]
    assert 4 == len(rows_with_summary) == len(batch["labels"]) < len(batch["input_ids"])
    alone = {
        name: tensor[rows_with_summary]
        for name, tensor in batch.items()
        if name not in ("labels", "summary_rows")
    } | {"labels": batch["labels"], "summary_rows": torch.arange(4)}
    with torch.no_grad():
        expected = float(model(**alone).summary_loss)
        assert model(**batch).summary_loss == pytest.approx(expected, rel=1e-5)


def test_a_training_step_is_one_graph(
    model: HighlightModel, collator: WindowCollator, rows: list[dict[str, object]]
) -> None:
    """A value of a tensor that Python reads, which makes a GPU be waited for, would break it."""
    batch = collator(rows[:4])
    assert len(batch["labels"]) < len(batch["input_ids"])
    as_one_graph = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        expected, found = model(**batch), as_one_graph(**batch)
    assert found.summary_loss == pytest.approx(float(expected.summary_loss), rel=1e-5)
    assert found.salience_loss == pytest.approx(float(expected.salience_loss), rel=1e-5)
