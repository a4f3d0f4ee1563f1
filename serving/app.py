"""The web application: endpoints, error handlers, documentation and page."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from highlighter.data.characters import VISIBLE
from serving.compat import swagger_ui_package
from serving.endpoints import router
from serving.errors import install_handlers
from serving.metrics import render_metrics
from serving.middleware import RequestMiddleware

_PAGE = Path(__file__).parent / "page"
_READ = ["GET", "HEAD"]
_ABOUT = (
    "The important paragraphs of a news article, verbatim and scored, and a short summary. "
    "Try it in a browser: [/ui/](./ui/)."
)


def build_app() -> FastAPI:
    """Return the application; a service must set its `state.runtime` before the first request.

    Its pages load nothing from other hosts, and all their links are relative, so that they work
    behind a proxy that adds a path prefix.
    """
    app = FastAPI(
        title="News highlighter", version="1", description=_ABOUT, docs_url=None, redoc_url=None
    )
    install_handlers(app)
    app.include_router(router)
    app.add_middleware(RequestMiddleware)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]

    @app.api_route("/docs", methods=_READ, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="./openapi.json",
            title="News highlighter",
            swagger_js_url="./swagger/swagger-ui-bundle.js",
            swagger_css_url="./swagger/swagger-ui.css",
            swagger_favicon_url="./swagger/favicon-light-32x32.png",
        )

    @app.api_route("/", methods=_READ, include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse("./docs")

    @app.api_route("/ui", methods=_READ, include_in_schema=False)
    async def page() -> RedirectResponse:
        return RedirectResponse("./ui/")

    @app.api_route("/metrics", methods=_READ, include_in_schema=False)
    def prometheus() -> Response:
        return Response(render_metrics(), media_type=CONTENT_TYPE_LATEST)

    app.mount("/swagger", StaticFiles(packages=[swagger_ui_package()]), "swagger")
    app.mount("/ui", StaticFiles(directory=_PAGE, html=True), "ui")
    app.mount("", _not_found)  # without it, BentoML answers in a different format
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the limits of the service's configuration."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=[{"url": "."}],  # relative to the document's own address
        )
        limits = app.state.runtime.limits
        schemas = document["components"]["schemas"]
        article = schemas["SummarizeRequest"]["properties"]["article"]["anyOf"][0]
        article.update(maxLength=limits.article_characters, pattern=VISIBLE)
        schemas["BatchRequest"]["properties"]["articles"]["maxItems"] = limits.largest_batch
        app.openapi_schema = document
    return app.openapi_schema


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 404, or 405 if the path has other methods."""
    if scope["type"] != "http":
        await send({"type": "websocket.close"})
        return
    allowed = {
        method
        for route in (*router.routes, *scope["app"].routes)
        if isinstance(route, Route) and route.matches(scope)[0] == Match.PARTIAL
        for method in route.methods or ()
    }
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
    raise HTTPException(404)
