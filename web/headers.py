"""What every answer carries: the security headers, and how it may be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from flask import request
from flask_compress import Compress

if TYPE_CHECKING:
    from flask import Flask, Response

    from mapping.settings import Settings

__all__ = ["content_security_policy", "init_app"]

_PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
_SHARED = ("api", "assets", "embeds")
_TYPES = (
    "application/geo+json",
    "application/javascript",
    "application/json",
    "image/svg+xml",
    "text/css",
    "text/csv",
    "text/html",
    "text/javascript",
    "text/plain",
)


def content_security_policy(settings: Settings, *, frames: str) -> str:
    """The policy of a page: everything from this server, no inline script or style.

    Parameters
    ----------
    frames
        Who may show it in a frame: `'none'` or `*`.
    """
    images = " ".join(["'self'", "data:", "blob:", *_tiles_origin(settings.tiles_url)])
    return (
        f"default-src 'self'; img-src {images}; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {frames}"
    )


def _tiles_origin(tiles_url: str) -> list[str]:
    parts = urlsplit(tiles_url.replace("{s}", "*"))
    return [f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"] if parts.netloc else []


def init_app(app: Flask, settings: Settings) -> None:
    """Add the headers, the strong ETag and, last of all, compression to every answer."""
    app.config["COMPRESS_MIMETYPES"] = list(_TYPES)
    app.config["COMPRESS_ALGORITHM"] = ["br", "zstd", "gzip"]
    app.config["COMPRESS_BR_LEVEL"] = 5  # a tenth smaller than 4 for 1 ms; 6 and more gain nothing
    app.config["COMPRESS_ZSTD_LEVEL"] = 6
    # Flask runs these from the last to the first.
    Compress(app)
    app.after_request(_revalidated)

    # With `no-referrer` browsers send forms of ours with `Origin: null`, as those of a stranger.
    referrer = "no-referrer" if settings.audience == "public" else "same-origin"

    @app.after_request
    def _secure(response: Response) -> Response:
        embedded = request.blueprint == "embeds"
        public = settings.audience == "public"
        shared = public and (request.blueprint in _SHARED or request.path.startswith("/api/"))
        headers = response.headers
        if "Location" in headers:
            # Werkzeug puts the Host header, which anyone can set, into its redirects.
            headers["Location"] = urlunsplit(("", "", *urlsplit(headers["Location"])[2:]))
            response.set_data(b"")
        headers["Content-Security-Policy"] = content_security_policy(settings, frames="*" if embedded else "'none'")
        headers["X-Content-Type-Options"] = "nosniff"
        # Suppliers of tiles ask who uses them.
        headers["Referrer-Policy"] = "strict-origin-when-cross-origin" if settings.tiles_url else referrer
        headers["Permissions-Policy"] = _PERMISSIONS
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if shared else "same-origin"
        if not embedded:
            headers["X-Frame-Options"] = "DENY"
        if shared:
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = "*"
        if "Cache-Control" not in headers:
            # `no-cache` keeps an answer but asks each time: a load shows at once, no page mixes figures of two data
            # versions, and asking costs a 304. What only staff may see is not kept on the way to them.
            headers["Cache-Control"] = f"{'public' if public else 'private'}, no-cache"
        return response


def _revalidated(response: Response) -> Response:
    """Give an answer a strong ETag, the hash of its body, and answer 304 to whoever has that body."""
    if request.method in ("GET", "HEAD") and response.status_code == 200 and not response.is_streamed:
        response.add_etag()
        response.make_conditional(request)
    return response
