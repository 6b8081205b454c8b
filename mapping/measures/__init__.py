"""One file a measure.

A module here that declares `MEASURE`, or an entry point `wardwatch.measures` of an installed package that names one, is found
by every face.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from mapping.errors import NotFound, WardwatchError
from mapping.measures.base import ASKS, Area, Figures, Measure, Option, View

__all__ = ["ASKS", "Area", "Figures", "Measure", "Option", "View", "all_measures", "find_measure"]


@cache
def all_measures() -> dict[str, Measure]:
    """Every measure by id, in the order of `ASKS`; in it ours in the order of their names, then those of other packages.

    Raises
    ------
    WardwatchError
        If another package's is no measure, cannot be loaded, or takes the id of one that is there.
    """
    names = (info.name for info in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in sorted(names))
    found: dict[str, Measure] = {module.MEASURE.id: module.MEASURE for module in modules if hasattr(module, "MEASURE")}
    for entry in sorted(entry_points(group="wardwatch.measures"), key=lambda e: e.name):
        measure = _measure_of(entry)
        if measure.id in found:
            raise WardwatchError(f"The measure {entry.value} is called {measure.id}, as another is.", hint=_TAKE_OUT)
        found[measure.id] = measure
    return dict(sorted(found.items(), key=lambda each: list(ASKS).index(each[1].asks)))


_TAKE_OUT = "Uninstall its package, or correct it."


def _measure_of(entry: EntryPoint) -> Measure:
    try:
        measure = entry.load()
    except Exception as error:
        raise WardwatchError(f"The measure {entry.value} cannot be loaded: {error}", hint=_TAKE_OUT) from error
    if not isinstance(measure, Measure):
        raise WardwatchError(f"The entry point {entry.value} of wardwatch.measures is no Measure.", hint=_TAKE_OUT)
    return measure


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
