"""When a step's stored result may be used again."""

from pathlib import Path

from zenml.config.cache_policy import CachePolicy

from highlighter.data.fingerprint import needed_files

_ROOT = Path(__file__).resolve().parent.parent


def depends_on_code(step_file: str) -> CachePolicy:
    """Run a step again when any project file it runs, or a pinned library, has changed.

    ZenML's own key covers the step function's code, its parameters and inputs, no helpers.
    """
    files = [*needed_files(Path(step_file), _ROOT), _ROOT / "requirements.txt"]
    return CachePolicy(file_dependencies=[str(file.relative_to(_ROOT)) for file in files])
