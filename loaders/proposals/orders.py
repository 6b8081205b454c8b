"""Which number of a date is the day: decided by the rows that prove it, or asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loaders.proposals.shapes import ORDERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from loaders.proposals.dates import DateWriting
    from loaders.proposals.profiles import Profile

__all__ = ["Dated", "When", "decide_order"]

_MANY_DAYS = 8


@dataclass(slots=True)
class When:
    """The columns by role, the formats of their dates (none where a person must say), and what showed it."""

    columns: dict[str, str] = field(default_factory=dict)
    formats: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    format_why: list[str] = field(default_factory=list)
    question: str = ""
    format_question: str = ""
    notes: list[str] = field(default_factory=list)
    span: tuple[date, date] | None = None
    used: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Dated:
    """A column of dates, what its name says it is, and how it writes."""

    profile: Profile
    role: str
    rank: int
    writing: DateWriting | None
    special: str = ""


def decide_order(chosen: dict[str, Dated], when: When, *, today: date, line_of: Callable[[int], int]) -> str:
    """The order of day, month and year in ambiguous dates, or a question."""
    distinct = list({id(d): d for d in chosen.values()}.values())
    columns = [d for d in distinct if d.writing and d.writing.is_ambiguous]
    if not columns:
        for d in distinct:
            if d.writing and d.writing.writings:
                when.format_why.append(f"'{d.profile.name[:40]}' as in '{d.profile.sample[0][:40]}'")
        return ""
    proofs = [(d, proof) for d in columns if d.writing and (proof := d.writing.proof())]
    orders = set.intersection(*(d.writing.orders for d in columns if d.writing))
    if not orders:
        _ask_contradiction(columns, when, line_of)
        return ""
    orders = {o for o in orders if not any(_ends_after(d, o, today) for d in columns)} or orders
    if len(orders) > 1:
        spans = [f"{ORDERS[o]}: {_words_of_span(columns[0], o)}" for o in sorted(orders)]
        when.format_question = (
            f"is '{columns[0].profile.sample[0][:20]}' written day first or month first? No row has a day over 12, which would "
            f"tell. Read with {'; with '.join(spans)}. Write for example {_example_formats(columns[0], orders)}"
        )
        return min(orders)
    order = next(iter(orders))
    odd = next((d for d in columns if proofs and _speaks_against(d, order, today)), None)
    if odd is not None:
        _ask_odd_one(odd, proofs[0], order, when, line_of)
        return order
    if proofs:
        d, (row, text, _) = proofs[0]
        when.format_why.append(f"{ORDERS[order]}: line {line_of(row)} of '{d.profile.name[:40]}' has '{text[:40]}'")
    else:
        when.format_why.append(f"{ORDERS[order]}: in any other order some rows would lie after today ({today})")
    if _is_mangled(columns):
        when.format_question = (
            "every date written as text has a day over 12, and no date cell has one: a spreadsheet set to another country has "
            "swapped days and months of the others. Export the file again"
        )
    return order


def _ends_after(dated: Dated, order: str, today: date) -> bool:
    span = dated.writing.span(order) if dated.writing else None
    return span is not None and (span[1].year, span[1].month) > (today.year, today.month)


def _speaks_against(dated: Dated, order: str, today: date) -> bool:
    """Whether an order that only another column proves makes no sense of this one.

    So read it would lie in the future, which it need not; or it would run over months in which no day is over 12. Of eight days
    of any months 99.9% of columns have one that is.
    """
    if dated.writing is None or len(dated.writing.orders) < 2:
        return False
    if _ends_after(dated, order, today):
        return not all(_ends_after(dated, other, today) for other in dated.writing.orders)
    days = dated.writing.read_days(order)
    return len(days) >= _MANY_DAYS and len({day.month for day in days}) > 1 and any(day.day > 1 for day in days)


def _ask_odd_one(
    odd: Dated, proven: tuple[Dated, tuple[int, str, str]], order: str, when: When, line_of: Callable[[int], int]
) -> None:
    by, (row, text, _) = proven
    others = (
        [f"with {ORDERS[o]}: {_words_of_span(odd, o)}" for o in sorted(odd.writing.orders - {order})] if odd.writing else []
    )
    when.format_question = (
        f"line {line_of(row)} '{text[:25]}' of '{by.profile.name[:30]}' has {ORDERS[order]}, but '{odd.profile.name[:30]}' "
        f"speaks against it: none of its days is over 12, and so read {_words_of_span(odd, order)}; {'; '.join(others)}. If "
        "the two columns stand in two orders, export the file again with one"
    )


def _words_of_span(dated: Dated, order: str) -> str:
    span = dated.writing.span(order) if dated.writing else None
    return f"they run from {span[0]} to {span[1]}" if span else "they cannot be read"


def _example_formats(dated: Dated, orders: set[str]) -> str:
    formats = [dated.writing.formats(order)[0] for order in sorted(orders)] if dated.writing else []
    return " or ".join(f'"{f}"' for f in formats)


def _ask_contradiction(columns: list[Dated], when: When, line_of: Callable[[int], int]) -> None:
    said = []
    for d in columns:
        for writing in d.writing.writings if d.writing else []:
            for order, (row, text) in writing.excluded.items():
                said.append(f"line {line_of(row)} '{text[:25]}' of '{d.profile.name[:30]}' cannot be with {ORDERS[order]}")
    when.format_question = "days and months stand in more than one order: " + "; ".join(said[:4]) + ". Which rows are right?"


def _is_mangled(columns: list[Dated]) -> bool:
    """Whether a spreadsheet has read texts month first where it could: its cells have no day over 12, the rest only such."""
    for d in columns:
        cells = [w for w in d.writing.writings if w.found.orders == ("ymd",)] if d.writing else []
        texts = [w for w in d.writing.writings if len(w.found.orders) > 1] if d.writing else []
        days = {text[8:10] for w in cells for text in w.days}
        if len({text for w in cells for text in w.days}) >= 4 and max(days) <= "12" and texts:
            firsts = {re.split(r"\D", text)[0] for w in texts for text in w.days}
            if len(firsts) >= 4 and all(int(first) > 12 for first in firsts):
                return True
    return False
