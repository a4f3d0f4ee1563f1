"""A registered model answers in MLflow, to every kind of input, what the service answers."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.pyfunc import PyFuncModel, scoring_server

from highlighter.embedded import CORPUS
from highlighter.inference.answers import ANSWER_FIELDS, Options
from highlighter.inference.summarizer import Summarizer
from tests.serving.stand_in import make_app

TEXTS: list[str] = pq.read_table(CORPUS / "validation.parquet")["article"][:2].to_pylist()
OPTIONS = {"top_k": 1, "threshold": 0.1, "max_summary_tokens": 24}


@pytest.fixture(scope="module")
def model(logged: ModelInfo) -> PyFuncModel:
    return mlflow.pyfunc.load_model(logged.model_uri)


@pytest.fixture(scope="module")
def expected(model: PyFuncModel) -> list[dict[str, Any]]:
    return records(model.predict(TEXTS))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    assert tuple(table.columns) == ANSWER_FIELDS
    rows: list[dict[str, Any]] = table.to_dict("records")
    return rows


@pytest.mark.parametrize(
    "given",
    [
        pd.Series(TEXTS),
        pd.DataFrame({"id": [1, 2], "article": TEXTS, "date": None}),
        pd.DataFrame({"text": TEXTS}),
        pd.DataFrame({"article": TEXTS}).to_numpy()[:, 0],
        [{"article": text} for text in TEXTS],
        {"article": TEXTS},
    ],
    ids=["Series", "table", "one column", "array", "records", "columns"],
)
def test_every_kind_of_input_gives_the_same_rows(
    model: PyFuncModel, expected: list[dict[str, Any]], given: Any
) -> None:
    assert records(model.predict(given)) == expected


def test_a_table_keeps_its_index(model: PyFuncModel) -> None:
    table = pd.DataFrame({"article": TEXTS}, index=["x", "y"])
    assert model.predict(table).index.tolist() == ["x", "y"]
    assert records(model.predict([])) == []


def test_the_signature_names_the_options_and_the_columns(
    model: PyFuncModel, expected: list[dict[str, Any]]
) -> None:
    signature = model.metadata.signature
    assert {param.name: param.default for param in signature.params} == dict.fromkeys(
        Options.model_fields
    )
    assert [column.name for column in signature.outputs] == list(ANSWER_FIELDS)
    for column in signature.outputs:
        assert column.required == (column.name != "doubt")
        described, value = column.to_dict(), expected[0][column.name]
        if isinstance(value, list):
            described, [value, *_] = described["items"], value
        if isinstance(value, dict):
            assert set(described["properties"]) == set(value)


@pytest.mark.parametrize("options", [{}, OPTIONS], ids=["defaults", "options"])
@pytest.mark.parametrize(
    "payload",
    [
        {"inputs": TEXTS},
        {"dataframe_split": {"columns": ["id", "article"], "data": list(enumerate(TEXTS))}},
        {"dataframe_records": [{"id": "a", "article": text} for text in TEXTS]},
    ],
    ids=lambda payload: next(iter(payload)),
)
def test_its_server_answers_as_the_service(
    model: PyFuncModel, checkpoint: Path, payload: dict[str, Any], options: dict[str, Any]
) -> None:
    server = TestClient(scoring_server.init(model))
    given = server.post("/invocations", json=payload | {"params": options})
    assert given.status_code == 200, given.text
    service = TestClient(make_app(Summarizer.load(checkpoint)))  # type: ignore[arg-type]
    body = {"articles": [{"article": text, **options} for text in TEXTS]}
    served = service.post("/summarize_batch", json=body).json()["articles"]
    for row, entry in zip(given.json()["predictions"], served, strict=True):
        answer = {name: entry["result"][name] for name in ANSWER_FIELDS}
        assert row["confidence"] == pytest.approx(answer.pop("confidence"), rel=1e-4)
        for here, there in zip(row["paragraphs"], answer["paragraphs"], strict=True):
            assert here["score"] == pytest.approx(there.pop("score"), abs=1e-5)
            assert here | there == here
        del row["confidence"], row["paragraphs"], answer["paragraphs"]
        assert row == answer


@pytest.mark.parametrize(
    ("given", "params", "message"),
    [
        (["Good.", " \n"], {}, "Article 1 (from 0) is empty"),
        (["Good.", None], {}, "Article 1 (from 0) is a NoneType, not text"),
        (pd.Series([1.5]), {}, "Article 0 (from 0) is a float, not text"),
        (["\ud83d"], {}, "half of a surrogate pair"),
        (
            pd.DataFrame({"id": [1], "text": ["a"]}),
            {},
            "no columns 'article'; its columns are 'id'",
        ),
        (7, {}, "The input is a int: give a list of articles"),
        (TEXTS, {"top_k": 0}, "'top_k' is 0: Input should be greater than or equal to 1"),
        (TEXTS, {"threshold": 1.5}, "'threshold' is 1.5"),
        (TEXTS, {"max_summary_tokens": 7}, "'max_summary_tokens' is 7"),
        (TEXTS, {"top_k": "many"}, "top_k"),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(
    model: PyFuncModel, given: Any, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(MlflowException) as error:
        model.predict(given, params=params)
    assert message in error.value.message
    assert error.value.get_http_status_code() == 400
