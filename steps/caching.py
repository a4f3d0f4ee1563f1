"""When a step's stored result may be used again."""

from pathlib import Path

from zenml.config.cache_policy import CachePolicy

from highlighter.data.fingerprint import needed_files

_ROOT = Path(__file__).resolve().parent.parent
_PINS = ("requirements.txt", "constraints.txt")


def depends_on_code(step_file: str) -> CachePolicy:
    """Return a policy that reruns a step when project code it uses or a pinned library changes.

    ZenML's own cache key covers the code of the step function, its parameters and its inputs, but
    no helpers. Covered here: every module that the step imports, directly or not, the HTML
    template of the same name beside such a module, and the pins of all libraries.

    Args:
        step_file: the step's module (`__file__`).
    """
    modules = needed_files(Path(step_file), _ROOT)
    templates = [module.with_suffix(".html") for module in modules]
    files = [*modules, *filter(Path.is_file, templates), *(_ROOT / name for name in _PINS)]
    return CachePolicy(file_dependencies=[str(file.relative_to(_ROOT)) for file in files])
