"""Workarounds for MLflow, checked with version 3.17.2."""

import sqlite3
from contextlib import closing
from pathlib import Path

_LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def relocate_artifacts(database: Path, before: Path, after: Path) -> None:
    """Change the folder in which a tracking database says that its artifacts are.

    MLflow stores absolute locations and has no call to change them
    (https://github.com/mlflow/mlflow/issues/3144). A test in `tests/pipelines/test_stack.py` fails
    when the layout of the tables changes.

    Args:
        database: MLflow's SQLite file.
        before: the folder that the database names.
        after: the folder in which the files are now.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        for old, new in ((before.as_uri(), after.as_uri()), (str(before), str(after))):
            for table, column in _LOCATIONS:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (new, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )
