"""One file a measure.

A module here that declares `MEASURE`, or an entry point `wardwatch.measures` of an installed package that names one, is found
by every face.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from mapping.errors import NotFound
from mapping.measures.base import Area, Figures, Measure, Option, View

__all__ = ["Area", "Figures", "Measure", "Option", "View", "all_measures", "find_measure"]


@cache
def all_measures() -> dict[str, Measure]:
    """Every measure by id: ours in the order of their names, then those of other packages."""
    names = (info.name for info in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in sorted(names))
    found: list[Measure] = [module.MEASURE for module in modules if hasattr(module, "MEASURE")]
    found += [entry.load() for entry in sorted(entry_points(group="wardwatch.measures"), key=lambda e: e.name)]
    return {measure.id: measure for measure in found}


def find_measure(measure_id: str) -> Measure:
    """The measure of an id.

    Raises
    ------
    NotFound
        If there is none.
    """
    measures = all_measures()
    if measure_id not in measures:
        raise NotFound(
            f"There is no measure '{measure_id}'.",
            hint="Known: " + ", ".join(measures) + ".",
            parameter="measure",
            value=measure_id,
        )
    return measures[measure_id]
