"""ZenML's own database, when its very first start was killed."""

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration

from highlighter.system.locks import exclusive

_SECONDS = 5


def ensure_store() -> None:
    """Let ZenML make its local database, from the start if a kill left half of one.

    ZenML makes its tables first and then writes the version of their layout; without a version it
    refuses to start, for ever. Such a database holds nothing yet, so it is removed. Another program
    that makes it at this moment is given a few seconds to finish.
    """
    file = _local_database()
    if file is None or (file.exists() and not _half_made(file)):
        return
    with exclusive(file.with_suffix(".lock"), _say_who_is_at_work):
        deadline = time.monotonic() + _SECONDS
        while file.exists() and _half_made(file) and time.monotonic() < deadline:
            time.sleep(0.1)
        if file.exists() and _half_made(file):
            for part in file.parent.glob(f"{file.name}*"):
                part.unlink()
        _ = Client().zen_store


def _local_database() -> Path | None:
    """The file, or None if ZenML uses a server or another database."""
    url = str(GlobalConfiguration().store_configuration.url)
    prefix, _, path = url.partition(":///")
    return Path(path) if prefix == "sqlite" else None


def _half_made(file: Path) -> bool:
    with closing(sqlite3.connect(file)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" not in tables:
            return True
        return not database.execute("SELECT version_num FROM alembic_version").fetchall()


def _say_who_is_at_work(holder: str) -> None:
    print(f"ZenML's database is being made ({holder}): waiting.", file=sys.stderr)
