"""An answer to every request, even to one whose handling failed before it said anything."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import ApiError


class LastWord:
    """Answers 503 where nothing was answered; the error goes on to the log.

    BentoML's `/readyz` fails while the model's process is not there yet, and BentoML's time limit
    then waits for an answer that never comes, which holds up the end of the process too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def noted(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            if not answered:
                error = ApiError(503, "not_ready", "The service can't answer yet: ask again soon.")
                await error.response()(scope, receive, send)
