"""What was seen in an unknown file, written as a layout: TOML with its reasons as comments and its questions left empty."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from loaders.layouts import built_in_layouts
from loaders.layouts.writing import Section, quoted, shown
from mapping.vocabulary import slug

if TYPE_CHECKING:
    from loaders.proposals.kinds import Kinds
    from loaders.proposals.opening import Opened
    from loaders.proposals.orders import When
    from loaders.proposals.points import Points
    from loaders.proposals.profiles import Profile

__all__ = ["Proposal", "Seen", "write_proposal"]

_CANCELLED = re.compile(r"\b(cancel|no.?crime|annul|void|unfounded|storn)", re.IGNORECASE)
_WINDOW = "Which days the file is complete for it does not say: give --window FROM:TO when you load it."


@dataclass(frozen=True, slots=True)
class Seen:
    """All that was seen in a file. `roles` are columns told by their names alone; `personal` are names of columns left out."""

    opened: Opened
    profiles: list[Profile]
    when: When
    points: Points
    kinds: Kinds
    roles: dict[str, str]
    personal: set[str]

    def profile(self, name: str) -> Profile:
        """The column of that name."""
        return next(p for p in self.profiles if p.name == name)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The text of the layout, and how many questions it leaves."""

    text: str
    questions: int


def write_proposal(seen: Seen) -> Proposal:
    """The layout that fits what was seen."""
    head, columns, dates, types = Section(), Section(), Section(), Section()
    _write_head(head, seen)
    _write_file(head, seen.opened, seen.points)
    _write_places(head, seen.points)
    _write_columns(columns, seen)
    _write_not_stored(columns, seen)
    _write_dates(dates, seen.when)
    _write_types(types, seen.kinds)
    questions = sum(section.questions for section in (head, columns, dates, types))
    top = Section()
    _write_top(top, seen.opened, questions)
    lines = [*top.lines, "", *head.lines, "", "[columns]", *columns.lines, "", "[dates]", *dates.lines]
    if types.lines:
        lines += ["", "[crime_types]", *types.lines]
    return Proposal("\n".join(lines) + "\n", questions)


def _write_top(top: Section, opened: Opened, questions: int) -> None:
    for layout in built_in_layouts().values():
        if not layout.missing_columns(opened.header):
            top.remark(f"The layout {layout.name} fits this file: no new one is needed.")
    top.remark(
        f"A layout proposed for {shown(PurePath(opened.name).name)}: {opened.table.rows:,} rows, {len(opened.header)} columns."
    )
    if questions:
        top.remark(
            f"Questions that it leaves: {questions}. They stand behind '# ?'. Until each has an answer, or its line is taken "
            "out, a load with this layout is refused. The rest says what was seen: correct what is wrong."
        )
    else:
        top.remark("It leaves no question. Read what was seen, and correct what is wrong.")
    top.remark(*opened.notes)


def _write_head(head: Section, seen: Seen) -> None:
    kinds = seen.kinds
    stem = slug(PurePath(seen.opened.name).name.split(".")[0])
    head.say("name", stem[:60] or "new-layout", "What messages call this layout.")
    if "source" in seen.roles:
        head.remark(f"The source of each row is in the column {shown(seen.roles['source'])}.")
    else:
        head.ask("source", 'who supplied it? An id, for example "hertfordshire-police"')
    head.say("access", "protected", '"open" only if these rows are published already.')
    head.say("stream", kinds.stream, f"Stream: {kinds.stream_why or 'nothing says what kind of records these are'}.")
    if "updated" in seen.when.columns:
        head.remark(
            'Rows say when they were changed: if the file holds changes only, complete for no days, add kind = "changes".'
        )
    if "status" in seen.roles:
        none = [shown(text) for text in seen.profile(seen.roles["status"]).sample if _CANCELLED.search(text)]
        if none:
            listed = ", ".join(map(quoted, none[:5]))
            head.ask(
                "cancelled",
                f"rows whose {shown(seen.roles['status'])} says that there was none: write [{listed}] to leave them out, or "
                "take the line out to count them",
            )
    if kinds.records_question:
        head.ask("records", kinds.records_question)
    elif kinds.stream == "outcomes":
        head.say("records", "outcomes")
    if kinds.codes:
        head.say("codes", kinds.codes)
    if kinds.added:
        head.remark("Crime types of this table that are not built in.")
        rows = [f"  {{ id = {quoted(t.id)}, name = {quoted(t.name)}, group = {quoted(t.group)} }}," for t in kinds.added]
        head.lines += ["types = [", *rows, "]"]


def _write_file(head: Section, opened: Opened, points: Points) -> None:
    if opened.encoding is not None:
        if opened.encoding.question:
            head.ask("encoding", opened.encoding.question)
        else:
            head.say("encoding", opened.encoding.name, f"Encoding: {opened.encoding.why}.")
        head.say("delimiter", opened.delimiter, f"Delimiter: {opened.delimiter_why}.")
    if points.decimal_question:
        head.ask("decimal", points.decimal_question + ' Write "," or "."')
    elif points.decimal == ",":
        head.say("decimal", ",")


def _write_places(head: Section, points: Points) -> None:
    why = [f"Places: {text}." for text in points.why]
    question = points.crs_question or ("which coordinate system?" if points.question else "")
    if points.crs:
        head.say("crs", points.crs, *why)
    elif question:
        head.ask("crs", question, *why)
    else:
        head.remark("Places: no columns of coordinates were seen. Without them nothing is placed in a ward.")


def _write_columns(columns: Section, seen: Seen) -> None:
    when, points, roles = seen.when, seen.points, seen.roles
    if "reference" in roles:
        told = seen.profile(roles["reference"])
        columns.say(
            "reference", told.name, f"reference: {told.distinct:,} different texts in {told.filled:,} rows that have one."
        )
    if "source" in roles:
        columns.say("source", roles["source"])
    if when.question:
        columns.ask("date", when.question)
    for role, name in when.columns.items():
        why = when.why.get(role)
        columns.say(role, name, *([f"{role}: {why}."] if why else []))
    columns.remark(*(f"{note}." for note in when.notes))
    if points.x is not None and points.y is not None:
        columns.say("x", points.x.name)
        columns.say("y", points.y.name)
    elif points.question:
        columns.ask("x", points.question)
        columns.ask("y", "and which holds y (northing, latitude)? Without places take both lines out, and crs")
    _write_kind_columns(columns, seen.kinds)
    for role in ("status", "location", "lsoa", "outcome"):
        if role in roles:
            columns.say(role, roles[role])


def _write_kind_columns(columns: Section, kinds: Kinds) -> None:
    if kinds.question:
        columns.ask("crime_type", kinds.question)
    elif kinds.column:
        columns.say("crime_type", kinds.column, *(f"crime_type: {why}." for why in kinds.why))
    if kinds.otherwise:
        columns.say("crime_type_or", kinds.otherwise)
    for role, name in kinds.roles.items():
        columns.say(role, name)
    columns.remark(*(f"{note}." for note in kinds.notes))


def _write_not_stored(columns: Section, seen: Seen) -> None:
    stored = {line.partition(" = ")[2] for line in columns.lines}
    personal = [shown(p.name) for p in seen.profiles if p.name in seen.personal]
    left = [shown(p.name) for p in seen.profiles if quoted(p.name) not in stored and p.name not in seen.personal]
    if personal:
        columns.remark(f"Not stored, because they look like personal data or free text: {', '.join(personal)}.")
    if left:
        columns.remark(f"Not stored, because no role was seen for them: {', '.join(left)}.")


def _write_dates(dates: Section, when: When) -> None:
    why = [f"{text[:1].upper()}{text[1:]}." for text in when.format_why]
    if when.question:
        dates.ask("format", 'how are its dates written? In the letters of strptime, for example "%d/%m/%Y"')
    elif when.format_question:
        dates.ask("format", when.format_question, *why)
    elif len(when.formats) == 1:
        dates.say("format", when.formats[0], *why)
    elif when.formats:
        dates.say("formats", when.formats, *why)
    elif when.columns:
        dates.remark("No format is needed: the parts of the date are numbers in columns of their own.")
    dates.remark((f"The first day is {when.span[0]}, the last {when.span[1]}. " if when.span else "") + _WINDOW)


def _write_types(types: Section, kinds: Kinds) -> None:
    if any(not known for _, _, known in kinds.words):
        types.remark(
            'A crime type for each, as in docs/layouts.md or of your own ([[types]]); "set-aside" where it is not counted.'
        )
    for text, rows, known in kinds.words:
        rows_said = f"{rows:,} row{'' if rows == 1 else 's'}"
        types.lines.append(f"{quoted(text)} = {quoted(known)}  # {'' if known else '? '}{rows_said}")
        types.questions += not known
    if kinds.more:
        types.remark(f"... and {kinds.more:,} more: is it the right column?")
