"""Evaluate a registered version on articles other than those of its test split."""

from pathlib import Path

import datasets

from highlighter.data.files import read_rows
from highlighter.data.fingerprint import hash_files
from highlighter.data.validation import ARTICLE_FEATURES
from highlighter.errors import CorpusError
from highlighter.evaluation.evaluate import evaluate_checkpoint
from highlighter.evaluation.record import Evaluation
from highlighter.settings import Columns, EvaluationSettings, MapSettings
from highlighter.system.folders import temporary_folder
from release.logged_model import fetch_checkpoint
from release.registry import named_version

_SEED = 13  # of the random baseline and the bootstrap


def judge_version(name: str, version: str, file: Path, columns: Columns) -> Evaluation:
    """Evaluate a version on the article and highlights of each row of a file.

    Args:
        name: name of the registered model.
        version: number of the version, or "champion".
        file: CSV, JSON lines or parquet file.
        columns: names of its columns.

    Raises:
        RegistryError: there is no such version.
        CorpusError: the file or one of its rows cannot be read.
    """
    rows = _read(file, columns)
    checkpoint = fetch_checkpoint(named_version(name, version), temporary_folder("judge"))
    evaluation, _ = evaluate_checkpoint(
        checkpoint,
        rows,
        test_fingerprint=hash_files([file]),
        oracle_sentences=MapSettings().oracle_sentences,
        settings=EvaluationSettings(),
        seed=_SEED,
    )
    return evaluation


def _read(file: Path, columns: Columns) -> datasets.Dataset:
    rows = []
    for row in read_rows(str(file), columns):
        if row["problem"]:
            raise CorpusError(f"{file}, row {row['row']}: {row['problem']}. Correct or delete it.")
        rows.append({column: row[column] for column in ARTICLE_FEATURES})
        rows[-1]["id"] = row["id"] or str(row["row"])
    if not rows:
        raise CorpusError(f"{file}: it has no rows. A row needs an article and highlights.")
    return datasets.Dataset.from_list(rows, features=ARTICLE_FEATURES)
