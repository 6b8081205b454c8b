"""The encoding of an unknown text file, from its bytes; where bytes cannot tell, the readings that a person can compare."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loaders.tables import decode

if TYPE_CHECKING:
    from loaders.extracts import Received

__all__ = ["Encoding", "find_encoding"]

_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
# A word of a Western language as cp1252 should give it: letters, with quotation marks, dashes and signs around them only.
# Of its letters Š, Ž and Ÿ are left out: they are rare there, and what Apple's ä, é and ü look like.
_SIGNS = "\xa0\xa3\u20ac\xa7\xb0\xab\xbb\xbf\xa1\xb7\u2013\u2014\u2018\u2019\u201c\u201d"
_SIGNS += "\u201e\u2026\xae\xa9\xbd\xbc\xbe\xb2\xb3\xba\xaa\xb4`\u2022\u2122"
_WESTERN = re.compile(rf"[{_SIGNS}]*[A-Za-zÀ-ÖØ-öø-ÿŒœ]*(\u2019[A-Za-zÀ-ÖØ-öø-ÿŒœ]+)?[{_SIGNS}]*")
_FOREIGN = re.compile(r"[^A-Za-z\W]{3,}")
_OTHERS = ("cp1252", "cp850", "mac-roman", "cp1250", "cp1251", "iso-8859-7", "cp1254")
_LETTERED = re.compile(rb"[A-Za-z]+[\x80-\xff]+[A-Za-z][A-Za-z\x80-\xff]*|[A-Za-z]{2,}[\x80-\xff]+")
_MOST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding and what showed it; `name` is empty where only a person can tell, who is asked `question`."""

    name: str
    why: str
    question: str = ""


def find_encoding(received: Received) -> tuple[Encoding, bytes]:
    """The encoding of a text file, and its bytes as UTF-8 without a mark."""
    data = received.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        found = Encoding("utf-16", "it begins with the byte order mark of UTF-16")
    elif data.startswith(b"\xef\xbb\xbf"):
        found = Encoding("utf-8", "it begins with the byte order mark of UTF-8")
    elif data.isascii():
        found = Encoding("utf-8", "it has no byte above 127")
    else:
        return _by_its_bytes(received)
    return found, decode(received, encoding=found.name)


def _by_its_bytes(received: Received) -> tuple[Encoding, bytes]:
    data = received.data
    text = data.decode("utf-8", errors="replace")
    if "\ufffd" not in text:
        return Encoding("utf-8", f"its bytes above 127 are all UTF-8, first in {_example(data, 'utf-8')}"), data
    spoiled = text.count("\ufffd")
    if sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text))) > 5 * spoiled:
        line = text.count("\n", 0, text.index("\ufffd")) + 1
        why = (
            f"nearly all of its bytes above 127 are UTF-8, but {spoiled:,} are not (line {line}): a load refuses them. "
            "Two files in different encodings may have been joined"
        )
        return Encoding("utf-8", why), text.encode()
    words = list(dict.fromkeys(_WORD.findall(data)))[:_MOST_WORDS]
    read = [word.decode("cp1252", errors="replace") for word in words]
    western = sum(bool(_WESTERN.fullmatch(word)) for word in read)
    foreign = sum(bool(_FOREIGN.search(word)) for word in read)
    if western >= 0.95 * len(words) and foreign <= 0.1 * len(words):
        why = f"its bytes above 127 are no UTF-8, and as cp1252 they make words, first in {_example(data, 'cp1252')}"
        return Encoding("cp1252", why), data.decode("cp1252", errors="replace").encode()
    odd = next((w for w, r in zip(words, read, strict=True) if not _WESTERN.fullmatch(r) or _FOREIGN.search(r)), words[0])
    line = data.count(b"\n", 0, data.index(odd)) + 1
    readings = dict.fromkeys(f"{name} reads '{odd.decode(name, errors='replace')[:30]}'" for name in _OTHERS)
    question = f"which encoding? It is no UTF-8. In line {line} " + ", ".join(readings)
    return Encoding("", "", question), data.decode("latin-1").encode()


def _example(data: bytes, encoding: str) -> str:
    # A word says more than a sign alone.
    found = _LETTERED.search(data) or _WORD.search(data)
    if found is None:
        return "no word"
    line = data.count(b"\n", 0, found.start()) + 1
    return f"line {line}: '{found[0][:60].decode(encoding, errors='replace')}'"
