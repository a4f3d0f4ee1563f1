"""The names of the pipeline runs that this checkout began and that have not ended well."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zenml.utils.string_utils import format_name_template

FOLDER = ".runs"


class Journal:
    """One empty file a run, so that no kill can leave half an entry.

    By construction: a name stands here before anything of that name exists anywhere else, and goes
    when the run is whole. With the checkout's lock held, a name found here is that of a dead run.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER / "unfinished"

    @contextmanager
    def entry(self, name_template: str) -> Iterator[str]:
        """The name for a new run; after an error it stays, for the next start to close the run."""
        name = format_name_template(name_template)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).touch()
        yield name
        self.close(name)

    def unfinished(self) -> list[str]:
        """The runs that have not ended well, the oldest first."""
        files = self._folder.glob("*") if self._folder.is_dir() else []
        return [file.name for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def close(self, name: str) -> None:
        """Forget a run."""
        (self._folder / name).unlink()
