"""Each supported family against its own class in transformers, on tiny random checkpoints."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import datasets
import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    AutoModelForSeq2SeqLM,
    GenerationConfig,
    LEDConfig,
    PreTrainedConfig,
    PreTrainedModel,
    SwitchTransformersConfig,
    T5GemmaConfig,
)

from highlighter.data.characters import tokenizer_text
from highlighter.data.features import tokenize_splits
from highlighter.data.sentence_features import FEATURES
from highlighter.data.vocabulary import read_vocabulary
from highlighter.data.windows import encode_articles, encode_prefix, source_ids
from highlighter.errors import CheckpointError
from highlighter.inference.answers import HighlightRequest
from highlighter.inference.constraints import ArticleWords
from highlighter.inference.engines import CTranslate2Writer, TorchWriter, convert
from highlighter.inference.generation import generate_summaries
from highlighter.inference.summarizer import Summarizer
from highlighter.inference.word_list import WordList
from highlighter.model.build import LowRankUpdates, shrink
from highlighter.model.checkpoint import finish_checkpoint, generation_config, save_checkpoint
from highlighter.model.families import FAMILIES, fit_text, read_config
from highlighter.model.model import load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    GenerationSettings,
    HighlightSettings,
    LoraSettings,
    MapSettings,
    TextSettings,
    TrainingSettings,
    TrustSettings,
)
from highlighter.training.train import train
from tests.model.tiny_checkpoints import KINDS, TEXTS, write_checkpoint

IDS = torch.tensor([[5, 6, 7, 8, 9, 10, 1], [11, 12, 13, 14, 15, 1, 1]])
LABELS = torch.tensor([[20, 21, 1], [22, 1, -100]])
TEXT = TextSettings(prefix=None, max_source_tokens=120, max_target_tokens=32, overlap_tokens=16)
GREEDY = GenerationSettings(num_beams=1, max_new_tokens=10, no_repeat_ngram_size=2)
BEAMS = GenerationSettings(num_beams=3, max_new_tokens=10, no_repeat_ngram_size=0)
UNCHECKED = HighlightSettings(sentences=2, trust=TrustSettings(supported_facts_only=False))
SHORT = [text[: 20 + 15 * number] for number, text in enumerate(TEXTS[:5])]


TRAINED = ("flan-t5", "byt5", "mt5", "umt5", "longt5-tglobal", "bart", "pegasus")


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as it is on the hub."""
    return write_checkpoint(request.param, tmp_path_factory.mktemp("hub") / request.param)


def kind_of(folder: Path) -> str:
    return folder.name


def theirs(folder: Path) -> PreTrainedModel:
    """The checkpoint in transformers' own class."""
    plain: PreTrainedModel = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32)
    return plain.eval()


def logits(model: PreTrainedModel) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(input_ids=IDS, labels=LABELS).logits
    return found


def texts_of(folder: Path, settings: GenerationSettings) -> tuple[list[str], list[str]]:
    """The summaries by this project and by transformers."""
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    plain = theirs(folder)
    config = generation_config(settings, tokenizer, plain.generation_config)
    batch = tokenizer(SHORT, padding=True, return_tensors="pt")
    expected = plain.generate(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"],
        generation_config=config,
    )  # fmt: skip
    ours = generate_summaries(
        model.seq2seq, tokenizer, tokenizer(SHORT)["input_ids"], config, batch_size=2
    )
    return tokenizer.batch_decode([output.ids for output in ours], skip_special_tokens=True), (
        tokenizer.batch_decode(expected, skip_special_tokens=True)
    )


def test_a_checkpoint_gives_the_logits_loss_and_texts_of_transformers(folder: Path) -> None:
    model, plain = load_model(str(folder)).seq2seq, theirs(folder)
    assert type(model) is type(plain)
    assert torch.equal(logits(model), logits(plain))
    losses = [made(input_ids=IDS, labels=LABELS).loss for made in (model, plain)]
    assert losses[0] == losses[1]
    for settings in (GREEDY, BEAMS):
        ours, expected = texts_of(folder, settings)
        assert ours == expected
    assert len(set(ours)) > 1


def test_bf16_gives_the_logits_of_transformers(folder: Path) -> None:
    model, plain = load_model(str(folder)).to(torch.bfloat16), theirs(folder).to(torch.bfloat16)
    assert torch.equal(logits(model.seq2seq), logits(plain))


def step(model: torch.nn.Module, loss: torch.Tensor) -> None:
    loss.backward()
    torch.optim.SGD([w for w in model.parameters() if w.grad is not None], lr=0.05).step()


def test_a_training_step_is_that_of_transformers_also_after_reloading(
    folder: Path, tmp_path: Path
) -> None:
    model, plain = load_model(str(folder)), theirs(folder)
    before = logits(plain)
    mask = torch.ones_like(IDS)
    output = model(
        input_ids=IDS, attention_mask=mask, labels=LABELS,
        segment_of_token=torch.full_like(IDS, -1), segment_indices=torch.zeros(2, 1).long(),
        segment_features=torch.zeros(2, 1, len(FEATURES)),
        salience_labels=torch.full((2, 1), -100), summary_rows=torch.arange(2),
    )  # fmt: skip
    step(model, output.summary_loss)
    step(plain, plain(input_ids=IDS, attention_mask=mask, labels=LABELS).loss)
    torch.testing.assert_close(logits(model.seq2seq), logits(plain), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(logits(plain), before, atol=1e-3)
    model.save(tmp_path)
    for again in (load_model(str(tmp_path)).seq2seq, theirs(tmp_path)):
        assert torch.equal(logits(again), logits(model.seq2seq))


def test_merged_low_rank_updates_change_their_matrices_only(folder: Path, tmp_path: Path) -> None:
    model = load_model(str(folder))
    before = {name: weight.clone() for name, weight in model.seq2seq.named_parameters()}
    updates = LowRankUpdates(model, LoraSettings(rank=2, targets=["q", "v", "o"]))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:  # zero in a new adapter
                weight.normal_(std=0.05)
    adapted = logits(model.seq2seq)
    updates.merge()
    torch.testing.assert_close(logits(model.seq2seq), adapted, rtol=1e-3, atol=1e-3)
    matrices = {FAMILIES[model.config.model_type].matrices[name] for name in ("q", "v", "o")}
    changed = {
        name.split(".")[-2]
        for name, weight in model.seq2seq.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert changed == matrices
    model.save(tmp_path)
    assert torch.equal(logits(theirs(tmp_path)), logits(model.seq2seq))


def test_a_matrix_that_a_model_lacks_is_refused(folder: Path) -> None:
    model = load_model(str(folder))
    gated = getattr(model.config, "is_gated_act", False)
    missing = "wi" if gated else "wi_1"
    with pytest.raises(CheckpointError, match=rf"no weight matrix '{missing}'.*q, k, v, o, wi"):
        LowRankUpdates(model, LoraSettings(targets=["q", missing]))


@pytest.mark.parametrize(("encoder", "decoder"), [(2, 1), (1, 1)])
def test_a_student_is_a_model_of_transformers(
    folder: Path, tmp_path: Path, encoder: int, decoder: int
) -> None:
    model = load_model(str(folder))
    student = shrink(model, encoder, decoder)
    assert student.layers == (encoder, decoder)
    student.save(tmp_path)
    load_tokenizer(str(folder)).save_pretrained(tmp_path)
    again = theirs(tmp_path)
    assert torch.equal(logits(again), logits(student.seq2seq))
    assert torch.equal(again.lm_head.weight, model.seq2seq.lm_head.weight)
    ours, expected = texts_of(tmp_path, BEAMS)
    assert ours == expected


def test_ctranslate2_gives_the_same_texts_and_probabilities(folder: Path, tmp_path: Path) -> None:
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    if not FAMILIES[model.config.model_type].ctranslate2:
        with pytest.raises(CheckpointError, match="CTranslate2 cannot run LongT5. Use the engine"):
            convert(model, tokenizer, tmp_path / "converted", "float32")
        return
    convert(model, tokenizer, tmp_path / "converted", "float32")
    writer = CTranslate2Writer(tmp_path / "converted", tokenizer, threads=1)
    sources = tokenizer(SHORT)["input_ids"]
    for settings in (GREEDY, BEAMS):
        config = generation_config(settings, tokenizer, model.seq2seq.generation_config)
        config.suppress_tokens = [tokenizer.pad_token_id]  # which a random model may write
        expected = TorchWriter(model.seq2seq, tokenizer).write(sources, config, batch_size=2)
        found = writer.write(sources, config, batch_size=2)
        assert [output.ids for output in found] == [output.ids for output in expected]
        assert [output.confidence for output in found] == pytest.approx(
            [output.confidence for output in expected], rel=1e-3
        )


def registered(folder: Path, target: Path, generation: GenerationSettings) -> Path:
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    save_checkpoint(target / "tuned", model, tokenizer, TEXT)
    finish_checkpoint(target / "tuned", generation, UNCHECKED, target / "final")
    return target / "final"


def test_the_service_and_mlflow_answer_as_transformers_does(folder: Path, tmp_path: Path) -> None:
    from highlighter.inference.mlflow_model import SummarizerModel

    final = registered(folder, tmp_path, BEAMS)
    article = "The bridge at Ashford will close. It carries 12 buses.\n\nDrivers were angry."
    plain, tokenizer = theirs(folder), load_tokenizer(str(folder))
    prefix = FAMILIES[plain.config.model_type].prefix
    batch = tokenizer(prefix + " ".join(article.split()), return_tensors="pt")
    ids = plain.generate(
        input_ids=batch["input_ids"], num_beams=3, max_new_tokens=10, early_stopping=True,
        length_penalty=BEAMS.length_penalty, do_sample=False, min_length=0,
        no_repeat_ngram_size=0,
    )  # fmt: skip
    expected = tokenizer.decode(ids[0], skip_special_tokens=True).replace("<n>", "\n").strip()
    summarizer = Summarizer.load(final)
    [answer] = summarizer.summarize([HighlightRequest(article=article)])
    assert summarizer.write(summarizer.read([article], 1), 1)[0].written == expected
    served = SummarizerModel()
    served.load_context(SimpleNamespace(artifacts={"checkpoint": str(final)}))
    assert list(served.predict([article])["summary"]) == [answer.summary]
    *_, last = summarizer.stream(HighlightRequest(article=article))
    assert last.truncated.summary == answer.truncated.summary


def test_windows_hold_the_tokens_of_the_article(folder: Path) -> None:
    tokenizer = load_tokenizer(str(folder))
    text = fit_text(TEXT, read_config(str(folder)))
    article = "The “bridge” at Ashford will close.  It carries 12 buses. Ünlü said so!"
    prefix = encode_prefix(tokenizer, text)
    [encoded] = encode_articles([article], tokenizer, 200)
    assert len(encoded.segments) == 3
    ids = source_ids(encoded, range(3), prefix, tokenizer.eos_token_id)
    assert ids == tokenizer(str(text.prefix) + " ".join(article.split()))["input_ids"]


@pytest.mark.parametrize("kind", TRAINED)
def test_the_trainer_trains_validates_and_generates(kind: str, tmp_path: Path) -> None:
    folder = write_checkpoint(kind, tmp_path / "hub")
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    text = fit_text(TEXT, model.config)
    rows = [
        {"id": str(n), "article": article, "highlights": "The bridge closes.\nBuses stop."}
        for n, article in enumerate(TEXTS[:8])
    ]
    split = datasets.Dataset.from_list(rows)
    features, _ = tokenize_splits(
        datasets.DatasetDict({"train": split, "validation": split.select(range(2))}),
        tokenizer, text, MapSettings(workers=1), tmp_path,
    )  # fmt: skip
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    report = train(
        model, tokenizer, features, text=text, seed=1, work_folder=tmp_path / "work",
        settings=TrainingSettings(
            max_steps=1, batch_size=4, evaluations=1, device="cpu", precision="fp32",
            selection_metric="rougeLsum", gradient_checkpointing=True,
        ),
        callbacks=[],
    )  # fmt: skip
    assert report.steps == 1
    still = {n for n, w in model.named_parameters() if torch.equal(w, before[n])}
    # PEGASUS's positions are sine waves.
    assert not [n for n in still if not any(p in n for p in ("norm", "bias", "embed_positions"))]


def test_a_constrained_summary_has_only_names_of_the_article(folder: Path) -> None:
    tokenizer = load_tokenizer(str(folder))
    check = ArticleWords([WordList("The bridge at Ashford will close in 1999.")], 1, tokenizer)
    for text, allowed in (
        ("the bridge at Ashford", True),
        ("in 1999 the bridge", True),
        ("the bridge at Calder", False),
        ("in 1998 the", False),
    ):
        ids = [i for i in tokenizer(text)["input_ids"] if i not in tokenizer.all_special_ids]
        assert check.keeps_to(0, ids, ended=True) == allowed, text


def test_a_special_token_in_an_article_is_read_as_text(folder: Path) -> None:
    tokenizer = load_tokenizer(str(folder))
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    for token in tokenizer.all_special_tokens:
        text = tokenizer_text(f"The {token} here")
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert not special.intersection(ids), token


def test_vocabularies_are_read_as_pieces(folder: Path) -> None:
    tokenizer = load_tokenizer(str(folder))
    vocabulary = read_vocabulary(tokenizer)
    assert len(vocabulary) == len(tokenizer)
    ids = tokenizer(" The bridge cost £4.", add_special_tokens=False)["input_ids"]
    text = "".join(vocabulary[i].text for i in ids)
    assert text.replace("<0xC2><0xA3>", "£").replace("<unk>", "£") == "▁The▁bridge▁cost▁£4."
    assert all(vocabulary[i].log_probability == 0 for i in tokenizer.all_special_ids)
    known = [vocabulary[i].log_probability for i in ids]
    assert (max(known) < 0) == (kind_of(folder) != "byt5") or "<unk>" in text


def test_a_checkpoint_in_shards_or_of_an_older_version_is_the_same(
    folder: Path, tmp_path: Path
) -> None:
    expected = logits(theirs(folder))
    load_model(str(folder)).seq2seq.save_pretrained(tmp_path, max_shard_size="8KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert torch.equal(logits(load_model(str(tmp_path)).seq2seq), expected)


def test_weights_that_older_files_hold_twice_or_not_at_all_change_nothing(
    folder: Path, tmp_path: Path
) -> None:
    plain = theirs(folder)
    model_type = plain.config.model_type
    shutil.copytree(folder, tmp_path / "old")
    weights = {name: weight.clone() for name, weight in plain.state_dict().items()}
    if model_type in ("bart", "pegasus"):
        weights |= {"final_logits_bias": torch.zeros(1, plain.config.vocab_size)}
    if model_type == "bart":
        weights |= {"model.encoder.version": torch.ones(1), "model.decoder.version": torch.ones(1)}
    if model_type == "pegasus":
        weights = {name: w for name, w in weights.items() if "embed_positions" not in name}
    if model_type in ("t5", "mt5", "longt5"):
        weights["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] = (
            torch.zeros(32, 2)
        )
    save_file(weights, tmp_path / "old" / "model.safetensors", metadata={"format": "pt"})
    assert torch.equal(logits(load_model(str(tmp_path / "old")).seq2seq), logits(plain))


def test_forced_tokens_are_the_models_own(tmp_path: Path) -> None:
    final = registered(write_checkpoint("bart", tmp_path / "bart"), tmp_path, BEAMS)
    own = GenerationConfig.from_pretrained(final)
    names = ("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "num_beams")
    assert [getattr(own, name) for name in names] == [2, 0, 2, 3]
    assert not own.min_length  # `generation.min_new_tokens` says it
    tokenizer, model = load_tokenizer(str(final)), load_model(str(final))
    outputs = generate_summaries(
        model.seq2seq, tokenizer, tokenizer(SHORT)["input_ids"], own, batch_size=2
    )
    assert all(output.ids[0] == 0 for output in outputs)
    [first, *_] = Summarizer.load(final).summarize([HighlightRequest(article=SHORT[4])])
    assert first.truncated.summary == (len(outputs[4].ids) == 9)  # of 10, the last is forced


@pytest.mark.parametrize("kind", ["bart", "pegasus"])
def test_more_tokens_than_positions_are_refused(kind: str, tmp_path: Path) -> None:
    folder = write_checkpoint(kind, tmp_path / kind)
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    message = r"has 128 positions, but text\.max_source_tokens is 129. Set it to at most 128"
    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(tmp_path / "x", model, tokenizer, TextSettings(max_source_tokens=129))
    save_checkpoint(tmp_path / "tuned", model, tokenizer, TEXT)
    with pytest.raises(CheckpointError, match=r"generation\.max_new_tokens is 129"):
        finish_checkpoint(
            tmp_path / "tuned", GenerationSettings(max_new_tokens=129), UNCHECKED, tmp_path / "y"
        )


@pytest.mark.parametrize(
    ("config", "instead"),
    [
        (T5GemmaConfig(), "FLAN-T5"),
        (SwitchTransformersConfig(num_layers=1), "FLAN-T5"),
        (LEDConfig(), "LongT5"),
    ],
)
def test_other_families_are_refused_by_their_configuration_alone(
    config: PreTrainedConfig, instead: str, tmp_path: Path
) -> None:
    config.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=f"'{config.model_type}'.*supported.*{instead}"):
        load_model(str(tmp_path))


def with_pickled_weights(folder: Path, target: Path, weights: object) -> Path:
    """A copy of a checkpoint with `pytorch_model.bin` only, as many repositories have."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.safetensors"))
    torch.save(weights, target / "pytorch_model.bin")
    return target


@pytest.mark.parametrize("kind", ["mt5", "pegasus"])
def test_pickled_weights_are_loaded_and_stored_as_safetensors(kind: str, tmp_path: Path) -> None:
    folder = write_checkpoint(kind, tmp_path / kind)
    pickled = with_pickled_weights(folder, tmp_path / "pickled", theirs(folder).state_dict())
    model = load_model(str(pickled))
    assert torch.equal(logits(model.seq2seq), logits(theirs(folder)))
    model.save(tmp_path / "saved")
    assert not list((tmp_path / "saved").glob("*.bin"))
    assert torch.equal(logits(theirs(tmp_path / "saved")), logits(theirs(folder)))


class _Code:
    """Unpickled, it writes a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self._file, "executed")


def test_code_in_pickled_weights_is_not_executed(tmp_path: Path) -> None:
    folder = write_checkpoint("t5", tmp_path / "t5")
    weights = theirs(folder).state_dict() | {"extra": _Code(tmp_path / "written")}
    pickled = with_pickled_weights(folder, tmp_path / "pickled", weights)
    with pytest.raises(CheckpointError, match=r"pickled: .* not executed.*safetensors"):
        load_model(str(pickled))
    assert not (tmp_path / "written").exists()
