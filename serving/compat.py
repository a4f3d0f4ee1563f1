"""Workarounds for libraries, one function each."""


def swagger_ui_package() -> tuple[str, str]:
    """Return the package and folder of Swagger UI's files, for `StaticFiles(packages=[...])`.

    FastAPI would load Swagger UI from a CDN, and BentoML's own page loads a third-party tag
    manager. BentoML 1.4.39 ships Swagger UI 5.12 in an internal package; no maintained package on
    PyPI has a version that reads OpenAPI 3.1.
    """
    return "bentoml", "_internal/server/static_content"
