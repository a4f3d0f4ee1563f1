"""Which of the project's files a module runs, read from its imports without running them."""

import ast
from collections.abc import Iterator
from pathlib import Path


def needed_files(module: Path, root: Path) -> list[Path]:
    """`module` and every file below `root` that it imports, directly or not, sorted.

    Imports inside functions count; packages count with their `__init__`.
    """
    found: set[Path] = set()
    pending = [module.resolve()]
    root = root.resolve()
    while pending:
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        pending.extend(_imported_files(file, root))
    return sorted(found)


def _imported_files(file: Path, root: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        match node:
            case ast.Import(names=names):
                dotted = [alias.name for alias in names]
            case ast.ImportFrom(module=str(name), names=names, level=0):
                dotted = [name, *(f"{name}.{alias.name}" for alias in names)]
            case _:
                continue
        for name in dotted:
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                place = root.joinpath(*parts[:depth])
                candidates = (place.with_suffix(".py"), place / "__init__.py")
                yield from (found for found in candidates if found.is_file())
