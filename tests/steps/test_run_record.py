"""What a run records in MLflow."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from steps import run_record

ADDRESS = "https://me:SECRET@h.org/news/all.csv?X-Amz-Signature=SECRET"


def test_keys_in_addresses_of_data_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"source": {"kind": "files", "all": ADDRESS, "columns": {"id": None}}}
    step = SimpleNamespace(config=SimpleNamespace(parameters=settings))
    run = SimpleNamespace(
        name="a run", snapshot=SimpleNamespace(step_configurations={"ingest": step})
    )
    monkeypatch.setattr(run_record, "get_step_context", lambda: SimpleNamespace(pipeline_run=run))
    mlflow = MagicMock()
    monkeypatch.setattr(run_record, "mlflow", mlflow)
    monkeypatch.setattr(run_record, "MlflowClient", mlflow.client)
    run_record.log_settings()
    numbers, digests = (dict.fromkeys(("train", "validation", "test"), x) for x in (9, "abc"))
    run_record.log_datasets(numbers, digests)
    [parameters] = mlflow.log_params.call_args.args
    assert parameters["ingest.source.all"] == "https://h.org/news/all.csv"
    datasets = [call.args[0] for call in mlflow.log_input.call_args_list]
    assert [dataset.name for dataset in datasets] == ["all-train", "all-validation", "all-test"]
    recorded = str([mlflow.mock_calls, [dataset.to_dict() for dataset in datasets]])
    assert "h.org" in recorded and "SECRET" not in recorded
