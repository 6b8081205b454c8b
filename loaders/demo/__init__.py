"""A made-up county, its wards in two vintages and seven years of timed incidents, with known stories planted in it.

The demo does not write to the store: it writes the files that suppliers would send, for the ordinary loaders.

- `chance` the one source of chance, the same on every machine
- `names` `shapes` `wards` `county` the map
- `model` `places` `times` `stories` `incidents` what happens on it
- `suppliers` `files` what arrives
"""

from loaders.demo.files import (
    SEED,
    DemoBoundaries,
    DemoExtract,
    DemoFiles,
    DemoGroups,
    DemoPopulation,
    boundaries_geojson,
    write_demo,
)
from loaders.demo.stories import STORIES, Story

__all__ = [
    "SEED", "STORIES", "DemoBoundaries", "DemoExtract", "DemoFiles", "DemoGroups", "DemoPopulation", "Story",
    "boundaries_geojson", "write_demo",
]  # fmt: skip
