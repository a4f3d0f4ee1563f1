"""A registered version becomes a repository that plain transformers loads, with its figures."""

import re
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from transformers import PreTrainedTokenizerBase

from highlighter.errors import HubError, RegistryError
from highlighter.model.build import build_model
from highlighter.model.checkpoint import (
    EvaluationSummary,
    MeasuredModel,
    Score,
    finish_checkpoint,
    generation_config,
    save_checkpoint,
    write_card,
)
from highlighter.model.model import HighlightModel, load_model
from highlighter.settings import (
    GateSettings,
    GenerationSettings,
    HighlightSettings,
    ScratchModel,
    TextSettings,
)
from release.__main__ import main
from release.publish import publish
from release.push import push
from tests.hub_server import TOKEN, Hub
from tests.release.local_stores import NAME, Stores, measured

# `huggingface_hub` uploads a file in the way that httpx2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")
REPOSITORY = "owner/news"
COMMIT = "1234567890" * 4
GENERATION = GenerationSettings(num_beams=2, min_new_tokens=5, max_new_tokens=9)
SETTINGS = {
    "fine_tune.model.kind": "pretrained",
    "fine_tune.model.name": "google-t5/t5-small",
    "fine_tune.model.revision": COMMIT,
    "ingest.source.kind": "hub",
    "ingest.source.repository": "abisee/cnn_dailymail",
    "ingest.source.revision": COMMIT[::-1],
}


@pytest.fixture
def champion(stores: Stores, tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> HighlightModel:
    """Register a small T5 as the champion; return it."""
    scratch = ScratchModel(kind="scratch", d_model=32, d_kv=8, d_ff=64)
    model = build_model(scratch, tokenizer, seed=3).eval()
    text = TextSettings(prefix="condense: ", max_source_tokens=40, overlap_tokens=8)
    save_checkpoint(tmp_path / "tuned", model, tokenizer, text)
    folder = tmp_path / "checkpoint"
    finish_checkpoint(tmp_path / "tuned", GENERATION, HighlightSettings(sentences=2), folder)
    (folder / "ctranslate2").mkdir()
    (folder / "ctranslate2" / "model.bin").write_bytes(b"converted")
    score = Score(system="served", metric="rougeLsum", value=31.25, low=29.5, high=33.0)
    evaluation = EvaluationSummary(
        rows=200, test_fingerprint="f00d", scores=[score], faithfulness=[]
    )
    write_card(folder, MeasuredModel(parameters=12345, engine="torch", evaluation=evaluation))
    _, logged, lineage = stores.log(folder)
    for key, value in SETTINGS.items():
        MlflowClient().log_param(lineage.mlflow_run_id, key, value)
    publish(
        folder, lambda: logged, name=NAME, measured=measured(30), gate=GateSettings(),
        resamples=200, seed=13, lineage=lineage,
    )  # fmt: skip
    return model


def test_plain_transformers_loads_what_was_pushed(
    champion: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    address = push(NAME, "champion", REPOSITORY, private=True, tag="v1")
    repository = hub.repositories["models", REPOSITORY]
    commit = repository.refs["main"]
    assert (repository.private, repository.refs["v1"]) == (True, commit)
    assert address == f"{hub.address}/{REPOSITORY}/commit/{commit}"
    files = repository.commits[commit]
    assert "salience.safetensors" in files
    assert not [name for name in files if "ctranslate2" in name or name == "engine.json"]

    card = files["README.md"].decode()
    [code] = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    values: dict[str, Any] = {}
    exec(code, values)  # noqa: S102  # the card's own example, as a reader would run it
    tokens = tokenizer(
        "condense: " + values["article"], truncation=True, max_length=40, return_tensors="pt"
    )
    expected = champion.seq2seq.generate(
        **tokens, generation_config=generation_config(GENERATION, tokenizer)
    )
    assert values["summary"] == tokenizer.decode(expected[0], skip_special_tokens=True)
    assert capsys.readouterr().out.strip() == values["summary"].strip()
    again = load_model(REPOSITORY, commit)
    for name, weight in champion.state_dict().items():
        assert again.state_dict()[name].equal(weight), name

    assert "| served | rougeLsum | 31.2 | 29.5 – 33.0 |" in card
    assert "200 test articles (fingerprint `f00d`)" in card
    assert f"google-t5/t5-small@{COMMIT}" in card
    assert f"abisee/cnn_dailymail@{COMMIT[::-1]}" in card
    assert card.startswith("---\n")
    assert "- abisee/cnn_dailymail\n" in card.split("---")[1]
    assert TOKEN not in card


def test_what_cannot_be_pushed_is_explained(
    champion: HighlightModel,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(RegistryError, match="no such version"):
        push(NAME, "7", REPOSITORY, private=False, tag=None)
    with pytest.raises(HubError, match="owner/news: could not be uploaded.*no token.*HF_TOKEN"):
        push(NAME, "1", REPOSITORY, private=False, tag=None)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubError, match=r"could not be uploaded.*401 \(a token was sent\)"):
        push(NAME, "1", REPOSITORY, private=False, tag=None)
    with pytest.raises(HubError, match="no name of a repository"):
        push(NAME, "1", "not a/name", private=False, tag=None)
    assert hub.repositories == {}
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("pipelines.stack.use_stores_of", lambda _: None)
    for _ in range(2):  # a repository that exists gets another commit
        assert main(["push", REPOSITORY, "--version", "1"]) == 0
        assert f"Uploaded: {hub.address}/{REPOSITORY}/commit/" in capsys.readouterr().out
