"""The web application: endpoints, error handlers, documentation and page."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from serving.compat import swagger_ui_package
from serving.endpoints import router
from serving.errors import install_handlers
from serving.middleware import RequestMiddleware

_PAGE = Path(__file__).parent / "page"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_ABOUT = (
    "The important paragraphs of a news article, verbatim and scored, and a short summary. "
    "Try it in a browser: [/ui/](./ui/)."
)


def build_app() -> FastAPI:
    """Return the application; a service must set its `state.runtime` before the first request.

    Its pages load nothing from other hosts.
    """
    app = FastAPI(
        title="News highlighter", version="1", description=_ABOUT, docs_url=None, redoc_url=None
    )
    install_handlers(app)
    app.include_router(router)
    app.add_middleware(RequestMiddleware)
    app.mount("/swagger", StaticFiles(packages=[swagger_ui_package()]), "swagger")
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
    async def not_found(path: str) -> None:
        # Without this route, BentoML answers in a different format.
        raise HTTPException(405 if f"/{path}" in known else 404)

    return app
