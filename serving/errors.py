"""Errors of the API, all in one format: `{"error": {"code", "message", "field"}}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from serving.fetch.errors import WebError

_WEB_STATUS = {"page_too_large": 413, "url_timeout": 504, "url_unreachable": 502}
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}
_LENGTH = 300  # of a message or a field's name
_NAME_LENGTH = 100  # of an unknown field, in its message
_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "array": "a list of at least one JSON object",
}
_JSON_PROBLEMS = {"json_invalid", "model_attributes_type", "missing_body"}


class ErrorDetail(BaseModel):
    """A failure's code, message and field."""

    code: str = Field(description="Stable identifier for programs", examples=["article_empty"])
    message: str = Field(
        description="Explanation for people", examples=["The article is empty: send its text."]
    )
    field: str | None = Field(
        None, description="Field of the request, if the failure is about one", examples=["article"]
    )


class ErrorBody(BaseModel):
    """Body of every response that is not a success."""

    error: ErrorDetail


class ApiError(HTTPException):
    """A failure that is sent to the client; `retry_after` is in seconds."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(status, message, {**(headers or {}), **wait})
        # Both may quote the request, which can be long and hold halves of surrogate pairs.
        message, field = _printable(message), field and _printable(field)
        self.body = ErrorBody(error=ErrorDetail(code=code, message=message, field=field))

    def response(self) -> JSONResponse:
        """Return the response to the client."""
        return JSONResponse(self.body.model_dump(), self.status_code, self.headers)


def _printable(text: str) -> str:
    return text[:_LENGTH].encode(errors="replace").decode()


def web_error(error: WebError) -> ApiError:
    """Return the error for a failed fetch."""
    return ApiError(_WEB_STATUS.get(error.code, 422), error.code, str(error), "url")


def invalid_request(errors: Sequence[Mapping[str, Any]], model: type[BaseModel]) -> ApiError:
    """Return the error for the first of pydantic's validation errors of a request to `model`."""
    first = errors[0]
    place = [str(part) for part in first["loc"] if part != "body"]
    if first["type"] == "string_unicode" and not place:
        message = "The name of a field holds half of a surrogate pair: see /docs for the fields."
        return ApiError(422, "invalid_request", message)
    if first["type"] in _JSON_PROBLEMS or not place:
        if first["type"] == "value_error":
            message = f"Error in the body: {_without_prefix(first['msg'])}."
            return ApiError(422, "invalid_request", message)
        return _invalid_json()
    if first["type"] == "json_invalid":
        return ApiError(400, "invalid_json", f"The body is not JSON: {first['msg']}.")
    field = ".".join(place)
    return ApiError(422, "invalid_request", _explain(first, place, model), field)


def _invalid_json() -> ApiError:
    return ApiError(400, "invalid_json", "The body is not a JSON object: see /docs for examples.")


def _explain(error: Mapping[str, Any], place: Sequence[str], model: type[BaseModel]) -> str:
    """Return what is allowed in the place of a validation error."""
    field = ".".join(place)
    properties = model.model_json_schema()["properties"]
    if place[0] not in properties:
        return f"There is no field {field[:_NAME_LENGTH]}: the fields are {', '.join(properties)}."
    if error["type"] == "value_error":
        return f"{field}: {_without_prefix(error['msg'])}."
    if error["type"] == "string_unicode":
        return f"{field}: it holds half of a surrogate pair: give complete Unicode characters."
    allowed = "a JSON object" if len(place) > 1 else _allowed(properties[place[0]])
    return f"{field}: give {allowed}."


def _allowed(schema: Mapping[str, Any]) -> str:
    """Return the values that a field's JSON schema allows, in words."""
    value, *others = schema.get("anyOf", [schema])
    text = _TYPES[value["type"]]
    if "minimum" in value:
        text += f" from {value['minimum']:g} to {value['maximum']:g}"
    if "maxLength" in value:
        text += f" of at most {value['maxLength']:,} characters"
    return f"{text}, or null" if others else text


def _without_prefix(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def install_handlers(app: FastAPI) -> None:
    """Make the application answer every failure with an `ErrorBody`."""

    @app.exception_handler(ApiError)
    async def on_api_error(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        model = request.scope["route"].body_field.field_info.annotation
        return invalid_request(error.errors(), model).response()

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:  # FastAPI: not UTF-8, nested too deeply, a number too long
            return _invalid_json().response()
        code = _HTTP_CODES.get(error.status_code, "http_error")
        message = f"{request.method} {request.url.path}: {error.detail}. See /docs."
        return ApiError(error.status_code, code, message, headers=error.headers).response()

    @app.exception_handler(Exception)
    async def on_any(_: Request, __: Exception) -> JSONResponse:
        return internal_error().response()


def internal_error() -> ApiError:
    """Return the error for an unexpected exception, whose text only the log holds."""
    return ApiError(500, "internal_error", "The service failed; its log says why.")


def body_too_large(most: int) -> ApiError:
    """Return the error for a body of more than `most` bytes."""
    return ApiError(413, "body_too_large", f"The body is larger than {most:,} bytes: send less.")


def client_disconnected() -> ApiError:
    """Return the error for a client that closed its connection; it is only logged."""
    return ApiError(499, "client_disconnected", "The client has disconnected.")


def request_timeout(seconds: float) -> ApiError:
    """Return the error for a request that took longer than the limit of `seconds`."""
    message = f"The request took longer than {seconds:g} seconds: try again later."
    return ApiError(504, "timeout", message)
