"""The web application around the service's endpoints: errors, documentation, page."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from serving.endpoints import router
from serving.errors import install_handlers
from serving.guard import Guard

_PAGE = Path(__file__).parent / "page"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_ABOUT = (
    "The important paragraphs of a news article, verbatim and scored, and a short summary. "
    "Try it in a browser: [/ui/](./ui/)."
)


def build_app() -> FastAPI:
    """The application; it answers once a service has set its `state.runtime`.

    All that its pages load comes from here: BentoML's own documentation page asks a third party.
    """
    app = FastAPI(
        title="News highlighter", version="1", description=_ABOUT, docs_url=None, redoc_url=None
    )
    install_handlers(app)
    app.include_router(router)
    app.add_middleware(Guard)
    app.mount(
        "/swagger",
        StaticFiles(packages=[("bentoml", "_internal/server/static_content")]),
        "swagger",
    )
    app.mount("/ui", StaticFiles(directory=_PAGE, html=True), "ui")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="./openapi.json",
            title="News highlighter",
            swagger_js_url="./swagger/swagger-ui-bundle.js",
            swagger_css_url="./swagger/swagger-ui.css",
            swagger_favicon_url="./swagger/favicon-light-32x32.png",
        )

    @app.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse("./docs")

    @app.get("/ui", include_in_schema=False)
    async def page() -> RedirectResponse:
        return RedirectResponse("./ui/")

    known = {getattr(route, "path", "") for route in router.routes}

    @app.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    async def nothing_here(path: str) -> None:
        # BentoML's own answer would have another shape.
        raise HTTPException(405 if f"/{path}" in known else 404)

    return app
