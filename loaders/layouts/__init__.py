"""How suppliers arrange their extracts: one short TOML declaration each, ours beside this file, or a user's own."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from loaders.layouts.codes import SET_ASIDE
from loaders.layouts.declaration import Columns, Dates, Layout, type_key
from loaders.layouts.questions import unanswered
from mapping.errors import DataRefused, NotFound

__all__ = ["SET_ASIDE", "Columns", "Dates", "Layout", "built_in_layouts", "layout_text", "read_layout", "type_key"]


def built_in_layouts() -> dict[str, Layout]:
    """Ours, and those of entry points `wardwatch.layouts` (each gives the path of a TOML file)."""
    return {layout.name: layout for layout, _ in _built_in()}


@cache
def _built_in() -> list[tuple[Layout, Path]]:
    paths = [*_our_files().values(), *(Path(entry.load()) for entry in entry_points(group="wardwatch.layouts"))]
    return [(read_layout(path), path) for path in paths]


def layout_text(name: str) -> str:
    """The TOML file of a built-in layout.

    Raises
    ------
    NotFound
        If there is no such layout.
    """
    path = next((path for layout, path in _built_in() if layout.name == name), None)
    if path is None:
        raise NotFound(f"There is no layout '{name}'.", hint=f"Known: {', '.join(built_in_layouts())}.", value=name)
    return path.read_text(encoding="utf-8")


def read_layout(path: Path) -> Layout:
    """Read a layout file.

    `extends = "police-uk"` takes everything from that layout and adds to it.

    Raises
    ------
    DataRefused
        If it is not there, is no TOML, or does not say what a layout must.
    """
    try:
        text = path.read_text(encoding="utf-8")
        declared = tomllib.loads(text)
    except OSError as error:
        raise DataRefused(
            f"{path}: {error.strerror}.",
            hint=f"Give the path of a layout, or the name of one of: {', '.join(_our_files())}.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataRefused(f"{path}: is not TOML: {error}.", hint="docs/layouts.md shows a layout.") from error
    questions = unanswered(declared, text)
    if questions:
        raise DataRefused(
            f"{path}: it is not finished. It does not say yet:\n" + "\n".join(questions),
            hint="Write the answer between the quotation marks, or take the line out where it does not apply.",
        )
    try:
        return Layout.model_validate(_with_base(declared, path), context={"folder": path.parent})
    except ValidationError as error:
        faults = [".".join(str(part) for part in fault["loc"]) + ": " + _words(fault) for fault in error.errors()]
        raise DataRefused(
            f"{path}: " + "; ".join(f.removeprefix(": ") for f in faults) + ".",
            hint="docs/layouts.md says what a layout may hold.",
        ) from error


def _words(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    words = {"missing": "is missing", "extra_forbidden": "is not a word that layouts know"}
    words |= {"string_type": "is no text between quotation marks", "tuple_type": "is no list in square brackets"}
    return words.get(fault["type"], re.sub("^Value error, ", "", fault["msg"]))


def _our_files() -> dict[str, Path]:
    """The files of our layouts by name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def _with_base(declared: dict[str, Any], path: Path) -> dict[str, Any]:
    declared = _with_parts_among_columns(declared)
    base_name = declared.pop("extends", None)
    if base_name is None:
        return declared
    base = _our_files().get(str(base_name))
    if base is None:
        raise DataRefused(
            f"{path}: extends '{base_name}', which is not a layout of ours.", hint=f"Known: {', '.join(_our_files())}."
        )
    merged = tomllib.loads(base.read_text(encoding="utf-8"))
    said = declared.get("dates", {})
    if isinstance(said, dict) and ("format" in said or "formats" in said):
        # Beside the user's own formats those of the base would guess.
        merged["dates"] = {k: v for k, v in merged["dates"].items() if k not in ("format", "formats")}
    for key, value in declared.items():
        if isinstance(value, dict) and key in merged:
            merged[key] = {**merged[key], **value}
        elif key == "types" and isinstance(value, list):
            own = {t.get("id") for t in value if isinstance(t, dict)}
            merged[key] = [t for t in merged.get(key, []) if t["id"] not in own] + value
        else:
            merged[key] = value
    return merged


def _with_parts_among_columns(declared: dict[str, Any]) -> dict[str, Any]:
    """`[dates]` may also say which columns hold the parts of a date and its time."""
    dates = declared.get("dates", {})
    columns = declared.get("columns", {})
    if not isinstance(dates, dict) or not isinstance(columns, dict):
        return dict(declared)
    parts = {part: dates[part] for part in ("year", "month", "day", "time", "hour", "minute") if part in dates}
    if not parts:
        return dict(declared)
    rest = {key: value for key, value in dates.items() if key not in parts}
    return {**declared, "dates": rest, "columns": {**columns, **parts}}
