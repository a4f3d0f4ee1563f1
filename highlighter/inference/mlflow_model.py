"""The registered model as MLflow runs it: this file is its code ("models from code").

`mlflow models serve`, `mlflow.pyfunc.spark_udf` and `mlflow.pyfunc.load_model` execute it beside
the checkpoint folder, so nothing is pickled.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext
from pydantic import ValidationError

from highlighter.data.characters import has_surrogate, has_visible_text
from highlighter.inference.answers import ANSWER_FIELDS, HighlightRequest, Options
from highlighter.inference.summarizer import Summarizer

_TOGETHER = 64  # articles in memory at once; the model sorts them by length into its batches


class SummarizerModel(PythonModel):
    """Answer with the checkpoint that was logged with this file, as the service does."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the checkpoint that was logged with this model."""
        self._summarizer = Summarizer.load(Path(context.artifacts["checkpoint"]))
        self._computes = threading.Lock()  # `mlflow models serve` calls from several threads

    # MLflow passes on what it was given: the signature has no inputs, because with inputs MLflow
    # accepts either lists or tables with a column `article`, but not both.
    def predict(
        self, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return a table with a row per article and the columns ANSWER_FIELDS.

        Args:
            model_input: table with a column `article` (or a single column), a Series or a list of
                articles, one article, or records as JSON writes them.
            params: the options of `Options`, for all articles.

        Raises:
            MlflowException: an article or an option is invalid.
        """
        options = _read_options(params or {})
        articles = _read_articles(model_input)
        requests = [HighlightRequest(article=text, **options.model_dump()) for text in articles]
        rows: list[dict[str, Any]] = []
        with self._computes:
            for start in range(0, len(requests), _TOGETHER):
                answers = self._summarizer.summarize(requests[start : start + _TOGETHER])
                rows += [answer.model_dump(include=set(ANSWER_FIELDS)) for answer in answers]
        index = model_input.index if isinstance(model_input, pd.DataFrame | pd.Series) else None
        columns = {
            # As an object: in a column of strings, pandas writes NaN for "no doubt".
            name: pd.Series([row[name] for row in rows], index=index, dtype=_dtype(name))
            for name in ANSWER_FIELDS
        }
        return pd.DataFrame(columns)


def _dtype(name: str) -> str:
    return "float64" if name == "confidence" else "object"


def _read_options(params: dict[str, Any]) -> Options:
    try:
        return Options.model_validate(params)
    except ValidationError as error:
        [first, *_] = error.errors()
        field = ".".join(map(str, first["loc"]))
        raise MlflowException.invalid_parameter_value(
            f"The parameter {field!r} is {params.get(field)!r}: {first['msg']}."
        ) from error


def _read_articles(data: Any) -> list[str]:
    """Return the articles of whatever MLflow passes on, each checked."""
    if isinstance(data, str):
        data = [data]
    elif isinstance(data, dict):
        data = pd.DataFrame({name: np.atleast_1d(values) for name, values in data.items()})
    elif isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        data = pd.DataFrame(data)
    if isinstance(data, pd.DataFrame):
        data = _article_column(data)
    if isinstance(data, pd.Series | np.ndarray):
        data = np.atleast_1d(data.tolist() if data.ndim == 0 else data).tolist()
    if not isinstance(data, Sequence):
        raise MlflowException.invalid_parameter_value(
            f"The input is a {type(data).__name__}: give a list of articles, or a table with a "
            "column 'article'."
        )
    return [_checked(article, number) for number, article in enumerate(data)]


def _article_column(table: pd.DataFrame) -> pd.Series:
    names = [name for name in table.columns if name == "article"]
    if not names and len(table.columns) == 1:
        return table.iloc[:, 0]
    if len(names) != 1:
        raise MlflowException.invalid_parameter_value(
            f"The table has {len(names) or 'no'} columns 'article'; its columns are "
            f"{', '.join(map(repr, table.columns)) or 'none'}. Name the column of the articles "
            "'article'."
        )
    return table["article"]


def _checked(article: Any, number: int) -> str:
    if isinstance(article, np.ndarray) and article.ndim == 0:
        article = article.item()  # so MLflow's server reads a record's string
    if not isinstance(article, str):
        problem = f"is a {type(article).__name__}, not text"
    elif not has_visible_text(article):
        problem = "is empty: give its text"
    elif has_surrogate(article):
        problem = "holds half of a surrogate pair: give complete Unicode characters"
    else:
        return article
    raise MlflowException.invalid_parameter_value(f"Article {number} (from 0) {problem}.")


mlflow.models.set_model(SummarizerModel())
