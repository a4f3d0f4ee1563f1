"""Fine-tuning: what it learns, what it keeps, and the checkpoints it starts from and saves."""

from pathlib import Path

import datasets
import pytest
import torch
from pydantic import ValidationError
from transformers import (
    PreTrainedTokenizerBase,
    T5Config,
    T5ForConditionalGeneration,
    TrainerCallback,
)

from highlighter.data.features import tokenize_splits
from highlighter.errors import CheckpointError
from highlighter.inference.answers import HighlightRequest, Highlights
from highlighter.inference.summarizer import Summarizer
from highlighter.model.build import build_model
from highlighter.model.checkpoint import finish_checkpoint, read_text_settings, save_checkpoint
from highlighter.model.model import HighlightModel, load_model
from highlighter.model.tokenizer import load_tokenizer
from highlighter.settings import (
    GenerationSettings,
    HighlightSettings,
    MapSettings,
    PretrainedModel,
    ScratchModel,
    TextSettings,
    TrainingSettings,
)
from highlighter.training.train import TrainingReport, choose_precision, train

TEXT = TextSettings(max_source_tokens=96, max_target_tokens=32, overlap_tokens=16)
CHOICE = HighlightSettings(sentences=1)
TINY = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64, dropout_rate=0.1)


@pytest.fixture(scope="module")
def features(
    articles: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    tmp_path_factory: pytest.TempPathFactory,
) -> datasets.DatasetDict:
    folder = tmp_path_factory.mktemp("features")
    return tokenize_splits(articles, tokenizer, TEXT, MapSettings(), folder)[0]


def fine_tune(
    features: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    settings: TrainingSettings,
    callbacks: list[TrainerCallback] | None = None,
) -> tuple[HighlightModel, TrainingReport]:
    model = build_model(TINY, tokenizer, seed=5)
    report = train(
        model, tokenizer, features, text=TEXT, settings=settings, seed=5, work_folder=folder,
        callbacks=callbacks or [],
    )  # fmt: skip
    return model, report


FEW_STEPS = TrainingSettings(
    max_steps=12, batch_size=8, learning_rate=3e-3, evaluations=3, device="cpu", logging_steps=1
)


def test_training_learns(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    settings = FEW_STEPS.model_copy(update={"max_steps": 60, "evaluations": 2})
    _, report = fine_tune(features, tokenizer, tmp_path, settings)
    losses = dict(report.curves["train/summary_loss"])
    assert losses[1] > 5
    validation = report.curves["validation/summary_loss"]
    assert validation[-1][1] < losses[1] / 2
    salience = [value for _, value in report.curves["validation/salience_loss"]]
    assert salience[-1] < salience[0]


def test_the_same_seed_gives_bit_identical_runs(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    runs = [fine_tune(features, tokenizer, tmp_path / name, FEW_STEPS) for name in "ab"]
    assert runs[0][1].curves == runs[1][1].curves
    for one, other in zip(runs[0][0].parameters(), runs[1][0].parameters(), strict=True):
        assert torch.equal(one, other)


def test_batches_prepared_by_other_processes_are_the_same(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    curves = []
    for workers in (0, 2):  # in each epoch, other windows are drawn
        settings = FEW_STEPS.model_copy(update={"batch_workers": workers})
        curves.append(fine_tune(features, tokenizer, tmp_path / str(workers), settings)[1].curves)
    assert curves[0] == curves[1]


def test_gradient_accumulation_equals_the_larger_batch(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    still = TINY.model_copy(update={"dropout_rate": 0.0})
    losses = []
    for batch, accumulated in ((8, 1), (4, 2)):
        model = build_model(still, tokenizer, seed=5)
        settings = FEW_STEPS.model_copy(
            update={"batch_size": batch, "gradient_accumulation_steps": accumulated}
        )
        report = train(
            model, tokenizer, features, text=TEXT, settings=settings, seed=5,
            work_folder=tmp_path / str(batch), callbacks=[],
        )  # fmt: skip
        losses.append(report.validation_loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_gradient_checkpointing_does_not_change_the_result(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    losses = []
    for checkpointing in (False, True):
        settings = FEW_STEPS.model_copy(update={"gradient_checkpointing": checkpointing})
        _, report = fine_tune(features, tokenizer, tmp_path / str(checkpointing), settings)
        losses.append(report.validation_loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_the_best_weights_are_kept_not_the_last(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    class Wreck(TrainerCallback):
        """Overwrite the weights after step 8, so that its checkpoint is the best."""

        def on_step_end(self, args, state, control, model=None, **kwargs):  # type: ignore[no-untyped-def]
            if state.global_step > 8:
                with torch.no_grad():
                    model.seq2seq.shared.weight.normal_()

    model, report = fine_tune(features, tokenizer, tmp_path, FEW_STEPS, [Wreck()])
    assert report.best_step == 8
    validations = dict(report.curves["validation/loss"])
    assert report.validation_loss == validations[8] < validations[12]
    assert (
        model.seq2seq.shared.weight.abs().mean() < 0.9
    )  # mean magnitude of the overwritten weights: 0.8


def test_early_stopping_ends_a_run_that_does_not_improve(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    settings = FEW_STEPS.model_copy(
        update={
            "learning_rate": 1e-12,
            "salience_learning_rate": 1e-12,
            "early_stopping_patience": 1,
            "max_steps": 40,
            "evaluations": 20,
        }
    )
    _, report = fine_tune(features, tokenizer, tmp_path, settings)
    assert report.stopped_early
    assert report.steps < 40


def test_selection_by_rouge_validates_with_generated_text(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    settings = FEW_STEPS.model_copy(update={"selection_metric": "rougeLsum", "validation_rows": 4})
    _, report = fine_tune(features, tokenizer, tmp_path, settings)
    scores = [score for _, score in report.curves["validation/rougeLsum"]]
    assert len(scores) == 3
    assert all(0 <= score <= 1 for score in scores)
    assert len(report.curves["validation/salience_loss"]) == 3


def test_every_last_step_is_validated(
    features: datasets.DatasetDict, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    settings = FEW_STEPS.model_copy(update={"max_steps": 10, "evaluations": 3})
    _, report = fine_tune(features, tokenizer, tmp_path, settings)
    assert [step for step, _ in report.curves["validation/loss"]] == [4, 8, 10]


def test_bf16_is_used_only_if_the_processor_supports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert choose_precision("auto", cpu) == "fp32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert choose_precision("auto", cpu) == "bf16"
    assert choose_precision("fp32", cpu) == "fp32"


def hub_style_t5(folder: Path, vocabulary: Path, dtype: torch.dtype) -> None:
    """Save a small T5 with exactly the files of google-t5/t5-base on the hub."""
    config = T5Config(
        vocab_size=32128, d_model=16, d_kv=4, d_ff=32, num_layers=1, num_heads=2,
        decoder_start_token_id=0, architectures=["T5ForConditionalGeneration"],
    )  # fmt: skip
    T5ForConditionalGeneration(config).to(dtype).save_pretrained(folder)
    (folder / "spiece.model").write_bytes((vocabulary / "spiece.model").read_bytes())
    expected = {"config.json", "generation_config.json", "model.safetensors", "spiece.model"}
    assert {file.name for file in folder.iterdir()} == expected


def test_a_folder_with_the_files_of_the_hubs_t5_can_be_trained_and_served(
    t5_vocabulary: Path, articles: datasets.DatasetDict, tmp_path: Path
) -> None:
    hub = tmp_path / "t5"
    hub_style_t5(hub, t5_vocabulary, torch.bfloat16)
    source = PretrainedModel(kind="pretrained", name=str(hub))
    words = load_tokenizer(source.name, source.revision)
    model = build_model(source, words, seed=1)
    assert model.dtype == torch.float32
    features, _ = tokenize_splits(articles, words, TEXT, MapSettings(), tmp_path)
    settings = FEW_STEPS.model_copy(update={"max_steps": 2, "evaluations": 1})
    train(
        model, words, features, text=TEXT, settings=settings, seed=1,
        work_folder=tmp_path / "work", callbacks=[],
    )  # fmt: skip
    save_checkpoint(tmp_path / "tuned", model, words, TEXT)
    generation = GenerationSettings(num_beams=2, max_new_tokens=12, min_new_tokens=4)
    finish_checkpoint(tmp_path / "tuned", generation, CHOICE, tmp_path / "registered")
    summarizer = Summarizer.load(tmp_path / "registered")
    texts = [articles["test"][0]["article"], "Word " * 200]
    results = summarizer.summarize([HighlightRequest(article=text) for text in texts])
    assert [r.truncated.source for r in results] == [False, True]
    assert not [
        f for f in (tmp_path / "registered").iterdir() if f.suffix in (".bin", ".pt", ".pkl")
    ]


def test_a_batch_gives_what_each_article_gives_alone(
    features: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
) -> None:
    settings = FEW_STEPS.model_copy(update={"max_steps": 40, "evaluations": 1})
    model, _ = fine_tune(features, tokenizer, tmp_path / "work", settings)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, TEXT)
    generation = GenerationSettings(num_beams=2, max_new_tokens=24)
    finish_checkpoint(tmp_path / "tuned", generation, CHOICE, tmp_path / "final")
    summarizer = Summarizer.load(tmp_path / "final")
    texts = [row["article"][: 60 + 30 * i] for i, row in enumerate(articles["test"])][:6]
    requests = [HighlightRequest(article=text) for text in texts]
    alone = [summarizer.summarize([request])[0] for request in requests]
    together = summarizer.summarize(requests, batch_size=4)
    assert [r.summary for r in together] == [r.summary for r in alone]
    assert len({result.summary for result in alone}) > 1
    for text, result in zip(texts, together, strict=True):
        assert [p.important for p in result.paragraphs].count(True) == 1
        for paragraph in result.paragraphs:
            assert text[paragraph.start : paragraph.end] == paragraph.text


def test_important_paragraphs_follow_top_k_and_threshold(
    features: datasets.DatasetDict,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
) -> None:
    model = build_model(TINY, tokenizer, seed=5)
    generation = GenerationSettings(num_beams=1, max_new_tokens=4)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, TEXT)
    finish_checkpoint(tmp_path / "tuned", generation, CHOICE, tmp_path / "final")
    summarizer = Summarizer.load(tmp_path / "final")
    article = articles["test"][0]["article"]

    def ask(text: str, **options: float) -> Highlights:
        [result] = summarizer.summarize([HighlightRequest(article=text, **options)])
        return result

    result = ask(article, top_k=2)
    scores = sorted((p.score for p in result.paragraphs), reverse=True)
    assert len(result.paragraphs) == 3
    assert {p.score for p in result.paragraphs if p.important} == set(scores[:2])
    strict = ask(article, top_k=2, threshold=scores[0])
    assert [p.score for p in strict.paragraphs if p.important] == scores[:1]
    none = ask(article, threshold=1.0)
    assert not any(p.important for p in none.paragraphs)
    sentences = ask(article.replace("\n\n", " "), top_k=1)
    assert len(sentences.paragraphs) == 5  # an article without paragraphs is divided into sentences
    empty = ask(" \n ")
    assert empty.paragraphs == []


def test_a_model_with_fewer_tokens_than_its_tokenizer_is_refused(
    t5_vocabulary: Path, tmp_path: Path
) -> None:
    T5ForConditionalGeneration(
        T5Config(vocab_size=100, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    ).save_pretrained(tmp_path)
    tokenizer = load_tokenizer(str(t5_vocabulary))
    with pytest.raises(CheckpointError, match=f"{len(tokenizer)} tokens, the model 100"):
        load_model(str(tmp_path), tokenizer=tokenizer)


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no model can be loaded from this folder"):
        load_model(str(tmp_path))
    with pytest.raises(CheckpointError, match=r"no text_settings\.json"):
        read_text_settings(tmp_path)


def test_mixed_precision_ends_with_the_training(
    tokenizer: PreTrainedTokenizerBase, features: datasets.DatasetDict, tmp_path: Path
) -> None:
    model = build_model(TINY, tokenizer, seed=3)
    settings = TrainingSettings(max_steps=1, evaluations=1, device="cpu", precision="bf16")
    train(
        model, tokenizer, features, text=TEXT, settings=settings, seed=3,
        work_folder=tmp_path, callbacks=[],
    )  # fmt: skip
    assert not torch.is_autocast_enabled("cpu")
    model.eval()
    ids = torch.tensor([[10, 11, 12, 1]])
    with torch.no_grad():
        logits = model.seq2seq(input_ids=ids, labels=ids).logits
        encoded = model.encoder(input_ids=ids)
        exact = model.seq2seq(encoder_outputs=encoded, labels=ids).logits
    assert torch.equal(logits, exact)
    assert not torch.equal(logits, logits.bfloat16().float())


def test_a_frozen_model_is_kept_while_its_salience_head_learns(
    tokenizer: PreTrainedTokenizerBase, features: datasets.DatasetDict, tmp_path: Path
) -> None:
    model = build_model(TINY, tokenizer, seed=3)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    settings = FEW_STEPS.model_copy(update={"max_steps": 4, "evaluations": 1, "frozen": True})
    train(
        model, tokenizer, features, text=TEXT, settings=settings, seed=3,
        work_folder=tmp_path, callbacks=[],
    )  # fmt: skip
    for name, weight in model.named_parameters():
        assert torch.equal(weight, before[name]) != name.startswith("salience."), name
        assert weight.requires_grad


@pytest.mark.parametrize("other", [{"lora": {}}, {"salience_weight": 0.0}])
def test_a_frozen_model_needs_something_to_train(other: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="frozen needs a salience_weight above 0"):
        TrainingSettings.model_validate({"frozen": True} | other)
