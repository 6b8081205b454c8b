"""Names of the made-up county. Composed for it: no ward, town or street here stands for a real one."""

from typing import NamedTuple

__all__ = [
    "COUNTY", "DISTRICTS", "OUTLINE_KM", "STREET_FIRST", "STREET_LAST", "TOWNS", "VILLAGE_FIRST", "VILLAGE_LAST",
    "District", "Town", "TownWard",
]  # fmt: skip

COUNTY = "Marlingshire"


class TownWard(NamedTuple):
    """A ward of a town and what it is like: a kind of `model.KINDS`."""

    name: str
    kind: str


class Town(NamedTuple):
    """A town: the discs it is built on (x, y, radius in km from the county's corner) and its wards, centre first."""

    name: str
    district: int
    built: tuple[tuple[float, float, float], ...]
    wards: tuple[TownWard, ...]


class District(NamedTuple):
    """A district and the names of its rural wards."""

    name: str
    rural: tuple[str, ...]


# The county's edge, in km from its south-western corner.
OUTLINE_KM = (
    (5, 9), (11, 5), (19, 6), (27, 3), (35, 5), (43, 4), (49, 10), (48, 19), (49, 27),
    (43, 34), (36, 34), (30, 40), (22, 38), (14, 40), (6, 36), (7, 28), (2, 21),
)  # fmt: skip

DISTRICTS = (
    District("Marling", ("Aldmere and Tewley", "Cold Harding", "Dunsmere", "Wyckton Vale")),
    District("Kelsworth", ("Brockhurst Weir", "Elvenham", "Hamblecote and Orton Fold", "Saltersley", "Thornwick Dale")),
    District(
        "East Marlingshire",
        (
            "Ashcotley", "Barrowfold", "Fenny Marholm", "Great Tarsley", "Larkhurst & Pellow", "Oxenbourne",
            "Quarley Hatch", "Winterholme",
        ),
    ),
    District(
        "Vale of Wex",
        (
            "Bramblecote", "Chalverstone", "Drayford Magna", "Hollowmead & Wexham Bassett", "Kingsfold", "Madderley",
            "Nether Wex", "Stanholt", "Upper Wexdale",
        ),
    ),
)  # fmt: skip

TOWNS = (
    Town(
        "Marling", 0, ((23.0, 19.5, 2.1), (25.6, 21.0, 1.6)),
        (
            TownWard("Marling Central", "hub"), TownWard("Beacon Hill", "suburb"), TownWard("Castle Mead", "inner"),
            TownWard("Hollins", "estate"), TownWard("Lodge Park", "suburb"), TownWard("Millfields", "estate"),
            TownWard("Newgate", "inner"), TownWard("Priory", "inner"), TownWard("Queensway", "estate"),
            TownWard("Riverside", "suburb"), TownWard("St Mary's", "inner"),
        ),
    ),
    Town(
        "Kelsworth", 1, ((37.5, 11.5, 1.8), (39.3, 13.2, 1.5)),
        (
            TownWard("Kelsworth Town", "centre"), TownWard("Foundry", "inner"), TownWard("Highfield", "suburb"),
            TownWard("Parklands", "suburb"), TownWard("St Mary's", "inner"), TownWard("Tanyard", "estate"),
            TownWard("Victoria", "inner"), TownWard("Wharfside", "estate"),
        ),
    ),
    Town(
        "Orminster", 2, ((30.5, 33.0, 1.25),),
        (
            TownWard("Orminster Chantry", "market"), TownWard("Orminster Cloisters", "suburb"),
            TownWard("Orminster St Giles", "suburb"),
        ),
    ),
    Town(
        "Harnbury", 2, ((41.5, 25.5, 1.2), (42.6, 24.6, 0.8)),
        (
            TownWard("Harnbury Bridge", "market"), TownWard("Harnbury Common", "suburb"),
            TownWard("Harnbury Whitegate", "estate"),
        ),
    ),
    Town(
        "Tolsham", 3, ((13.0, 31.0, 1.7), (14.6, 30.0, 1.1)),
        (
            TownWard("Tolsham Market", "centre"), TownWard("Tolsham Abbey", "inner"),
            TownWard("Tolsham Heath", "suburb"), TownWard("Tolsham Larkfield", "estate"),
            TownWard("Tolsham Meads", "suburb"), TownWard("Tolsham Rope Walk", "inner"),
        ),
    ),
    Town(
        "Wexbourne", 3, ((11.5, 12.5, 1.5), (12.8, 13.8, 1.1)),
        (
            TownWard("Wexbourne Castle", "market"), TownWard("Wexbourne Hillside", "suburb"),
            TownWard("Wexbourne Mill", "estate"), TownWard("Wexbourne Orchard", "suburb"),
            TownWard("Wexbourne Spittal", "inner"),
        ),
    ),
)  # fmt: skip

VILLAGE_FIRST = (
    "Ald", "Barn", "Brin", "Cot", "Dray", "Elm", "Fal", "Gar", "Hax", "Ing", "Kel", "Lam", "Mar", "Nor", "Os", "Pel",
    "Rad", "Scar", "Tew", "Ulf", "Wag", "Wil", "Yar",
)  # fmt: skip
VILLAGE_LAST = ("bourne", "by", "combe", "cote", "den", "fold", "ham", "holt", "hurst", "ley", "mere", "thorpe", "ton", "wick")

STREET_FIRST = (
    "Abbot's", "Alder", "Ash", "Baker", "Beech", "Birch", "Bridge", "Brook", "Canal", "Cedar", "Chapel", "Cherry",
    "Church", "Clay", "College", "Cromer", "Dene", "Drover's", "Elm", "Farm", "Field", "Fuller", "Garden", "George",
    "Glebe", "Grange", "Green", "Hawthorn", "Hazel", "Heron", "Hill", "Holly", "Kiln", "King's", "Laburnum", "Larch",
    "Lime", "Maple", "Manor", "Meadow", "Mill", "Nelson", "New", "Oak", "Orchard", "Park", "Poplar", "Prospect",
    "Quarry", "Queen", "Rectory", "Rose", "Rowan", "School", "Spring", "Station", "Sycamore", "Tanner", "Union",
    "Vicarage", "Water", "Weaver", "Well", "Willow", "Windmill", "Yew Tree",
)  # fmt: skip
STREET_LAST = ("Avenue", "Close", "Court", "Crescent", "Drive", "Gardens", "Lane", "Place", "Rise", "Road", "Street", "Way")
