"""Descriptions of a run, a model version and the registered model, as MLflow shows them."""

import mlflow
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

from highlighter.evaluation.record import Evaluation
from highlighter.evaluation.report import scores_as_markdown
from release.publish import Registration

_HOW_TO_USE = """\
Summarizes news articles in English and marks their most salient sentences. The alias `champion` is
the version in use, `challenger` the latest one that did not pass the gate.

- As a service with a web page: `bentoml serve` in the project's folder.
- In Python: `mlflow.pyfunc.load_model("models:/{name}@champion").predict(["An article ..."])`, or
  with a table that has a column `article`.
- As a REST server: `mlflow models serve -m "models:/{name}@champion" --env-manager local`
- Versions and their scores: `python -m release list`; another champion:
  `python -m release promote VERSION`, back to the previous one: `python -m release rollback`.
"""


def describe_registration(evaluation: Evaluation, registration: Registration) -> None:
    """Describe the run, the version it registered and the model, where MLflow shows it."""
    result = (
        f"**Registered {registration.model_name} version {registration.version} as "
        f"{registration.alias}.** {scores_as_markdown(evaluation)}\n\n"
        f"Why {registration.alias}:\n\n"
        + "\n".join(f"- {reason}" for reason in registration.decision.reasons)
    )
    run = mlflow.active_run().info
    page = f"#/experiments/{run.experiment_id}/runs/{run.run_id}"
    version = f"#/models/{registration.model_name}/versions/{registration.version}"
    mlflow.set_tag(
        MLFLOW_RUN_NOTE,
        f"{result}\n\nReport with sample articles: "
        f"[evaluation/report.html]({page}/artifacts/evaluation/report.html). Pictures: `figures`. "
        f"All measures: `evaluation/evaluation.json`. Registered as: "
        f"[{registration.model_name} version {registration.version}]({version}).",
    )
    client = MlflowClient()
    client.update_model_version(
        registration.model_name,
        registration.version,
        f"{_card(evaluation)}\n\n{result}\n\n"
        f"Settings, data and report: [the run that trained it]({page}).",
    )
    client.update_registered_model(
        registration.model_name, _HOW_TO_USE.format(name=registration.model_name)
    )


def _card(evaluation: Evaluation) -> str:
    beams = evaluation.generation.num_beams
    checks = [
        name if value is True else f"{name} {value}"
        for name, value in evaluation.highlights.trust.model_dump().items()
        if value
    ]
    return (
        "An encoder-decoder that summarizes an English news article, with a salience head that "
        f"scores its sentences. It writes at most {evaluation.generation.max_new_tokens} tokens, "
        f"{'greedily' if beams == 1 else f'with {beams} beams'}. A summary that fails a check is "
        f"replaced by the {evaluation.highlights.sentences} most salient sentences; checks: "
        f"{', '.join(checks) or 'none'}. The model sometimes attributes an action to the wrong "
        "person; no check here detects that."
    )
