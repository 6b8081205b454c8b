"""How few wards and places hold half of it: counted by hand, over the command line and the API."""

import json

import pytest

from tests.county import visitor
from tests.tiny import ASB, BOTH_ENGINES, BURGLARY, CLOCK, NE, NW, SE, SW, county_on, write_street

ELSEWHERE = (NW[0] + 100, NW[1])


@pytest.fixture(scope="module", params=BOTH_ENGINES)
def county(request, tmp_path_factory):
    """Give a store of burglaries at six places: 10 + 2 in the north-west, 3, 2, 1 elsewhere; and a place with ASB alone."""
    folder = tmp_path_factory.mktemp("concentration")
    at = {NW: 10, ELSEWHERE: 2, SW: 3, NE: 2, (NE[0] + 50, NE[1]): 0, SE: 1}
    rows = [(BURGLARY, point) for point, number in at.items() for _ in range(number)] + [(ASB, (NE[0] + 50, NE[1]))]
    with county_on(request.param, request, folder, incidents=[write_street(folder, "2024-01", rows)]) as county:
        yield county


def asked(county, path):
    with visitor(county.url) as client:
        return client.get(f"/api/v1/concentration{path}").get_json()


def test_half_of_it_is_in_one_ward_and_at_one_place(county):
    wards, places = asked(county, "?crime_type=burglary")["rows"]

    assert (wards["level"], wards["number"], wards["incidents"], wards["holding_half"], wards["share"]) == (
        "wards",
        4,
        18,
        1,
        0.25,
    )
    # Of 12, 3, 2 and 1 in order of size, G = 2 (1 x 1 + 2 x 2 + 3 x 3 + 4 x 12) / (4 x 18) - 5 / 4.
    assert wards["gini"] == pytest.approx(2 * 62 / 72 - 1.25)
    # The place that ever had anything counts, the one with ASB alone too; the ten at one place are more than half of 18.
    assert (places["level"], places["number"], places["holding_half"]) == ("places", 6, 1)
    # Fewer places than incidents: the generalised coefficient is the plain one.
    assert places["generalised_gini"] == pytest.approx(places["gini"])
    asked_for = "burglary, January 2024; Tiny Constabulary"
    assert wards["sentence"] == (f"Half of 18 incidents are in 1 of 4 wards (25.0%; {asked_for}). Gini 0.47, generalised 0.47.")


def test_fewer_incidents_than_places_cannot_be_evenly_spread(county):
    places = asked(county, "?crime_type=anti-social-behaviour")["rows"][1]

    # One incident at one of six places: G = 5/6, G' = 6 (G - 1) + 1 = 0.
    assert places["gini"] == pytest.approx(5 / 6)
    assert places["generalised_gini"] == pytest.approx(0)


def test_nothing_is_said_so(county):
    for row in asked(county, "?crime_type=drugs")["rows"]:
        assert (row["holding_half"], row["gini"]) == (None, None)
        assert row["sentence"].startswith("Nothing recorded in any of ")


def test_missing_months_are_named(county):
    for row in asked(county, "?crime_type=burglary&from=2023-12&to=2024-01")["rows"]:
        assert "Not supplied: tiny-constabulary December 2023" in row["sentence"]


def test_the_command_prints_the_same(county, invoke):
    printed = invoke("concentration", "--crime-type", "burglary", "--format", "json", store=county.url, env=CLOCK).stdout

    assert json.loads(printed)["rows"] == asked(county, "?crime_type=burglary")["rows"]
