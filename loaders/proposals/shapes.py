"""The shapes in which dates and times are written, and the strptime formats that read them."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass

__all__ = ["CLOCK", "ORDERS", "Found", "clock_format", "match_date"]

ORDERS = {
    "dmy": "the day first",
    "mdy": "the month first",
    "ymd": "the year first",
    "ydm": "the year first, then the day",
}
"""What the orders of the numbers in a date are called."""

_CLOCK = (
    r"(?P<H>[0-9]{1,2})(?P<ts>[:.h])(?P<M>[0-9]{2})(?:(?P=ts)(?P<S>[0-9]{2})(?P<f>[.,][0-9]{1,9})?)?"
    r"(?P<ap> ?[AaPp][Mm])?(?P<z> ?(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
CLOCK = re.compile(_CLOCK)
"""A time of day."""

_TAIL = rf"(?:(?P<sep>T|,? +| +- +|[:_]){_CLOCK})?"
_WEEKDAY = r"(?P<wd>(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_MON = r"(?P<mon>[^\W\d_]{3,10})"
_YEAR = r"(?P<y>(?:19|20)[0-9]{2})"
_STYLES = [
    (orders, re.compile(_WEEKDAY + pattern, re.IGNORECASE))
    for orders, pattern in (
        (("ymd",), rf"{_YEAR}(?P<s>[-/.])(?P<n1>[0-9]{{1,2}})(?P=s)(?P<n2>[0-9]{{1,2}}){_TAIL}"),
        (("dmy", "mdy"), rf"(?P<n1>[0-9]{{1,2}})(?P<s>[-/. ]|\. )(?P<n2>[0-9]{{1,2}})(?P=s)(?P<y>[0-9]{{4}}){_TAIL}"),
        (("dmy", "mdy", "ymd"), rf"(?P<n1>[0-9][0-9])(?P<s>[-/.])(?P<n2>[0-9][0-9])(?P=s)(?P<n3>[0-9][0-9]){_TAIL}"),
        (("dmy", "mdy"), rf"(?P<n1>[0-9]{{1,2}})(?P<s>[-/.])(?P<n2>[0-9]{{1,2}})(?P=s)(?P<n3>[0-9][0-9]){_TAIL}"),
        (("dmy",), rf"(?P<n1>[0-9]{{1,2}})(?P<s>[-/. ]?){_MON}(?P<s2>[-/. ]?)(?P<y>[0-9]{{4}}|[0-9]{{2}}){_TAIL}"),
        (("mdy",), rf"{_MON}(?P<s> )(?P<n1>[0-9]{{1,2}})(?P<s2>,? )(?P<y>[0-9]{{4}}){_TAIL}"),
        (("my",), rf"{_MON}(?P<s>[-/ ])(?P<y>(?:19|20)[0-9]{{2}}|[0-9]{{2}})"),
        (("ym",), rf"{_YEAR}(?P<s>[-/ ]){_MON}"),
        (("ym",), rf"{_YEAR}(?P<s>[-/.])(?P<n1>0?[1-9]|1[0-2])"),
        (("my",), rf"(?P<n1>0?[1-9]|1[0-2])(?P<s>[-/.]){_YEAR}"),
        (("ymd",), rf"{_YEAR}(?P<n1>0[1-9]|1[0-2])(?P<n2>0[1-9]|[12][0-9]|3[01])(?P<hms>[0-2][0-9][0-5][0-9](?:[0-5][0-9])?)?"),
        (("ym",), rf"{_YEAR}(?P<n1>0[1-9]|1[0-2])"),
    )
]
_SHORT = {name.lower() for name in calendar.month_abbr if name}
_FULL = {name.lower() for name in calendar.month_name if name}
_LONGEST = 45


@dataclass(frozen=True, slots=True)
class Found:
    """A date that was recognised in a text.

    `orders` are those that its shape allows; `numbers` the places of its numbers, in that order; `day_end` where the date ends
    and the time begins; `varying` the place of what differs between texts of one shape (an offset, an `AM`).
    """

    orders: tuple[str, ...]
    template: str
    day_template: str
    numbers: tuple[tuple[int, int], ...]
    day_end: int
    varying: tuple[int, int] | None

    @property
    def key(self) -> str:
        """The same for all texts that one format reads in one order."""
        return f"{self.template} {self.orders}"

    @property
    def is_timed(self) -> bool:
        """Whether it has a time of day."""
        return self.template != self.day_template

    def format(self, order: str) -> str:
        """The strptime format in an order of the numbers."""
        return self._filled(self.template, order)

    def day_format(self, order: str) -> str:
        """The format of the date without the time."""
        return self._filled(self.day_template, order)

    def letters(self, order: str) -> str:
        """What each of its `numbers` is in an order: letters `d`, `m`, `y`, without those written otherwise."""
        named = "m" if "%b" in self.day_template or "%B" in self.day_template else ""
        year = "y" if "%Y" in self.day_template or "%y" in self.day_template else ""
        return "".join(letter for letter in order if letter not in named + year)

    def _filled(self, template: str, order: str) -> str:
        for place, letter in enumerate(self.letters(order), 1):
            template = template.replace(f"{{{place}}}", f"%{letter}")
        return template


def match_date(text: str) -> Found | None:
    """The date that a text is, if it is one in a shape that strptime's letters can say."""
    if not 4 <= len(text) <= _LONGEST:
        return None
    for orders, pattern in _STYLES:
        found = pattern.fullmatch(text)
        if found:
            return _found(found, orders)
    return None


def clock_format(text: str) -> str | None:
    """The format of a time of day, or None if it is none."""
    found = CLOCK.fullmatch(text)
    return _clock(found.groupdict()) if found else None


def _found(found: re.Match[str], orders: tuple[str, ...]) -> Found | None:
    parts = found.groupdict()
    month = _month_letter(parts.get("mon"))
    if month is None:
        return None
    clock = _clock(parts) if parts.get("H") else ""
    if clock is None:
        return None
    names = [name for name in ("n1", "n2", "n3") if parts.get(name)]
    numbers = tuple(found.span(name) for name in names)
    ends = [found.end(name) for name in (*names, "y", "mon") if parts.get(name)]
    day_end = max(ends)
    day = "".join(_letters(found, parts, month, day_end))
    rest = _escaped(parts.get("sep") or "") + clock
    if parts.get("hms"):
        rest = "%H%M" + ("%S" if len(parts["hms"]) == 6 else "")
    varying = found.span("z") if parts.get("z") and "%z" not in clock else None
    return Found(orders, day + rest, day, numbers, day_end, varying)


def _letters(found: re.Match[str], parts: dict[str, str], month: str, day_end: int) -> list[str]:
    """The date with its numbers replaced by `{1}`, `{2}`, `{3}`, its names and years by strptime's letters."""
    replaced = {found.span(name): f"{{{name[1]}}}" for name in ("n1", "n2", "n3") if parts.get(name)}
    if parts.get("y"):
        replaced[found.span("y")] = "%Y" if len(parts["y"]) == 4 else "%y"
    if parts.get("mon"):
        replaced[found.span("mon")] = month
    if parts.get("wd"):
        name = parts["wd"].rstrip(", ")
        start = found.start("wd")
        replaced[start, start + len(name)] = "%a" if len(name) == 3 else "%A"
    written, at = [], 0
    for (start, end), letters in sorted(replaced.items()):
        written += [_escaped(found.string[at:start]), letters]
        at = end
    return [*written, _escaped(found.string[at:day_end])]


def _month_letter(name: str | None) -> str | None:
    if name is None or name.lower() in _SHORT:
        return "%b"
    return "%B" if name.lower() in _FULL else None


def _clock(parts: dict[str, str]) -> str | None:
    half, mark = bool(parts["ap"]), parts["ts"]
    clock = ("%I" if half else "%H") + mark + "%M" + (f"{mark}%S" if parts["S"] else "")
    fraction = parts["f"] or ""
    if len(fraction) > 7 and fraction[7:].strip("0"):
        return None
    clock += f"{fraction[0]}%f{fraction[7:]}" if fraction else ""
    if half:
        clock += (" " if parts["ap"].startswith(" ") else "") + "%p"
    zone = parts["z"] or ""
    # `+00` alone, UTC and GMT are no zones that strptime reads: they stand as they are.
    return clock + ("%z" if re.fullmatch(r"[Zz]|[+-][0-9][0-9]:?[0-9][0-9]", zone) else _escaped(zone))


def _escaped(text: str) -> str:
    return text.replace("%", "%%").replace("{", "").replace("}", "")
