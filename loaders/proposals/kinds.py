"""What kind of incident: the column that says it, its words with how often each, and which of them are known here."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loaders.layouts import SET_ASIDE, built_in_layouts, type_key
from loaders.layouts.codes import CodeTable, code_tables, read_code_table
from loaders.proposals.words import rank
from mapping.vocabulary import BUILT_IN_CRIME_TYPES, CrimeType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loaders.proposals.profiles import Profile

__all__ = ["Kinds", "find_kinds"]

_MANY = 200
_MOST_LISTED = 500
_LONGEST_TYPE = 200  # characters
_CODE = re.compile(r"[A-Z]{0,3}[0-9][0-9A-Z./ -]{0,9}", re.IGNORECASE)
_WITH_LETTERS = re.compile(r".*[^\W\d_].*")
_COUNT_NAMES = {"count", "counts", "total", "incidents", "crimes", "number of crimes", "anzahl", "nombre", "aantal", "offences"}
_STREAMS = (
    ("fire", re.compile(r"\b(fires?|afa|incendie|brand|incendio|false alarm|special service|rtc)\b")),
    ("ambulance", re.compile(r"\b(ambulance|cardiac|chest pain|breathing|unconscious|falls?)\b")),
    ("stops", re.compile(r"\b(stop and search|person search|vehicle search)\b")),
)


@dataclass(slots=True)
class Kinds:
    """The column of crime types, the column it falls back to, a code table, and the words with rows and known type."""

    column: str = ""
    otherwise: str = ""
    codes: str = ""
    added: list[CrimeType] = field(default_factory=list)
    words: list[tuple[str, int, str]] = field(default_factory=list)
    more: int = 0
    why: list[str] = field(default_factory=list)
    question: str = ""
    stream: str = "incidents"
    stream_why: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    records_question: str = ""
    notes: list[str] = field(default_factory=list)


def find_kinds(profiles: Sequence[Profile], *, free: set[str], outcomes: bool) -> Kinds:
    """Find the column of crime types among those that are `free` of another role, and what its words mean.

    `outcomes` says that rows have a reference and an outcome: then they need no crime type, the incident has it.
    """
    kinds = Kinds()
    open_ = [p for p in profiles if p.name in free and p.distinct]
    coded = _coded(open_)
    named = sorted((r, p.distinct > _MANY, i, p) for i, p in enumerate(open_) if (r := rank(p.words, "crime_type")) is not None)
    likely = [(r + (60 if p.distinct > _MANY else 0) + (30 if _is_code(p) else 0), i, p) for r, _, i, p in named if _may_be(p)]
    likely.sort(key=lambda found: found[:2])
    if coded:
        _take_codes(kinds, coded, open_)
    elif likely:
        _take_words(kinds, [p for _, _, p in likely])
    elif not outcomes:
        _ask(kinds, open_, [p for _, _, _, p in named])
    else:
        kinds.stream, kinds.stream_why = "outcomes", "it has a reference and an outcome, and no kinds of incident"
    _add_marks(kinds, open_)
    _say_stream(kinds)
    _look_for_counts(kinds, profiles)
    return kinds


def _may_be(profile: Profile) -> bool:
    """Whether its texts repeat as names of kinds do."""
    return profile.mean_length <= _LONGEST_TYPE and (profile.distinct <= 30 or profile.distinct <= 0.5 * profile.filled)


def _is_code(profile: Profile) -> bool:
    return profile.share(_CODE) > 0.8


def _coded(profiles: Sequence[Profile]) -> list[tuple[Profile, str]]:
    """The columns whose texts a code table of ours knows, with its name; the best known first."""
    found: list[tuple[int, int, int, int, Profile, str]] = []
    words = _known_words()
    for name in code_tables():
        table = read_code_table(name, folder=Path())
        for profile in profiles:
            called = rank(profile.words, "code") is not None
            # Numbers alone are codes only where the header says so: other countries have theirs.
            if not called and (rank(profile.words, "crime_type") is None or profile.share(_WITH_LETTERS) < 0.5):
                continue
            texts = profile.texts.to_pylist() if profile.distinct <= 5000 else profile.sample
            rows = [int(n) for n in profile.counts] if profile.distinct <= 5000 else [1] * len(texts)
            known = sum(n for text, n in zip(texts, rows, strict=True) if text and table.find(text))
            ours = sum(n for text, n in zip(texts, rows, strict=True) if type_key(text) in words)
            if ours < known >= 0.8 * max(sum(n for text, n in zip(texts, rows, strict=True) if text), 1):
                found.append((profile.filled * -1, -known, rank(profile.words, "code") or 0, len(found), profile, name))
    return [(profile, name) for *_, profile, name in sorted(found, key=lambda f: f[:4])]


def _take_codes(kinds: Kinds, coded: list[tuple[Profile, str]], profiles: Sequence[Profile]) -> None:
    table_name = coded[0][1]
    same = [p for p, name in coded if name == table_name]
    chosen, opening = _closing_first(same)
    table = read_code_table(table_name, folder=Path())
    texts = list(zip(chosen.texts.to_pylist(), map(int, chosen.counts), strict=True))
    known = sum(n for text, n in texts if table.find(text))
    kinds.column, kinds.codes = chosen.name, table_name
    kinds.why.append(
        f"{known:,} of {chosen.rows:,} rows hold a code of the table '{table_name}' (`wardwatch layout codes {table_name}`)"
    )
    texts = _add_opening(kinds, chosen, opening, texts)
    _list_words(kinds, [(text, n) for text, n in texts if not table.find(text)])
    kinds.added = _types_of(table)
    found = {c.crime_type for t, _ in texts if (c := table.find(t))} - {SET_ASIDE}
    groups = {t.group for t in (*BUILT_IN_CRIME_TYPES, *kinds.added) if t.id in found}
    # Logs of all kinds in the stream of crimes would take the place of a month's crimes.
    kinds.stream = "crimes" if groups <= {"crime"} else "asb" if groups == {"asb"} else "incidents"
    kinds.stream_why = f"what the table '{table_name}' says of its codes"
    worded = [
        p.name
        for p in profiles
        if rank(p.words, "crime_type") is not None and p.name not in (chosen.name, *kinds.roles.values())
    ]
    if worded:
        kinds.notes.append("kinds of incident stand also in " + ", ".join(f"'{name[:40]}'" for name in worded[:5]))


def _types_of(table: CodeTable) -> list[CrimeType]:
    """The crime types of a table that are not built in, as our layouts that use it define them."""
    wanted = {code.crime_type for code in table.codes} - {SET_ASIDE} - {t.id for t in BUILT_IN_CRIME_TYPES}
    known = {t.id: t for layout in built_in_layouts().values() if layout.codes == table.name for t in layout.all_types}
    return [known[i] for i in known if i in wanted]


def _closing_first(profiles: list[Profile]) -> tuple[Profile, Profile | None]:
    """Of several columns the one that says what it was in the end, and the one that says what it seemed at first."""
    closing = next((p for p in profiles if {"closing", "close", "closed", "final"} & set(p.words)), None)
    opening = next((p for p in profiles if {"opening", "open", "opened", "initial"} & set(p.words)), None)
    chosen = closing or next((p for p in profiles if p is not opening), profiles[0])
    return chosen, opening if opening is not chosen else None


def _add_opening(kinds: Kinds, chosen: Profile, opening: Profile | None, texts: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Note the column of what it seemed at first. Where the chosen one is blank that one counts: its texts are listed too."""
    if opening is None:
        return texts
    kinds.roles["opening"] = opening.name
    if not chosen.blank:
        return texts
    kinds.otherwise = opening.name
    kinds.why.append(f"'{chosen.name[:40]}' is blank in {chosen.blank:,} rows: there '{opening.name[:40]}' counts")
    blank = chosen.at == chosen.texts.to_pylist().index("")
    counted = np.bincount(opening.at[blank], minlength=len(opening.texts))
    also = [(t, int(n)) for t, n in zip(opening.texts.to_pylist(), counted, strict=True) if n]
    return [(text, n) for text, n in texts if text] + also


def _take_words(kinds: Kinds, likely: list[Profile]) -> None:
    chosen, opening = likely[0], None
    if {"opening", "open", "closing", "close", "initial", "final"} & set(chosen.words):
        chosen, opening = _closing_first(likely)
    others = [p for p in likely if p is not chosen and p is not opening]
    kinds.column = chosen.name
    kinds.why.append(f"its name, and {chosen.distinct:,} different texts in {chosen.filled:,} rows")
    if chosen.distinct > _MANY:
        kinds.why.append(f"more than {_MANY} different texts: perhaps another column is meant")
    if others:
        shown = ", ".join(f"'{p.name[:40]}' ({p.distinct:,} different)" for p in others[:5])
        kinds.why.append(f"could also be {shown}")
    texts = list(zip(chosen.texts.to_pylist(), map(int, chosen.counts), strict=True))
    _list_words(kinds, _add_opening(kinds, chosen, opening, texts))


def _list_words(kinds: Kinds, texts: list[tuple[str, int]]) -> None:
    known = _known_words()
    rows: Counter[str] = Counter()
    written: dict[str, str] = {}
    for text, n in sorted(texts, key=lambda found: (-found[1], found[0])):
        key = type_key(text)
        rows[key] += n
        written.setdefault(key, text)
    listed = sorted(rows, key=lambda key: (-rows[key], key))
    kinds.words = [(written[key], rows[key], known.get(key, "")) for key in listed[:_MOST_LISTED]]
    kinds.more = max(len(listed) - _MOST_LISTED, 0)


def _known_words() -> dict[str, str]:
    """The crime type, of the built-in ones, of every name and id that is ours and stands for one only, by `type_key`."""
    built_in = {t.id for t in BUILT_IN_CRIME_TYPES}
    meant: dict[str, set[str]] = {}
    for name in code_tables():
        for code in read_code_table(name, folder=Path()).codes:
            meant.setdefault(type_key(code.name), set()).add(code.crime_type)
    known = {text: min(types) for text, types in meant.items() if len(types) == 1 and types <= built_in}
    known |= {type_key(text): crime_type for text, crime_type in built_in_layouts()["police-uk"].crime_types.items()}
    for crime_type in BUILT_IN_CRIME_TYPES:
        known[type_key(crime_type.name)] = crime_type.id
        known[type_key(crime_type.id)] = crime_type.id
        known[type_key(crime_type.id.replace("-", " "))] = crime_type.id
    return known


def _ask(kinds: Kinds, profiles: Sequence[Profile], named: list[Profile]) -> None:
    like = named or [p for p in profiles if 2 <= p.distinct <= 60 and p.distinct <= 0.5 * p.filled and p.mean_length > 3]
    shown = ", ".join(f"'{p.name[:40]}' ({p.distinct:,} different, as '{p.sample[0][:30]}')" for p in like[:6])
    kinds.question = "which column says what kind of incident it was? " + (
        f"Perhaps {shown}"
        if shown
        else 'If all rows are of one type, take this line out and write above [columns]: crime_type = "..."'
    )


def _add_marks(kinds: Kinds, profiles: Sequence[Profile]) -> None:
    """The class of anti-social behaviour and the mark of repeat victims, by name and by their texts."""
    for profile in profiles:
        texts = {type_key(text) for text in profile.sample}
        if "class" not in kinds.roles and texts and texts <= {"personal", "nuisance", "environmental"}:
            kinds.roles["class"] = profile.name
        if "repeat" in profile.words and profile.distinct <= 4:
            kinds.roles.setdefault("repeat_victim", profile.name)


def _say_stream(kinds: Kinds) -> None:
    if kinds.codes:
        return
    text = " ".join(type_key(word) for word, _, _ in kinds.words)
    types = {known for _, _, known in kinds.words if known}
    counted = sum(bool(known) for _, _, known in kinds.words)
    if types == {"anti-social-behaviour"}:
        kinds.stream, kinds.stream_why = "asb", "all types that are known are anti-social behaviour"
    elif types and counted * 2 >= len(kinds.words):
        both = "anti-social-behaviour" in types
        kinds.stream = "incidents" if both else "crimes"
        kinds.stream_why = f"{counted} of its {len(kinds.words)} types are known, as crimes" + (" and ASB" if both else "")
    else:
        for stream, pattern in _STREAMS:
            hits = set(pattern.findall(text))
            if len(hits) >= 2:
                kinds.stream, kinds.stream_why = stream, "its types speak of " + ", ".join(sorted(hits)[:3])


def _look_for_counts(kinds: Kinds, profiles: Sequence[Profile]) -> None:
    whole = re.compile(r"[0-9]{1,6}")
    for profile in profiles:
        if " ".join(profile.words) in _COUNT_NAMES and profile.share(whole) == 1:
            kinds.records_question = (
                f"is each row one incident? '{profile.name[:40]}' holds numbers, so these look like counts of areas. If each "
                'row is one, write "incidents"'
            )
