"""The query string, read the same way everywhere: what is asked for, or which parameter is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from flask import request

from mapping.errors import BadRequest
from mapping.measures import find_measure
from mapping.questions import Question
from mapping.vocabulary import Month

if TYPE_CHECKING:
    from collections.abc import Collection

    from werkzeug.datastructures import MultiDict

__all__ = ["DEFAULT_MEASURE", "QUESTION", "Query", "read_number", "read_query", "read_whole_number"]

QUESTION = ("crime_type", "from", "to", "boundaries", "source", "district", "ward")
"""The parameters that every question has, beside `measure` and its options."""

DEFAULT_MEASURE = "count"
"""What is shown where a page is asked for no measure."""

By = Literal["ward", "district", "set"]
_BY = ("ward", "district", "set")


@dataclass(frozen=True, slots=True)
class Query:
    """What a query string asks: the measure it names (empty: none), the question, and the face's own parameters."""

    measure: str
    question: Question
    extra: dict[str, str]


def read_query(
    *,
    measure: str = "",
    common: Collection[str] = QUESTION,
    extra: Collection[str] = (),
    args: MultiDict[str, str] | None = None,
) -> Query:
    """Read the query string. A parameter that is empty counts as absent, as a form sends it.

    Parameters
    ----------
    measure
        The measure that the path names; `measure` in the query string may only repeat it. Without one it may name any.
    common
        Those of `QUESTION` that mean something here.
    extra
        Parameters that only this face has (`by`, `format`, `lon` ...). They are returned as they stand, except `by`, which
        becomes part of the question.
    args
        The query string to read instead of the request's.

    Raises
    ------
    BadRequest
        If a parameter is unknown, repeated or has a value that it cannot have.
    NotFound
        If there is no such measure.
    """
    given = _once(request.args if args is None else args)
    asked = given.pop("measure", "")
    if measure and asked not in ("", measure):
        raise BadRequest(
            f"The address asks for the measure {measure}, its query string for '{asked}'.",
            hint="Leave `measure` out of the query string, or ask at the other measure's address.",
            parameter="measure",
            value=asked,
        )
    name = measure or asked
    # Addresses leave out the measure where it is the default, but not its options.
    meant = name or (DEFAULT_MEASURE if common == QUESTION else "")
    options = [option.id for option in find_measure(meant).options] if meant else []
    _refuse_unknown(given, [*common, *extra, *options, "measure"])
    question = Question(
        crime_type=given.get("crime_type", "all"),
        first=_month(given, "from"),
        last=_month(given, "to"),
        boundaries=given.get("boundaries"),
        source=given.get("source"),
        district=given.get("district"),
        ward=given.get("ward"),
        by=_by(given.get("by", "ward")),
        options={option: given[option] for option in options if option in given},
    )
    return Query(name, question, {key: given[key] for key in extra if key in given and key != "by"})


def read_number(query: Query, name: str, *, low: float, high: float) -> float:
    """A number among a face's own parameters; `BadRequest` where it is missing, unreadable or outside its bounds."""
    text = query.extra.get(name, "")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise BadRequest(
            f"'{text}' is not a number for {name}." if text else f"The parameter {name} is missing.",
            hint=f"Give {name} as a number from {low:g} to {high:g}.",
            parameter=name,
            value=text,
        )
    return number


def _once(args: MultiDict[str, str]) -> dict[str, str]:
    for name, values in args.lists():
        if len(values) > 1:
            raise BadRequest(
                f"The parameter {name} is given {len(values)} times.", hint="Give it once.", parameter=name, value=values[1]
            )
    return {name: value for name, value in args.items() if value}


def _refuse_unknown(given: dict[str, str], known: list[str]) -> None:
    for name, value in given.items():
        if name not in known:
            raise BadRequest(
                f"There is no parameter '{name}' here.",
                hint="Known: " + ", ".join(dict.fromkeys(known)) + ".",
                parameter=name,
                value=value,
            )


def _month(given: dict[str, str], name: str) -> Month | None:
    return Month.parse(given[name], parameter=name) if name in given else None


def _by(text: str) -> By:
    if text not in _BY:
        raise BadRequest(f"There are no figures by '{text}'.", hint=f"Known: {', '.join(_BY)}.", parameter="by", value=text)
    return cast("By", text)


def read_whole_number(query: Query, name: str, *, most: int = 2**31 - 1) -> int:
    """A whole number among a face's own parameters, 0 where it is missing."""
    text = query.extra.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise BadRequest(
            f"'{text}' is not a number for {name}.",
            hint=f"Give {name} as a whole number from 0 to {most}.",
            parameter=name,
            value=text,
        )
    return int(text)
