"""When a step's stored result may be used again."""

import os
from pathlib import Path

from zenml.client import Client
from zenml.config.cache_policy import CachePolicy

from highlighter.data.fingerprint import needed_files

_ROOT = Path(__file__).resolve().parent.parent
_PINS = ("requirements.txt", "constraints.txt")


def depends_on_code(step_file: str, *, on_registry: bool = False) -> CachePolicy:
    """Return a policy that reruns a step when project code it uses or a pinned library changes.

    ZenML's own cache key covers the code of the step function, its parameters and its inputs, but
    no helpers. Covered here: every module that the step imports, directly or not, the HTML
    template of the same name beside such a module, and the pins of all libraries.

    Args:
        step_file: the step's module (`__file__`).
        on_registry: also rerun it with another registry. One ZenML store may serve several
            checkouts, and a stored result names a version of the registry that it was made with.
    """
    modules = needed_files(Path(step_file), _ROOT)
    templates = [module.with_suffix(".html") for module in modules]
    files = [*modules, *filter(Path.is_file, templates), *(_ROOT / name for name in _PINS)]
    return CachePolicy(
        file_dependencies=[str(file.relative_to(_ROOT)) for file in files],
        cache_func=f"{__name__}.{registry_address.__name__}" if on_registry else None,
    )


def registry_address() -> str:
    """Return the addresses of the active stack's MLflow server and registry."""
    tracker = Client().active_stack.experiment_tracker
    return f"{tracker and tracker.get_tracking_uri()} {os.environ.get('MLFLOW_REGISTRY_URI', '')}"
