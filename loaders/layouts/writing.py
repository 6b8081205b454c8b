"""A layout as TOML: every text of a file escaped, what was seen in comments above, what is asked behind its line."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

__all__ = ["Section", "quoted", "shown"]

_SHORT = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_WIDTH = 118
_SHOWN = 60


def quoted(text: str) -> str:
    """A TOML string that holds a text, whatever is in it."""
    return '"' + "".join(_SHORT.get(c) or (c if c.isprintable() else _escape(c)) for c in text) + '"'


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def shown(text: str) -> str:
    """A text of a file for a comment: one line, nothing that a terminal obeys, at most 60 characters."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return "".join(c if c.isprintable() else "?" for c in cut)


def _comment(text: str) -> list[str]:
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return textwrap.wrap(plain, _WIDTH, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)


@dataclass(slots=True)
class Section:
    """Lines of one table of the TOML file."""

    lines: list[str] = field(default_factory=list)
    questions: int = 0

    def remark(self, *texts: str) -> None:
        """A comment of its own."""
        for text in texts:
            self.lines += _comment(text)

    def say(self, key: str, value: str | list[str], *why: str) -> None:
        """A key and its value, with what showed it above."""
        for text in why:
            self.lines += _comment(text)
        written = "[" + ", ".join(map(quoted, value)) + "]" if isinstance(value, list) else quoted(value)
        self.lines.append(f"{key} = {written}")

    def ask(self, key: str, question: str, *why: str) -> None:
        """A key whose value a person must give: it stays empty, and a layout with it is refused, quoting the question."""
        self.questions += 1
        for text in why:
            self.lines += _comment(text)
        first, *rest = textwrap.wrap("".join(c if c.isprintable() else "?" for c in question), 88, break_on_hyphens=False)
        self.lines.append(f'{key} = ""  # ? {first}')
        self.lines += [f"#   {line}" for line in rest]
