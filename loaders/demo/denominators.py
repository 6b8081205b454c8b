"""Households, workday population and premises of the made-up wards: from who lives there, and what the ward is like."""

from loaders.demo.county import County
from loaders.demo.wards import Ward

__all__ = ["GIVEN", "given_number"]

GIVEN = {
    "residents": (2020, 2022, 2024),
    # Not in every year, as a census: 2022 lies between.
    "households": (2020, 2024),
    "workday": (2024,),
    "premises": (2024,),
}
"""The years that each kind is given for."""

# By kind of ward (`model.KINDS`). The centre of a town lives from those who come in by day: per resident it leads the county,
# per person there on a working day it does not.
PEOPLE_IN_100_HOUSEHOLDS = {
    "hub": 178, "centre": 188, "market": 208, "inner": 222, "estate": 241, "suburb": 246, "village": 238,
}  # fmt: skip
BY_DAY_OF_100_RESIDENTS = {
    "hub": 520, "centre": 330, "market": 165, "inner": 92, "estate": 68, "suburb": 74, "village": 79,
}  # fmt: skip
PREMISES_OF_100_HOUSEHOLDS = {
    "hub": 165, "centre": 145, "market": 124, "inner": 106, "estate": 103, "suburb": 104, "village": 112,
}  # fmt: skip


def given_number(county: County, ward: Ward, what: str, *, year: int) -> int:
    """Return how many residents, households ... `ward` has in `year`: whole numbers, so that every machine writes the same."""
    residents = county.residents(ward, year=year)
    if what == "workday":
        return residents * BY_DAY_OF_100_RESIDENTS[ward.kind] // 100
    households = residents * 100 // PEOPLE_IN_100_HOUSEHOLDS[ward.kind]
    premises = households * PREMISES_OF_100_HOUSEHOLDS[ward.kind] // 100
    return {"residents": residents, "households": households, "premises": premises}[what]
