"""A server that answers as data.police.uk and the ONS portal do, on this machine, with the faults it is told to have.

Real answers were not at hand: what they look like is what docs/fetching.md says and where that is from.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

FORCES = [
    {"id": "bedfordshire", "name": "Bedfordshire Police"},
    {"id": "hertfordshire", "name": "Hertfordshire Constabulary"},
    {"id": "west-yorkshire", "name": "West Yorkshire Police"},
]


@dataclass
class Answer:
    """What is sent: `cut_after` bytes of the body, whatever its length says."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None


@dataclass
class Publisher:
    """What the server has, what it was asked, and what goes wrong: `faults[path]` holds answers to give first, in order.

    A fault is an `Answer`, or a function that is given the right answer and returns another.
    """

    url: str = ""
    files: dict[str, Answer] = field(default_factory=dict)
    faults: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    ranges: bool = True
    layers: dict[str, "Layer"] = field(default_factory=dict)

    def paths(self, part: str = "") -> list[str]:
        """The paths that were asked for."""
        return [path for path, _, _ in self.asked if part in path]

    def spans(self, part: str = ".zip") -> list[str]:
        """The `Range` of every request for such a path, empty where it had none."""
        return [headers.get("range", "") for path, _, headers in self.asked if part in path]

    def police_uk(self, archives: dict[str, dict[str, str]], *, md5: bool = True) -> None:
        """Publish archives, month -> member -> text, as data.police.uk does: forwarded to where the files are."""
        rows = []
        for month, members in archives.items():
            data = zipped(members)
            tag = f'"{hashlib.sha256(data).hexdigest()[:32]}-21"'
            self.files[f"/s3/archive/{month}.zip"] = Answer(data, headers={"Content-Type": "application/zip", "ETag": tag})
            self.files[f"/data/archive/{month}.zip"] = Answer(status=302, headers={"Location": f"/s3/archive/{month}.zip"})
            total = f"\n  <p>{hashlib.md5(data).hexdigest()}</p>" if md5 else ""
            rows.append(f'<li><a href="/data/archive/{month}.zip">{month}</a>{total}</li>')
        self.files["/data/archive/"] = Answer(f"<html><ul>{''.join(reversed(rows))}</ul></html>".encode())
        dates = [{"date": month, "stop-and-search": ["hertfordshire"]} for month in reversed(archives)]
        self.files["/api/crimes-street-dates"] = Answer(json.dumps(dates).encode())
        self.files["/api/forces"] = Answer(json.dumps(FORCES).encode())

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Answer:
        """The answer to one request."""
        self.asked.append((path, query, headers))
        queue = self.faults.get(path, [])
        fault = queue.pop(0) if queue else None
        if isinstance(fault, Answer):
            return fault
        right = self._right(path, query, headers)
        return fault(right) if fault else right

    def _right(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Answer:
        if path.startswith("/ons"):
            return said(self._portal(path, query))
        found = self.files.get(path, Answer(b"<html>not here</html>", 404))
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        etag = found.headers.get("ETag", "")
        if "if-none-match" in headers and headers["if-none-match"] == etag:
            return Answer(status=304, headers=found.headers)
        if found.status != 200 or not span or not self.ranges or headers.get("if-range", etag) != etag:
            return found
        start, size = int(span[1]), len(found.body)
        stop = min(int(span[2] or size - 1), size - 1) + 1
        if start >= size:
            return Answer(status=416, headers={"Content-Range": f"bytes */{size}"})
        content = {"Content-Range": f"bytes {start}-{stop - 1}/{size}"}
        return Answer(found.body[start:stop], 206, found.headers | content)

    def _portal(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        if path == "/ons":
            names = [{"name": name, "type": "FeatureServer", "url": "https://elsewhere.invalid/"} for name in self.layers]
            return {"currentVersion": 11.5, "services": names}
        named = re.fullmatch(r"/ons/([^/]+)/FeatureServer/0(/query)?", path)
        if not named or named[1] not in self.layers:
            return {"error": {"code": 400, "message": "Invalid URL", "details": ["Invalid URL"]}}
        layer = self.layers[named[1]]
        return layer.query(query) if named[2] else layer.described()


@dataclass
class Layer:
    """A layer of a feature service: rows of (attributes, ring or None); it knows equality and IN, order and pages."""

    rows: list[tuple[dict[str, Any], list | None]]
    page: int = 2000
    id_field: str = "FID"
    edited: int | None = 1_700_000_000_000
    crs: str | None = "EPSG:27700"

    def described(self) -> dict[str, Any]:
        """Its metadata."""
        names = [self.id_field, *dict.fromkeys(name for attributes, _ in self.rows for name in attributes)]
        return {
            "type": "Feature Layer",
            "objectIdField": self.id_field,
            "maxRecordCount": self.page,
            "fields": [{"name": name, "type": "esriFieldTypeString"} for name in names],
        } | ({"editingInfo": {"lastEditDate": self.edited}} if self.edited else {})

    def query(self, asked: dict[str, str]) -> dict[str, Any]:
        """What a query finds."""
        chosen = [(i, *row) for i, row in enumerate(self.rows, 1) if _fits(row[0], asked["where"])]
        if asked.get("returnCountOnly") == "true":
            return {"count": len(chosen)}
        if asked.get("returnDistinctValues") == "true":
            names = asked["outFields"].split(",")
            distinct = sorted({tuple(row[name] for name in names) for _, row, _ in chosen})
            chosen = [(0, dict(zip(names, values, strict=True)), None) for values in distinct]
        start = int(asked.get("resultOffset", 0))
        stop = start + min(int(asked.get("resultRecordCount", self.page)), self.page)
        more = {"exceededTransferLimit": True} if stop < len(chosen) else {}
        page = chosen[start:stop]
        if asked["f"] == "json":
            return {"features": [{"attributes": row} for _, row, _ in page]} | more
        crs = {"crs": {"type": "name", "properties": {"name": self.crs}}} if self.crs else {}
        features = [
            {
                "type": "Feature",
                "id": i,
                "properties": {self.id_field: i} | row,
                "geometry": {"type": "Polygon", "coordinates": [ring]} if ring else None,
            }
            for i, row, ring in page
        ]
        return {"type": "FeatureCollection"} | crs | {"features": features} | ({"properties": more} if more else {})


def _fits(attributes: dict[str, Any], where: str) -> bool:
    if where == "1=1":
        return True
    name, values = re.fullmatch(r"(\w+) IN \((.*)\)", where).groups()
    return attributes[name] in re.findall(r"'([^']*)'", values)


def said(what: Any) -> Answer:
    """JSON, as everything the portal says, errors too, with status 200."""
    return Answer(json.dumps(what).encode(), headers={"Content-Type": "application/json"})


def zipped(members: dict[str, str]) -> bytes:
    """A zip archive of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


@contextmanager
def published() -> Iterator[Publisher]:
    """Serve one on a free port."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            answer = publisher.answer(url.path, query, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(answer.status)
            for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if answer.status != 304:
                self.wfile.write(answer.body[: answer.cut_after])
            self.close_connection = answer.cut_after is not None

        def handle(self):
            with suppress(ConnectionError):  # whoever asked gave up, without a word
                super().handle()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    publisher.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield publisher
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
