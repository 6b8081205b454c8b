"""What must hold at every point of a history of `tests/history.py`."""

from collections import Counter

from mapping.answers import Question, answer
from mapping.reader import Reader
from mapping.status import read_status
from mapping.vocabulary import Month
from tests.digest import read_tables
from tests.history import STREAMS


def stored_counts(tables):
    """Return the kept counts, and the same from scratch: each by set, source, month, ward and type."""
    name = {row["id"]: row["name"] for row in tables["boundary_set"]}
    source = {row["id"]: row["slug"] for row in tables["source"]}
    kind = {row["id"]: row["slug"] for row in tables["crime_type"]}
    code = {row["id"]: row["code"] for row in tables["ward"]}
    sender = {row["id"]: source[row["source_id"]] for row in tables["extract"]}
    kept = {
        (name[r["boundary_set_id"]], source[r["source_id"]], r["month"], code[r["ward_id"]], kind[r["crime_type_id"]]): r[
            "count"
        ]
        for r in tables["ward_month_count"]
    }
    again = Counter(
        (
            name[p["boundary_set_id"]],
            sender[i["extract_id"]],
            i["date"].replace(day=1),
            code[p["ward_id"]],
            kind[i["crime_type_id"]],
        )
        for i in tables["incident"]
        for p in tables["place_ward"]
        if p["place_id"] == i["place_id"]
    )
    return kept, again


def packed(tables):
    """Return how many incidents of each source, month, point and type the packed months hold."""
    source = {row["id"]: row["slug"] for row in tables["source"]}
    kind = {row["id"]: row["slug"] for row in tables["crime_type"]}
    point = {row["id"]: row["geom"] for row in tables["place"]} | {0: None}
    found = Counter()
    for row in tables["month_places"]:
        places, types = (memoryview(row[name]).cast("i") for name in ("place_ids", "crime_type_ids"))
        found.update((source[row["source_id"]], row["month"], point[p], kind[t]) for p, t in zip(places, types, strict=True))
    return found


def packed_totals(tables):
    """Return the same by source, month and type."""
    found = Counter()
    for (source, month, _, kind), number in packed(tables).items():
        found[source, month, kind] += number
    return found


def check_pointers(tables):
    """Nothing points at what is not there, and no row is both counted and held."""
    ids = {name: {row["id"] for row in rows if "id" in row} for name, rows in tables.items()}
    current = {row["extract_id"] for row in tables["supplied_window"]}
    current |= {row["id"] for row in tables["extract"] if row["kind"] == "changes" and row["withdrawn_at"] is None}
    targets = {
        "place_id": "place",
        "crime_type_id": "crime_type",
        "ward_id": "ward",
        "boundary_set_id": "boundary_set",
        "source_id": "source",
        "load_id": "load",
        "extract_id": "extract",
        "status_id": "phrase",
    }
    for name, rows in tables.items():
        for row in rows:
            for column, target in targets.items():
                assert row.get(column) is None or row[column] in ids[target], (name, row)
    assert {row["extract_id"] for row in tables["incident"] + tables["held_incident"]} <= current
    assert not ids["incident"] & ids["held_incident"]


def check_status(story):
    """Every row is told of, and what `status` says adds up."""
    status = read_status(story.engine, open_only=False)
    counting = story.counting()
    for source in status["sources"]:
        assert source["read"] == source["kept"] + source["set_aside"] + source["rejected"]
        assert source["repaired"] <= source["kept"] == sum(month["kept"] for month in source["months"])
        assert source["kept"] == sum(STREAMS[stream] == source["id"] for stream, _ in counting)
    told = sum(source[why] for source in status["sources"] for why in ("superseded", "cancelled", "waiting"))
    assert told == len(story.base) + sum(map(len, story.amending.values())) - len(counting)
    nowhere = sum(source["without_coordinates"] for source in status["sources"])
    assert nowhere == sum(row.point is None for _, row in counting)
    for found in status["boundary_sets"]:
        assert len(counting) == found["in_ward"] + found["outside"] + nowhere


def check_alterations(story, before, supplied):
    """What the last load is said to have altered is what it altered in months that its stream had supplied."""
    reader = Reader(story.engine, open_only=False)
    said = reader.alterations()
    after = story.totals()
    told = {(r["source"], Month.parse(r["month"]).first, r["crime_type"]): (r["before"], r["after"]) for r in said["rows"]}
    for key, numbers in told.items():
        assert numbers == (before[key], after[key])
    altered = {key for key in before | after if before[key] != after[key] and (key[0], key[1]) in supplied}
    assert altered <= set(told)
    assert all(r["before"] - r["gone"] + r["added"] == r["after"] for r in said["rows"])


def supplied_months(story):
    """Return source and first day of each month that is covered, whole or in part."""
    return {
        (STREAMS[stream], Month.from_index(i).first)
        for stream, first, last, *_ in story.windows
        for i in range(Month.of(first).index, Month.of(last).index + 1)
    }


def check_holes(story):
    """No figure over days that were not supplied passes for a whole one, and the ledger names what it stands on."""
    reader = Reader(story.engine, open_only=False)
    for stream, source in STREAMS.items():
        mine = [w for w in story.windows if w[0] == stream]
        for month in (Month(2024, 1), Month(2024, 2)):
            overlap = [w for w in mine if w[1] <= month.last and w[2] >= month.first]
            covered = sum((min(w[2], month.last) - max(w[1], month.first)).days + 1 for w in overlap)
            question = Question(source=source, first=month, last=month, boundaries="set-a")
            if covered == month.last.day or not any(s.id == source for s in reader.catalogue().sources):
                continue
            for measure in ("count", "rate"):
                found = answer(reader, measure, question)
                assert all(row["status"] != "ok" for row in found.rows)
                assert covered or all(row["value"] is None for row in found.rows)
            if mine:
                amending = set(story.amending) if stream == "calls" else set()
                assert found.meta["extracts"] == sorted({w[3] for w in overlap} | amending)


def check(story):
    """Look at all that must hold after every step."""
    tables = read_tables(story.url)
    kept, again = stored_counts(tables)
    assert kept == again == story.expected()
    assert Counter({key: n for key, n in packed_totals(tables).items() if n}) == story.totals()
    check_pointers(tables)
    check_status(story)
    return tables
