"""A student: the weights copied from its teacher, its targets, and its evaluation."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import datasets
import pytest
import torch
from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from highlighter.data.features import target_text, tokenize_splits
from highlighter.data.fingerprint import fingerprint_model, hash_folder
from highlighter.errors import CheckpointError
from highlighter.evaluation.comparison import compare_with_teacher
from highlighter.evaluation.evaluate import evaluate_checkpoint
from highlighter.evaluation.report import render_report
from highlighter.inference.answers import HighlightRequest
from highlighter.inference.engines import FOLDER, convert
from highlighter.inference.reader import Reader
from highlighter.model.build import build_model, kept_layers, shrink
from highlighter.model.checkpoint import (
    finish_checkpoint,
    read_generation_settings,
    save_checkpoint,
    write_engine,
)
from highlighter.model.model import HighlightModel, load_model
from highlighter.settings import (
    EvaluationSettings,
    GateSettings,
    GenerationSettings,
    HighlightSettings,
    MapSettings,
    ScratchModel,
    StudentModel,
    TextSettings,
    TrustSettings,
)
from highlighter.training.distillation import write_targets
from release.gate import teacher_for_gate

SHAPE = ScratchModel(
    kind="scratch", d_model=32, d_kv=8, d_ff=64, num_layers=4, num_decoder_layers=4
)
TEXT = TextSettings(max_source_tokens=96, overlap_tokens=16)
GREEDY = GenerationSettings(num_beams=1, min_new_tokens=2, max_new_tokens=6)
UNCHECKED = HighlightSettings(sentences=2, trust=TrustSettings(supported_facts_only=False))


@pytest.fixture(scope="module")
def teacher(tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registered checkpoint whose weights differ from layer to layer."""
    folder = tmp_path_factory.mktemp("teacher")
    model = build_model(SHAPE, tokenizer, seed=3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    save_checkpoint(folder / "tuned", model, tokenizer, TEXT)
    finish_checkpoint(folder / "tuned", GREEDY, UNCHECKED, folder / "registered")
    return folder / "registered"


def source(teacher: Path, encoder: int = 4, decoder: int = 2) -> StudentModel:
    return StudentModel(
        kind="student", teacher=str(teacher), encoder_layers=encoder, decoder_layers=decoder
    )


@pytest.mark.parametrize(
    ("teacher_layers", "student_layers", "kept"),
    [
        (12, 6, [0, 2, 4, 7, 9, 11]),  # the layers of Shleifer and Rush's DistilBART
        (12, 3, [0, 6, 11]),
        (6, 3, [0, 2, 5]),
        (6, 2, [0, 5]),
        (2, 1, [0]),
        (4, 4, [0, 1, 2, 3]),
    ],
)
def test_kept_layers_are_spread_evenly_from_the_first_to_the_last(
    teacher_layers: int, student_layers: int, kept: list[int]
) -> None:
    assert kept_layers(teacher_layers, student_layers, "decoder") == kept


def test_every_weight_of_a_student_is_a_copy_of_the_teachers(
    teacher: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    theirs = load_model(str(teacher)).state_dict()
    student = build_model(source(teacher, encoder=3, decoder=2), tokenizer, seed=9)
    of_layer = {
        "seq2seq.encoder.block.1.": "seq2seq.encoder.block.2.",
        "seq2seq.encoder.block.2.": "seq2seq.encoder.block.3.",
        "seq2seq.decoder.block.1.": "seq2seq.decoder.block.3.",
    }
    for name, weight in student.state_dict().items():
        place = next((place for place in of_layer if name.startswith(place)), "")
        assert torch.equal(weight, theirs[of_layer.get(place, "") + name[len(place) :]]), name
    assert (student.config.num_layers, student.config.num_decoder_layers) == (3, 2)
    assert (len(student.encoder.block), len(student.seq2seq.decoder.block)) == (3, 2)


def test_a_student_with_all_layers_equals_its_teacher_and_can_be_saved(
    teacher: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    theirs = load_model(str(teacher)).eval()
    shrink(theirs, 4, 2).save(tmp_path)
    ids = torch.tensor([[5, 6, 7, 1]])
    for student in (shrink(theirs, 4, 4), load_model(str(tmp_path))):
        same = _logits(student, ids).equal(_logits(theirs, ids))
        assert same == (student.config.num_decoder_layers == 4)
    assert torch.equal(_logits(load_model(str(tmp_path)), ids), _logits(shrink(theirs, 4, 2), ids))


def _logits(model: HighlightModel, ids: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = model.seq2seq.eval()(input_ids=ids, labels=ids).logits
    return logits


def test_salience_scores_are_the_teachers_if_the_encoder_keeps_all_layers(
    teacher: Path, tokenizer: PreTrainedTokenizerBase, articles: datasets.DatasetDict
) -> None:
    theirs = load_model(str(teacher))
    texts = articles["test"]["article"][:3]
    wanted, kept, cut = (
        [read.scores for read in Reader(model, tokenizer, TEXT).read(texts, 4)]
        for model in (theirs, shrink(theirs, 4, 1), shrink(theirs, 2, 1))
    )
    assert kept == wanted
    assert cut != wanted


def test_a_student_larger_than_its_teacher_is_refused(
    teacher: Path, tokenizer: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(CheckpointError, match=r"parameters\.model\.encoder_layers"):
        build_model(source(teacher, encoder=5), tokenizer, seed=1)
    with pytest.raises(CheckpointError, match=r"parameters\.model\.decoder_layers"):
        shrink(load_model(str(teacher)), 4, 5)
    with pytest.raises(ValidationError, match="must not exceed encoder_layers"):
        source(teacher, encoder=1, decoder=2)


def test_the_fingerprint_of_a_student_is_that_of_the_teachers_files(teacher: Path) -> None:
    assert fingerprint_model(source(teacher)) == hash_folder(teacher)


class _Answers:
    """A teacher whose every second summary fails a check."""

    @classmethod
    def load(cls, folder: Path) -> "_Answers":
        assert folder == Path("teacher")
        return cls()

    def summarize(
        self, requests: Sequence[HighlightRequest], *, batch_size: int
    ) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(
                summary=f"Of\n{request.article[:9]}.", doubt="empty" if number % 2 else None
            )
            for number, request in enumerate(requests)
        ]


def test_targets_are_the_teachers_summaries_that_pass_the_checks(
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("highlighter.training.distillation.Summarizer", _Answers)
    texts, references = (articles["train"][name][:4] for name in ("article", "highlights"))
    targets, written = write_targets(Path("teacher"), texts, references)
    assert written == 2
    assert targets[1::2] == references[1::2]
    assert targets[::2] == [f"Of\n{text[:9]}." for text in texts[::2]]

    rows = articles["train"].select(range(4)).add_column("target", targets)
    splits = datasets.DatasetDict({"train": rows, "validation": articles["validation"]})
    taught, _ = tokenize_splits(splits, tokenizer, TEXT, MapSettings(workers=1), tmp_path)
    (tmp_path / "plain").mkdir()
    plain, _ = tokenize_splits(
        datasets.DatasetDict(splits | {"train": rows.remove_columns("target")}),
        tokenizer, TEXT, MapSettings(workers=1), tmp_path / "plain",
    )  # fmt: skip
    labels = [taught["train"][number]["labels"] for number in range(4)]
    assert labels == tokenizer(text_target=[target_text(text) for text in targets])["input_ids"]
    assert [labels[n] == plain["train"][n]["labels"] for n in range(4)] == [False, True] * 2
    # Salience labels still come from the reference.
    for name in ("salience_labels", "tokens"):
        assert taught["train"][name][:] == plain["train"][name][:]
    assert taught["validation"]["labels"][:] == plain["validation"]["labels"][:]


@pytest.mark.parametrize("beams", [1, 3])
def test_generation_settings_can_be_read_from_a_registered_checkpoint(
    teacher: Path, tmp_path: Path, beams: int
) -> None:
    settings = GenerationSettings(
        num_beams=beams, length_penalty=1.0, max_new_tokens=9, no_repeat_ngram_size=4
    )
    finish_checkpoint(teacher, settings, UNCHECKED, tmp_path / "final")
    assert read_generation_settings(tmp_path / "final") == settings


def test_student_and_teacher_are_evaluated_on_the_same_rows(
    teacher: Path,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
) -> None:
    model = build_model(source(teacher, decoder=1), tokenizer, seed=1)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, TEXT)
    short = GREEDY.model_copy(update={"max_new_tokens": 4})
    finish_checkpoint(tmp_path / "tuned", short, UNCHECKED, tmp_path / "student")
    settings = EvaluationSettings(batch_size=8, workers=1, resamples=200, timed_articles=2)
    test = articles["test"]
    evaluated = evaluate_checkpoint(
        tmp_path / "student", test, test_fingerprint="rows", oracle_sentences=3,
        settings=settings, seed=7,
    )  # fmt: skip
    evaluation, rows = compare_with_teacher(
        tmp_path / "student", teacher, "models:/x/1", test, evaluated, oracle_sentences=3,
        settings=settings, seed=7,
    )  # fmt: skip
    alone, alone_rows = evaluate_checkpoint(
        teacher, test, test_fingerprint="rows", oracle_sentences=3, settings=settings, seed=7
    )
    tradeoff = evaluation.tradeoff
    assert tradeoff is not None
    assert rows["teacher_abstractive"][:] == alone_rows["abstractive"][:]
    assert rows["abstractive"][:] == evaluated[1]["abstractive"][:]
    for system, of_type in tradeoff.difference.items():
        for name, interval in of_type.items():
            theirs = alone.systems[system].rouge[name].mean
            assert tradeoff.teacher.rouge[system][name] == theirs
            own = evaluation.systems[system].rouge[name].mean
            assert interval.mean == pytest.approx(own - theirs)
    # Both have the same encoder.
    assert tradeoff.difference["extractive"]["rougeLsum"].mean == 0
    assert (tradeoff.teacher.decoder_layers, tradeoff.student.decoder_layers) == (4, 1)
    assert tradeoff.student.parameters == sum(p.numel() for p in model.parameters())
    speed = tradeoff.speed
    assert speed.articles == 2
    assert speed.ratio.low <= speed.ratio.mean <= speed.ratio.high
    held_to = teacher_for_gate(evaluation, rows, GateSettings())
    assert held_to is not None
    assert held_to.scores == alone_rows["abstractive_rougeLsum"][:]
    assert evaluation.metrics()["distillation/speedup"] == speed.ratio.mean

    page = render_report(evaluation, rows, {}, samples=1)
    assert "The teacher is <code>models:/x/1</code>" in page
    assert "Student and teacher" not in render_report(*evaluated, {}, samples=1)


def test_a_constrained_student_can_be_compared_with_an_unconstrained_teacher(
    teacher: Path,
    tokenizer: PreTrainedTokenizerBase,
    articles: datasets.DatasetDict,
    tmp_path: Path,
) -> None:
    copied = Path(shutil.copytree(teacher, tmp_path / "teacher"))
    convert(load_model(str(copied)), tokenizer, copied / FOLDER, "float32")
    write_engine(copied, "ctranslate2")
    model = build_model(source(copied, decoder=1), tokenizer, seed=1)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, TEXT)
    settings = EvaluationSettings(batch_size=8, workers=1, resamples=100, timed_articles=2)
    trust = UNCHECKED.trust.model_copy(update={"names_from_article": True})
    finish_checkpoint(
        tmp_path / "tuned",
        GREEDY.model_copy(update={"max_new_tokens": 4}),
        UNCHECKED.model_copy(update={"trust": trust}),
        tmp_path / "student",
    )
    evaluated = evaluate_checkpoint(
        tmp_path / "student", articles["test"], test_fingerprint="rows", oracle_sentences=3,
        settings=settings, seed=7,
    )  # fmt: skip
    evaluation, _ = compare_with_teacher(
        tmp_path / "student", copied, "models:/x/1", articles["test"], evaluated,
        oracle_sentences=3, settings=settings, seed=7,
    )  # fmt: skip
    assert evaluated[0].writer.startswith("torch")
    assert evaluation.tradeoff is not None
    assert evaluation.tradeoff.speed.articles == 2
