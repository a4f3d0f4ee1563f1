"""Upload a registered version as a repository of the Hugging Face hub, with a model card."""

from pathlib import Path

from huggingface_hub import ModelCardData
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from highlighter.data.hub import upload
from highlighter.model.checkpoint import (
    MeasuredModel,
    read_card,
    read_highlight_settings,
    read_text_settings,
)
from highlighter.system.folders import temporary_folder
from release import registry
from release.logged_model import fetch_checkpoint

_NOT_UPLOADED = ["ctranslate2/*", "engine.json"]  # the service converts the weights again
_CARD = """\
---
{metadata}
---

# {title}

Summarizes news articles in English. `salience.safetensors` scores the article's sentences; only
the project that this model was trained with reads it.

## Use

```python
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{repository}")
model = AutoModelForSeq2SeqLM.from_pretrained("{repository}")
article = "The ferry returns on 3 May, the harbour board said. Repairs cost £1.4 million."
tokens = tokenizer({prefix!r} + article, truncation=True, max_length={length}, return_tensors="pt")
summary = tokenizer.decode(model.generate(**tokens)[0], skip_special_tokens=True)
print(summary)
```

This reads the first {length} tokens of an article. Beams and lengths are those of
`generation_config.json`.

## Measured

{rows} test articles (fingerprint `{fingerprint}`), 95 % bootstrap intervals.

| summaries | measure | % | interval |
|---|---|---:|---:|
{scores}

`abstractive` is what the model writes of an article's {source}. `served` is what the project's
service returns: a summary that fails a check is replaced by the most salient sentences
(`extractive`). `lead3` is the article's first three sentences, `oracle` the best choice of
sentences. ROUGE is F1 in percent; `faithfulness` is the share of a summary's names, numbers and
dates that appear in its article.

## Made from

| | |
|---|---|
| model | {base} |
| data | {data} |
| data fingerprint | `{data_fingerprint}` |
| code | commit `{git_commit}` |
| registered as | {name} version {version}, {parameters} parameters |

## Limits

- It is measured on the articles above only. Other sources, topics and languages can be much worse.
- It can state facts that the article does not have. Plain transformers checks nothing; the service
  replaces summaries with unsupported names, numbers or dates, but not one that attributes an action
  to the wrong person.
- No license is stated here: those of the model and the data that it was made from apply.
"""


def push(name: str, version: str, repository: str, *, private: bool, tag: str | None) -> str:
    """Upload a version's checkpoint and its model card; return the address of the commit.

    The repository is created if there is none.

    Args:
        name: name of the registered model.
        version: number of the version, or "champion".
        repository: OWNER/NAME on the hub.
        private: whether a new repository is private.
        tag: tag of the commit, if any.

    Raises:
        RegistryError: there is no such version, or its files are missing or changed.
        HubError: the hub does not answer, or refuses.
    """
    found = registry.named_version(name, version)
    checkpoint = fetch_checkpoint(found, temporary_folder("push"))
    (checkpoint / "README.md").write_text(
        model_card(found, checkpoint, repository), encoding="utf-8"
    )
    message = f"{found.name} version {found.version}"
    return upload(checkpoint, repository, message, private=private, tag=tag, ignore=_NOT_UPLOADED)


def model_card(version: ModelVersion, checkpoint: Path, repository: str) -> str:
    """Return the model card of a version, with the code that loads it from `repository`."""
    measured, text = read_card(checkpoint), read_text_settings(checkpoint)
    highlights = read_highlight_settings(checkpoint)
    settings = _settings_of_run(version)
    base = _named(settings, "fine_tune.model", "name")
    data = _named(settings, "ingest.source", "repository")
    on_hub = settings.get("ingest.source.kind") == "hub" and not Path(data.split("@")[0]).exists()
    metadata = ModelCardData(
        language="en",
        library_name="transformers",
        pipeline_tag="summarization",
        datasets=[settings["ingest.source.repository"]] if on_hub else None,
        tags=["news"],
    )
    return _CARD.format(
        metadata=metadata.to_yaml(),
        title=repository.rsplit("/", maxsplit=1)[-1],
        repository=repository,
        prefix=text.prefix or "",
        length=text.max_source_tokens,
        rows=measured.evaluation.rows,
        fingerprint=measured.evaluation.test_fingerprint,
        scores=_scores(measured),
        source={"first": "start", "selected": "most salient sentences and start"}[
            highlights.source
        ],
        base=base,
        data=data,
        data_fingerprint=version.tags.get("data_fingerprint", "unknown"),
        git_commit=version.tags.get("git_commit", "unknown"),
        name=version.name,
        version=version.version,
        parameters=f"{measured.parameters:,}",
    )


def _scores(measured: MeasuredModel) -> str:
    evaluation = measured.evaluation
    return "\n".join(
        f"| {score.system} | {score.metric} | {score.value:.1f} "
        f"| {score.low:.1f} – {score.high:.1f} |"
        for score in (*evaluation.scores, *evaluation.faithfulness)
    )


def _settings_of_run(version: ModelVersion) -> dict[str, str]:
    """Return the settings of the run that made a version; {} if the run was deleted."""
    if not version.run_id:
        return {}
    try:
        return dict(MlflowClient().get_run(version.run_id).data.params)
    except MlflowException as error:
        if not registry.is_missing(error):
            raise
        return {}


def _named(settings: dict[str, str], prefix: str, field: str) -> str:
    """Return what a run started from: a name and its commit, or else its kind."""
    given = settings.get(f"{prefix}.{field}") or settings.get(f"{prefix}.teacher")
    if given is None:
        return settings.get(f"{prefix}.kind", "unknown: the MLflow run was deleted")
    if Path(given).exists():
        return f"local folder {Path(given).name}"
    revision = settings.get(f"{prefix}.revision")
    return f"{given}@{revision}" if revision else given
