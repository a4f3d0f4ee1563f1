"""Fill in one of the project's templates."""

from typing import Any

import jinja2


def render(template: str, **values: Any) -> str:
    """A file of `highlighter/templates`, filled in; in HTML, values are escaped.

    Raises:
        jinja2.UndefinedError: the template wants a value that was not given.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("highlighter"),
        autoescape=jinja2.select_autoescape(),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text: str = environment.get_template(template).render(**values)
    return text
