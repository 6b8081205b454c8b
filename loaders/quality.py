"""Issues of rows, and the report of a load."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from mapping.vocabulary import Month

__all__ = ["ExtractReport", "Issue", "LoadReport"]

_EXAMPLES = 3


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
    """What became of the rows of one extract. Always read = kept + set_aside + rejected; repaired rows are kept."""

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
        total = {
            key: sum(getattr(e, key) for e in self.extracts) for key in ("read", "kept", "repaired", "set_aside", "rejected")
        }
        without = sum(e.without_coordinates for e in self.extracts)
        repeated = sum(e.repeated_references for e in self.extracts)
        written.append(
            f"{total['read']:,} rows read: {total['kept']:,} kept (of them {total['repaired']:,} repaired, {without:,} without "
            f"coordinates), {total['set_aside']:,} set aside, {total['rejected']:,} rejected."
        )
        if repeated:
            written.append(f"{repeated:,} rows repeat a reference; all are kept.")
        fresh = [e for e in self.extracts if not e.unchanged]
        placed = sum(e.kept - e.without_coordinates for e in fresh)
        which = "" if len(fresh) == len(self.extracts) else "Of what is new, on"
        written += [
            f"{which or 'On'} {name}: {count:,} in a ward, {placed - count:,} outside every ward."
            for name, count in self.in_wards().items()
        ]
        written += self._issue_lines()
        if self.left_out:
            shown = ", ".join(self.left_out[:_EXAMPLES]) + (" ..." if len(self.left_out) > _EXAMPLES else "")
            written += [f"{len(self.left_out)} files were left out: {shown}", *self.hints]
        written += [f"Warning: {warning}" for warning in self.warnings]
        return written

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
            written.append(f"{outcome}: {len(issues):,} rows: {kind}")
            written += [f"  {i.file}, line {i.line}, {i.field}: '{i.value}'" for i in issues[:_EXAMPLES]]
        return written


def _extract_line(extract: ExtractReport) -> str:
    first, last = extract.window
    where = f"{extract.source} {extract.stream} {first} to {last}"
    if extract.unchanged:
        return f"{where}: already loaded from the same files; nothing changes."
    replaced = f", in place of {extract.replaced_rows:,}" if extract.replaced_rows else ""
    return f"{where}: extract {extract.extract_id}, {extract.kept:,} rows kept{replaced}."
