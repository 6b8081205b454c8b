"""What is loaded and what is missing: the facts of `wardwatch status` and of the page of data."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mapping.denominators import KINDS, list_denominators
from mapping.judging import judging_lines, read_judging
from mapping.ledger import current_extracts
from mapping.outcomes import count_outcomes
from mapping.reader import Reader
from mapping.store import reading
from mapping.store.models import (
    Extract,
    ExtractFile,
    HeldIncident,
    Incident,
    IssueRow,
    PlaceWard,
    Source,
    WardMonthCount,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from mapping.counts import Supply
    from mapping.coverage import Coverage

__all__ = ["alteration_lines", "read_status", "status_lines"]

HELD = ("superseded", "cancelled", "waiting")
"""Why rows that were kept do not count now."""


def read_status(engine: Engine, *, open_only: bool) -> dict[str, Any]:
    """The dictionary of `wardwatch status --format json`.

    Of each source, read = kept + set_aside + rejected, and kept = in wards + outside + without coordinates: of what is in
    the store now, so rows of extracts that later ones replaced are not among them. Among those set aside are the rows that do
    not count because of extracts of changes: `superseded`, `cancelled` and `waiting`. Outcomes are none of these rows:
    `outcomes` says how many there are, and how many are joined to a crime of the same source.
    """
    reader = Reader(engine, open_only=open_only)
    catalogue = reader.catalogue()
    latest = catalogue.coverage.latest
    denominators = [
        row for s in catalogue.boundary_sets for row in list_denominators(reader.denominators(catalogue, s), s.name)
    ]
    with reading(engine) as connection:
        sources = [_source(connection, s.id, s.name, s.access) for s in catalogue.sources]
        sent = catalogue.coverage.by_source()
        for source in sources:
            source["months"] = _months(sent[source["id"]]) if source["id"] in sent else []
            source["area_counts"] = sum(
                month.rows
                for stream in catalogue.coverage.of(sources=[source["id"]]).streams
                for month in stream.months.values()
                if stream.records == "area-counts"
            )
        visible = {s.id for s in catalogue.sources}
        return {
            "boundary_sets": [
                {
                    "name": s.name,
                    "kind": s.kind,
                    "effective": str(s.effective) if s.effective else None,
                    "wards": len(s.wards),
                    **_placed(connection, s.id, visible),
                    "area_counts": [_supplied(supply) for supply in reader.supplies(catalogue, s)],
                }
                for s in catalogue.boundary_sets
            ],
            "population": [
                {"boundaries": d["boundaries"], "year": d["year"], "residents": round(d["total"])}
                for d in denominators
                if d["kind"] == "residents"
            ],
            "denominators": denominators,
            "judging": read_judging(connection, visible),
            "sources": sources,
            "extracts": _extracts(connection, visible),
            "data_as_of": str(latest) if latest else None,
            "data_version": catalogue.data_version,
        }


def _placed(connection: Connection, set_id: int, sources: set[str]) -> dict[str, int]:
    mine = WardMonthCount.source_id.in_(select(Source.id).where(Source.slug.in_(sources)))
    in_ward, hit = connection.execute(
        select(func.coalesce(func.sum(WardMonthCount.count), 0), func.count(WardMonthCount.ward_id.distinct())).where(
            WardMonthCount.boundary_set_id == set_id, mine
        )
    ).one()
    outside = connection.scalar(
        select(func.count())
        .select_from(Incident)
        .join(Extract, Extract.id == Incident.extract_id)
        .join(Source, Source.id == Extract.source_id)
        .outerjoin(PlaceWard, (PlaceWard.place_id == Incident.place_id) & (PlaceWard.boundary_set_id == set_id))
        .where(Incident.place_id.is_not(None), PlaceWard.ward_id.is_(None), Source.slug.in_(sources))
    )
    return {"wards_with_incidents": int(hit), "in_ward": int(in_ward), "outside": int(outside or 0)}


def _supplied(supply: Supply) -> dict[str, str | None]:
    """How a source's counts of areas come onto a set; no `weighted_by` where no lookup leads there."""
    by = "exact" if supply.weighted_by == "" else supply.weighted_by
    return {"source": supply.source, "stream": supply.stream, "areas": supply.areas, "weighted_by": by}


def _source(connection: Connection, slug: str, name: str, access: str) -> dict[str, Any]:
    mine = select(Extract.id).join(Source, Source.id == Extract.source_id).where(Source.slug == slug)
    current = mine.where(Extract.id.in_(current_extracts()))
    of_incidents = current.where(Extract.records == "incidents")
    held = dict(
        connection.execute(
            select(HeldIncident.why, func.count()).where(HeldIncident.extract_id.in_(mine)).group_by(HeldIncident.why)
        ).all()
    )
    kept, located = connection.execute(
        select(func.count(), func.count(Incident.place_id)).where(Incident.extract_id.in_(mine))
    ).one()
    set_aside, rejected = connection.execute(
        select(func.coalesce(func.sum(Extract.rows_set_aside), 0), func.coalesce(func.sum(Extract.rows_rejected), 0)).where(
            Extract.id.in_(of_incidents)
        )
    ).one()
    repaired = connection.scalar(
        select(func.count(IssueRow.incident_id.distinct()))
        # Of a window that was replaced the numbers are free again: another extract's row may bear one.
        .join(Incident, (Incident.id == IssueRow.incident_id) & (Incident.extract_id == IssueRow.extract_id))
        .where(IssueRow.outcome == "repaired", IssueRow.extract_id.in_(current))
    )
    streams = connection.scalars(
        select(Extract.stream).where(Extract.id.in_(current)).distinct().order_by(Extract.stream)
    ).all()
    return {
        "id": slug,
        "name": name,
        "access": access,
        "streams": list(streams),
        "read": int(kept) + int(set_aside) + sum(held.values()) + int(rejected),
        "kept": int(kept),
        "repaired": int(repaired or 0),
        "set_aside": int(set_aside) + sum(held.values()),
        **{why: held.get(why, 0) for why in HELD},
        "rejected": int(rejected),
        "without_coordinates": int(kept) - int(located),
        "area_counts": 0,
        "outcomes": count_outcomes(connection, slug),
        "months": [],
    }


def _months(sent: Coverage) -> list[dict[str, Any]]:
    """The months of a source, from the first to the last that it ever supplied."""
    rows = []
    for month in sent.known or ():
        found = [stream.at(month) for stream in sent.counting]
        kept, normal = sum(f.rows for f in found), [f.normal for f in found]
        rows.append(
            {
                "month": str(month),
                "status": sent.status(month),
                "kept": kept,
                "share": kept / sum(n for n in normal if n) if all(normal) else None,
                "reason": sent.reason(month),
            }
        )
    return rows


def _extracts(connection: Connection, sources: set[str]) -> list[dict[str, Any]]:
    files: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(ExtractFile).order_by(ExtractFile.extract_id, ExtractFile.position)):
        files[row.extract_id].append(row)
    current = set(connection.scalars(current_extracts()))
    rows = connection.execute(
        select(Extract, Source.slug)
        .join(Source, Source.id == Extract.source_id)
        .where(Source.slug.in_(sources))
        .order_by(Extract.id)
    )
    return [
        {
            "id": row.id,
            "source": row.slug,
            "stream": row.stream,
            "kind": row.kind,
            "from": str(row.date_from),
            "to": str(row.date_to),
            "as_of": str(row.as_of) if row.as_of else None,
            "files": [file.name for file in files[row.id]],
            "sha256": [file.sha256 for file in files[row.id]],
            "loaded_at": row.loaded_at.isoformat(),
            "current": row.id in current,
        }
        for row in rows
    ]


def _since(boundary_set: dict[str, Any]) -> str:
    return f", in force since {boundary_set['effective']}" if boundary_set["effective"] else ""


def _ways(found: dict[str, Any], source: str) -> str:
    """In words how a source's counts of areas come onto each set."""
    led = [(on["name"], s) for on in found["boundary_sets"] for s in on["area_counts"] if s["source"] == source]
    how = {"exact": "exact", None: "not, for want of a lookup"}
    said = dict.fromkeys(f"{s['areas']} on {name} " + how.get(s["weighted_by"], f"by {s['weighted_by']}") for name, s in led)
    return "; ".join(said) or "no boundary set is loaded"


def status_lines(found: dict[str, Any]) -> list[str]:
    """The facts of `read_status` as they are printed."""
    lines = [f"Data as of {found['data_as_of'] or 'nothing yet'}, version {found['data_version']}."]
    lines += [
        f"Boundary set {s['name']} ({s['kind']}{_since(s)}): {s['wards']:,} areas, {s['wards_with_incidents']:,} with "
        f"incidents; {s['in_ward']:,} incidents in one, {s['outside']:,} outside."
        for s in found["boundary_sets"]
    ]
    lines += [
        f"{kind.name} of {d['boundaries']}, {kind.year_word}{d['year']}: {d['total']:,.0f} ({d['file']})."
        for d in found["denominators"]
        for kind in (KINDS[d["kind"]],)
    ]
    lines += judging_lines(found["judging"])
    for source in found["sources"]:
        lines.append(
            f"Source {source['id']} ({source['name']}, {source['access']}; {', '.join(source['streams'])}): "
            f"{source['read']:,} rows "
            f"read, {source['kept']:,} kept ({source['repaired']:,} repaired, {source['without_coordinates']:,} without "
            f"coordinates), {source['set_aside']:,} set aside, {source['rejected']:,} rejected."
        )
        if any(source[why] for why in HELD):
            lines.append("  Set aside by changes: " + ", ".join(f"{source[why]:,} {why}" for why in HELD) + ".")
        if source["area_counts"]:
            lines.append(f"  {source['area_counts']:,} incidents more as counts of areas: {_ways(found, source['id'])}.")
        if source["outcomes"]["rows"]:
            rows, joined = source["outcomes"]["rows"], source["outcomes"]["joined"]
            lines.append(f"  Outcomes: {rows:,}, of which {joined:,} belong to a crime that is loaded.")
        months = source["months"]
        if months:
            holes = [f"{m['month']} {m['status']} ({m['reason']})" for m in months if m["status"] != "supplied"]
            lines.append(
                f"  {months[0]['month']} to {months[-1]['month']}; "
                + (f"missing: {', '.join(holes)}." if holes else "no month missing.")
            )
    current = [e for e in found["extracts"] if e["current"]]
    lines.append(f"{len(found['extracts'])} extracts in the ledger, {len(current)} of them current:")
    lines += [
        f"  {e['id']}: {e['source']} {e['stream']} {'changes, ' if e['kind'] == 'changes' else ''}{e['from']} to {e['to']}, "
        f"{', '.join(e['files'][:2])}"
        for e in current
    ]
    return lines


def alteration_lines(found: dict[str, Any] | None) -> list[str]:
    """What the last load altered, as it is printed."""
    if found is None:
        return ["No load is recorded yet."]
    lines = [f"Last load, {found['done_at'].replace('T', ' ')[:16]}: {found['what']}."]
    if not found["rows"]:
        return [*lines, "It altered nothing in months that were supplied before it."]
    lines.append("In months that were supplied before it, it altered:")
    return lines + [
        f"  {row['source']} {row['month']} {row['crime_type']}: {row['before']:,} before, {row['after']:,} now "
        f"({row['gone']:,} gone, {row['added']:,} added)"
        for row in found["rows"]
    ]
