"""What went wrong, as HTTP says it: one table of statuses, one JSON shape, one page."""

from __future__ import annotations

import re
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flask import Response, current_app, request
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from mapping.errors import BadRequest, DataRefused, NotFound, StoreBusy, StoreNotReady, WardwatchError
from web.pages import render_page
from web.tables import json_answer

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["STATUSES", "Failure", "error_answer", "init_app"]

STATUSES: dict[type[WardwatchError], int] = {
    BadRequest: 400,
    DataRefused: 400,
    NotFound: 404,
    StoreBusy: 503,
    StoreNotReady: 503,
}

_STORE_SENTENCES: dict[type[WardwatchError], str] = {
    StoreBusy: "The store is busy.",
    StoreNotReady: "The store is not ready.",
}

_HTTP_SENTENCES = {
    403: (
        "This form cannot be taken: another site sent it, or what it is about has changed since the page was loaded.",
        "Load the page again, and send the form from there. Nothing was changed.",
    ),
    404: ("There is nothing at this address.", "The start page leads to everything there is."),
    405: ("This address cannot be asked in that way.", "Everything is read with GET, and forms are sent from their pages."),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """The body of every error answer."""

    status: int
    kind: str
    message: str
    hint: str = ""
    parameter: str = ""
    value: str = ""
    reference: str = ""


def init_app(app: Flask) -> None:
    """Translate every error that a request can end with."""
    app.register_error_handler(Exception, _handle)


def error_answer(failure: Failure) -> Response:
    """JSON for the API and the probes, a page for everything else."""
    if request.path.startswith(("/api/", "/healthz", "/readyz")):
        body = {name: value or None for name, value in asdict(failure).items()}
        answer = json_answer({"error": body}, status=failure.status)
    else:
        answer = Response(_page(failure), failure.status, mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"
    if failure.status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def _page(failure: Failure) -> str:
    try:
        return render_page("error.html", failure=failure)
    except Exception:  # whatever is wrong with our pages, the visitor is told of the first error
        current_app.logger.exception("the error page failed")
        return f"<!doctype html><title>{escape(failure.message)}</title><p>{escape(failure.message)} {escape(failure.hint)}</p>"


def _handle(error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.code and error.code < 500:
        message, hint = _HTTP_SENTENCES.get(error.code, (f"{error.name}.", ""))
        answer = error_answer(Failure(error.code, _kebab(type(error).__name__), message, hint))
        answer.headers.extend({k: v for k, v in error.get_headers() if k == "Allow"})
        return answer
    if isinstance(error, WardwatchError) and type(error) in STATUSES:
        return error_answer(_told(error))
    reference = _logged(error)
    return error_answer(
        Failure(
            500,
            "internal-server-error",
            "Something went wrong in the server.",
            f"Tell whoever runs it this reference, which its log has too: {reference}.",
            reference=reference,
        )
    )


def _told(error: WardwatchError) -> Failure:
    status = STATUSES[type(error)]
    kind = _kebab(type(error).__name__)
    if status < 500:
        return Failure(status, kind, error.message, error.hint, error.parameter, error.value)
    # What the domain says of a store may name where it is, or repeat the database's own words: those are for the log.
    telling = error.__cause__ is not None or any(mark in error.message for mark in "/\\@'")
    message = _STORE_SENTENCES[type(error)] if telling else error.message
    return Failure(status, kind, message, error.hint, reference=_logged(error))


def _logged(error: Exception) -> str:
    reference = secrets.token_hex(4)
    if isinstance(error, WardwatchError) and request.path == "/readyz":
        # That the store is not there is what this probe is for, and it asks again and again: a line each time, no traceback.
        current_app.logger.warning("%s: not ready: %r", reference, error.message)
    else:
        current_app.logger.error("%s: %r %r", reference, request.method, request.full_path, exc_info=error)
    return reference


def _kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
