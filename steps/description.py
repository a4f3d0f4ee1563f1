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
- In Python: `mlflow.pyfunc.load_model("models:/{name}@champion").predict(["An article ..."])`
- As a REST server: `mlflow models serve -m "models:/{name}@champion" --env-manager local`
- Versions and their scores: `python -m release list`; another champion:
  `python -m release promote VERSION`, back to the previous one: `python -m release rollback`.
"""


def describe_registration(evaluation: Evaluation, registration: Registration) -> None:
    """Describe the run, the version it registered and the model, where MLflow shows it."""
    result = f"{scores_as_markdown(evaluation)}\n\n{_decision(registration)}"
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


def _decision(registration: Registration) -> str:
    reasons = "\n".join(f"- {reason}" for reason in registration.decision.reasons)
    return (
        f"**Registered {registration.model_name} version {registration.version} as "
        f"{registration.alias}:**\n\n{reasons}"
    )


def _card(evaluation: Evaluation) -> str:
    generation, trust = evaluation.generation, evaluation.highlights.trust
    checks = [
        f"{name} {value}" for name, value in trust.model_dump().items() if value not in (False, 0.0)
    ]
    return (
        "An encoder-decoder that writes a summary of an English news article, with a salience head "
        "that scores its sentences. "
        f"Summaries have at most {generation.max_new_tokens} tokens and are decoded with "
        f"{generation.num_beams} beam(s). One that fails a check is replaced by the "
        f"{evaluation.highlights.sentences} most salient sentences. Checks: "
        f"{', '.join(checks) or 'none'}. Not a fact checker: a summary can attribute a true "
        "statement to the wrong person."
    )
