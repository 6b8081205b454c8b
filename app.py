"""The web application: `flask run` finds it here, and so does any WSGI server (`app:create_app()`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

import web.api
import web.assets
import web.embeds
import web.explorer
import web.info
import web.places
import web.vintages
import web.wards
from mapping.settings import load_settings
from web import audiences, errors, headers

if TYPE_CHECKING:
    from mapping.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application. Nothing connects before the first request.

    Parameters
    ----------
    settings
        Read from the environment unless given.
    """
    settings = settings or load_settings()
    app = Flask(__name__, static_folder=None)
    # An address has one form: no redirects, so nothing ever repeats the Host header.
    app.url_map.merge_slashes = False

    app.register_blueprint(web.explorer.blueprint)
    app.register_blueprint(web.wards.blueprint)
    app.register_blueprint(web.vintages.blueprint)
    app.register_blueprint(web.embeds.blueprint)
    app.register_blueprint(web.info.blueprint)
    app.register_blueprint(web.places.blueprint)
    app.register_blueprint(web.api.blueprint)
    app.register_blueprint(web.assets.blueprint)

    headers.init_app(app, settings)
    errors.init_app(app)
    audiences.init_app(app, settings)
    return app
