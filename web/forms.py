"""Forms that change something: sent from our own pages, about what they showed, and by nobody else's."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

import werkzeug.exceptions as http
from flask import request

from web.audiences import settings

__all__ = ["check_form", "form_token"]

TOKEN = "token"  # noqa: S105 - the name of a field
_MOST_BYTES = 10_000


def form_token(*about: str) -> str:
    """What a form carries to show that it came from us: a MAC over its address and the state that it was made for.

    A page of another site cannot read it, and once the state has changed it is worth nothing.
    """
    state = "\0".join(about).encode("utf-8", "backslashreplace")
    return hmac.new(settings().secret.encode(), state, hashlib.sha256).hexdigest()


def check_form(*about: str) -> None:
    """See that the form of this request was sent from one of our pages, and for this state.

    Raises
    ------
    Forbidden
        If another site sent it, or it is about what is no more.
    """
    request.max_content_length = _MOST_BYTES
    sent = request.form.get(TOKEN, "")
    if not _same_origin() or not hmac.compare_digest(sent.encode("utf-8", "replace"), form_token(*about).encode()):
        raise http.Forbidden


def _same_origin() -> bool:
    """What the browser says of where the request comes from; a client that says nothing has only its token."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        sender = urlsplit(origin).netloc
    except ValueError:
        return False
    # A proxy may give us another name than the browser knows; no page can make a browser send that header.
    return sender in {request.host, request.headers.get("X-Forwarded-Host", request.host)}
