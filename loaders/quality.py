"""Issues of rows, and the report of a load."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from loaders.amendments import Amended
    from mapping.vocabulary import Month

__all__ = ["ExtractReport", "Issue", "LoadReport", "number_of"]

_EXAMPLES = 3


def number_of(n: int, what: str) -> str:
    """A number with what it counts: `1 row`, `1,204 rows`."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Issue:
    """Why a row was `repaired`, `set-aside` or `rejected`; `row` is its index among the kept rows of its extract, or -1."""

    outcome: str
    kind: str
    file: str
    line: int
    field: str
    value: str
    row: int = -1


@dataclass(slots=True)
class ExtractReport:
    """What became of the rows of one extract. Always read = kept + set_aside + rejected; repaired rows are kept.

    Rows that do not count because of changes are among those set aside; `changes` says what an extract of changes did,
    `amended_by` which of those loaded before amend a window, and how many of its rows. Where `records` are `outcomes`,
    `joined` is how many of its rows belong to a crime that is loaded.
    """

    source: str
    stream: str
    window: tuple[date, date]
    files: list[str]
    read: int
    kept: int
    repaired: int
    set_aside: int
    rejected: int
    without_coordinates: int
    repeated_references: int
    issues: list[Issue]
    months: set[Month]
    extract_id: int | None = None
    unchanged: bool = False
    replaced_rows: int = 0
    in_ward: dict[str, int] = field(default_factory=dict)
    changes: Amended | None = None
    amended_by: tuple[int, list[int]] = (0, [])
    records: str = "incidents"
    joined: int = 0


@dataclass(slots=True)
class LoadReport:
    """What one command did."""

    extracts: list[ExtractReport] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as it is printed."""
        written = [_extract_line(extract) for extract in self.extracts]
        incidents = [extract for extract in self.extracts if extract.records == "incidents"]
        if incidents:
            written += self._incident_lines(incidents)
        outcomes = [extract for extract in self.extracts if extract.records == "outcomes" and not extract.unchanged]
        if outcomes:
            kept, joined = sum(e.kept for e in outcomes), sum(e.joined for e in outcomes)
            belong = "belongs" if joined == 1 else "belong"
            written.append(f"{number_of(kept, 'outcome')} kept: {joined:,} {belong} to a crime that is loaded.")
        written += self._issue_lines()
        if self.left_out:
            shown = ", ".join(self.left_out[:_EXAMPLES]) + (" ..." if len(self.left_out) > _EXAMPLES else "")
            were = "was" if len(self.left_out) == 1 else "were"
            written += [f"{number_of(len(self.left_out), 'file')} {were} left out: {shown}", *self.hints]
        written += [f"Warning: {warning}" for warning in self.warnings]
        return written

    def _incident_lines(self, extracts: list[ExtractReport]) -> list[str]:
        total = {key: sum(getattr(e, key) for e in extracts) for key in ("read", "kept", "repaired", "set_aside", "rejected")}
        without = sum(e.without_coordinates for e in extracts)
        repeated = sum(e.repeated_references for e in extracts)
        rows = (
            f"{number_of(total['read'], 'row')} read: {total['kept']:,} kept (of them {total['repaired']:,} repaired, "
            f"{without:,} without coordinates), {total['set_aside']:,} set aside, {total['rejected']:,} rejected."
        )
        written = [rows]
        if repeated:
            repeat = "repeats a reference; it is" if repeated == 1 else "repeat a reference; all are"
            written.append(f"{number_of(repeated, 'row')} {repeat} kept.")
        fresh = [e for e in extracts if not e.unchanged]
        placed = sum(e.kept - e.without_coordinates for e in fresh)
        which = "" if len(fresh) == len(extracts) else "Of what is new, on"
        return written + [
            f"{which or 'On'} {name}: {count:,} in a ward, {placed - count:,} outside every ward."
            for name, count in self.in_wards().items()
        ]

    def in_wards(self) -> dict[str, int]:
        """Rows in a ward, by boundary set."""
        found: Counter[str] = Counter()
        for extract in self.extracts:
            found.update(extract.in_ward)
        return dict(found)

    def _issue_lines(self) -> list[str]:
        grouped: dict[tuple[str, str], list[Issue]] = defaultdict(list)
        for extract in self.extracts:
            for issue in extract.issues:
                grouped[issue.outcome, issue.kind].append(issue)
        written = []
        for (outcome, kind), issues in sorted(grouped.items()):
            written.append(f"{outcome}: {number_of(len(issues), 'row')}: {kind}")
            written += [f"  {i.file}, line {i.line}, {i.field}: '{i.value}'" for i in issues[:_EXAMPLES]]
        return written


def _extract_line(extract: ExtractReport) -> str:
    first, last = extract.window
    where = f"{extract.source} {extract.stream} {first} to {last}"
    if extract.unchanged:
        return f"{where}: already loaded from the same files; nothing changes."
    if extract.changes:
        return f"{where}: extract {extract.extract_id} of changes: {_changes_words(extract.changes)}."
    what = "row" if extract.records == "incidents" else "outcome"
    replaced = f", in place of {extract.replaced_rows:,}" if extract.replaced_rows else ""
    return f"{where}: extract {extract.extract_id}, {number_of(extract.kept, what)} kept{replaced}."


def _changes_words(done: Amended) -> str:
    amended = f"{number_of(done.amended, 'incident')} amended"
    of_them = [
        f"{n:,} {what}"
        for n, what in ((done.reclassified, "reclassified"), (done.moved, "moved to another month or place"))
        if n
    ]
    others = [
        f"{n:,} {what}"
        for n, what in (
            (done.cancelled, "cancelled"),
            (done.added, "added"),
            (done.waiting, "waiting for a window that covers the day"),
        )
        if n
    ]
    older = [f"{number_of(done.older, 'row')} older than what stands"] if done.older else []
    return ", ".join([amended + (f" (of them {', '.join(of_them)})" if of_them else ""), *others, *older])
