"""Polite HTTP: one request a second to a host, retries, bounded answers, and failures said in plain words."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, ReadTimeoutError
from urllib3.util import Retry

from mapping.errors import WardwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CutShort", "TooLarge", "Unreachable", "Web"]

MIB = 2**20
_LONGEST_WAIT_S = 120
"""What a service may ask us to wait (`Retry-After`); one that asks for more is told of instead."""

_CONNECT_S, _READ_S = 15, 60
_TRIES = 4
_CHUNK_BYTES = 256 * 1024


class Unreachable(WardwatchError):
    """A service was not reached, or did not answer as it should; what was there before is as it was."""


class TooLarge(Unreachable):
    """An answer is larger than is read; asking for less may help."""


class CutShort(Unreachable):
    """An answer broke off; asking for the rest may help."""


class Web:
    """A session that waits between requests to one host and says what went wrong.

    Parameters
    ----------
    pause_s
        Seconds between two requests to one host, and the step of the waits before a retry.
    by_hand
        How to get the same without this machine's network: the end of every hint.
    """

    def __init__(self, *, pause_s: float, by_hand: str = "") -> None:
        self.pause_s = pause_s
        self.by_hand = by_hand
        self._asked_at: dict[str, float] = {}
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"wardwatch/{_version()}"
        retry = Retry(
            total=_TRIES,
            connect=1,  # a name that is unknown stays unknown
            read=2,
            backoff_factor=pause_s,
            backoff_max=30,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=("GET",),
            raise_on_status=False,
            retry_after_max=_LONGEST_WAIT_S,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @contextmanager
    def open(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[requests.Response]:
        """Ask, and give the answer with its body unread; of status 200, 206, 304 or 416.

        Raises
        ------
        Unreachable
            If there is no network, or any other answer.
        """
        self._wait(url)
        try:
            response = self._session.get(url, params=params, headers=headers, stream=True, timeout=(_CONNECT_S, _READ_S))
        except (requests.RequestException, HTTPError, ValueError) as error:
            # The last two where it redirects to what is no address.
            raise self._told(error, url) from error
        with response:
            self._check(response, url)
            yield response

    def pieces(self, response: requests.Response) -> Iterator[bytes]:
        """The body as it was sent, all that arrived of it before `CutShort` says that it broke off."""
        with self._reading(response):
            while piece := response.raw.read1(_CHUNK_BYTES, decode_content=False):
                yield piece

    @contextmanager
    def _reading(self, response: requests.Response) -> Iterator[None]:
        try:
            yield
        except (requests.exceptions.ContentDecodingError, DecodeError) as error:
            raise Unreachable(
                f"{_address(response)}: the answer cannot be unpacked.", hint=self._hint("Try again later.")
            ) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise CutShort(f"{_address(response)}: the answer broke off.", hint=self._hint("Try again.")) from error

    def read(self, url: str, *, params: Mapping[str, str] | None = None, largest_mib: int = 64) -> bytes:
        """A whole body of at most that size; asked for again when it breaks off."""
        tries = 0
        while True:
            try:
                with self.open(url, params=params) as response:
                    return self._body(response, largest_mib)
            except CutShort:
                tries += 1
                if tries == _TRIES:
                    raise
                self.back_off(tries)

    def read_json(self, url: str, *, params: Mapping[str, str] | None = None, largest_mib: int = 64) -> Any:  # noqa: ANN401 - JSON is any
        """A body that is JSON."""
        return self.parse_json(self.read(url, params=params, largest_mib=largest_mib), url)

    def parse_json(self, body: bytes, url: str) -> Any:  # noqa: ANN401 - JSON is any
        """What it holds."""
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            if body.lstrip()[:1] == b"<":
                raise self.no_data(url, "JSON") from error
            raise Unreachable(f"{url}: the answer is no JSON.", hint=self._hint("Try again later.")) from error

    def no_data(self, url: str, wanted: str) -> Unreachable:
        """What to say of a web page where data was asked for."""
        return Unreachable(
            f"{url}: answers with a web page instead of {wanted}.",
            hint=self._hint(
                "A network that wants a login first, or a filter, answers like this: open the address in a browser on this "
                "machine and see."
            ),
        )

    def back_off(self, tries: int) -> None:
        """Wait before a further try, longer each time."""
        time.sleep(min(30.0, self.pause_s * 2**tries))

    def _body(self, response: requests.Response, largest_mib: int) -> bytes:
        body = bytearray()
        with self._reading(response):
            for chunk in response.iter_content(_CHUNK_BYTES):
                body += chunk
                if len(body) > largest_mib * MIB:
                    raise TooLarge(f"{_address(response)}: is larger than {largest_mib} MiB: not read.", hint=self._hint())
        return bytes(body)

    def _wait(self, url: str) -> None:
        host = urlsplit(url).netloc
        since = time.monotonic() - self._asked_at.get(host, -self.pause_s)
        if since < self.pause_s:
            time.sleep(self.pause_s - since)
        self._asked_at[host] = time.monotonic()

    def _check(self, response: requests.Response, url: str) -> None:
        if url.startswith("https:") and not response.url.startswith("https:"):
            raise Unreachable(
                f"{url}: leads to {response.url}, which is not encrypted: not followed.",
                hint=self._hint("A network that wants a login first does this: open any page in a browser on this machine."),
            )
        if response.status_code in (200, 206, 304, 416):
            return
        said = f"{url}: answered {response.status_code} {response.reason or ''}".rstrip()
        after = response.headers.get("Retry-After", "")
        hint = {
            403: "A proxy or a filter may forbid it.",
            404: "It is not published (any more), or the address has changed.",
            407: "The proxy wants a name and a password: HTTPS_PROXY=http://name:password@proxy:port.",
            429: f"It wants fewer requests{f' and a pause of {after} s' if after.isdigit() else ''}: try again later.",
            511: "The network wants a login first: open any page in a browser on this machine.",
        }.get(response.status_code, "The service has a fault: try again later." if response.status_code >= 500 else "")
        raise Unreachable(f"{said}.", hint=self._hint(hint))

    def _told(self, error: Exception, url: str) -> Unreachable:
        host = urlsplit(url).hostname or url
        told: tuple[str, str]
        if isinstance(error, requests.exceptions.SSLError):
            told = (
                f"{host}: its certificate could not be checked.",
                "Where a proxy opens encrypted traffic, name its certificate in REQUESTS_CA_BUNDLE.",
            )
        elif isinstance(error, requests.exceptions.ProxyError):
            told = ("The proxy does not answer.", "Check HTTPS_PROXY and HTTP_PROXY: http://proxy:port.")
        elif _holds(error, NameResolutionError):
            told = (f"This machine reaches no network, or not the name {host}.", "Where there is a proxy, set HTTPS_PROXY.")
        elif isinstance(error, requests.Timeout) or _holds(error, ReadTimeoutError):
            told = (f"{host} did not answer within {_READ_S} s.", "Try again later. Where there is a proxy, set HTTPS_PROXY.")
        elif isinstance(error, requests.ConnectionError):
            told = (f"This machine does not reach {host}.", "Where there is a proxy, set HTTPS_PROXY.")
        else:
            told = (f"{url}: cannot be asked ({type(error).__name__}).", "Check the address.")
        return Unreachable(told[0], hint=self._hint(told[1]))

    def _hint(self, hint: str = "") -> str:
        return "\n".join(part for part in (hint, self.by_hand) if part)


def _holds(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error of that kind is behind this one."""
    seen: list[BaseException] = [error]
    for found in seen:
        if isinstance(found, kind):
            return True
        behind = [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
        seen += [b for b in behind if isinstance(b, BaseException) and b not in seen]
    return False


def _address(response: requests.Response) -> str:
    """Where it came from, without the question."""
    return response.url.partition("?")[0]


def _version() -> str:
    try:
        return version("wardwatch")
    except PackageNotFoundError:  # run from a clone that was not installed
        return "unreleased"
