"""What a change of filter and the first page cost: run in a process of its own on the store of the environment.

serving.py MAP.html     the map that the same county makes by hand
"""

import gzip
import itertools
import re
import statistics
import sys
import time
from pathlib import Path

from flask.testing import FlaskClient

from app import create_app

GZIP = {"Accept-Encoding": "gzip"}
ROUNDS = 5


def get(client: FlaskClient, address: str) -> tuple[float, bytes]:
    """Milliseconds in the server, and the body as it travels."""
    started = time.perf_counter()
    answer = client.get(address, headers=GZIP)
    milliseconds = 1000 * (time.perf_counter() - started)
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status}: {answer.get_data(as_text=True)[:500]}")
    return milliseconds, answer.data


def changes(client: FlaskClient) -> list[str]:
    """Return what the explorer asks for when filters change: measures, crime types, periods and a district in every mix."""
    latest = client.get("/api/v1/coverage").get_json()["meta"]["data_as_of"]
    types = [row["id"] for row in client.get("/api/v1/crime-types").get_json()["rows"]]
    wards = client.get("/api/v1/wards").get_json()["features"]
    districts = ["", "&district=" + wards[0]["properties"]["district_code"]]
    measures = [row["id"] for row in client.get("/api/v1/measures").get_json()["rows"]]
    periods = ["", f"&from={latest}&to={latest}"]
    mixes = itertools.product(measures, ["all", "crime", *types], periods, districts)
    return [f"/api/v1/measures/{m}?view=explorer&crime_type={t}{p}{d}" for m, t, p, d in mixes]


def first_page(client: FlaskClient) -> int:
    """Return the bytes of the explorer and of everything that it is drawn with."""
    _, page = get(client, "/")
    text = gzip.decompress(page).decode()
    parts = dict.fromkeys(re.findall(r'"(/(?:assets|shapes|maps)/[^"]+)"', text))
    if not any(part.startswith("/shapes/") for part in parts):
        raise RuntimeError("the page names no shapes")
    return len(page) + sum(len(get(client, part)[1]) for part in parts)


def main(map_file: str) -> None:
    """Measure, and print each figure as `name=figure`."""
    client = create_app().test_client()
    first_ms, _ = get(client, "/")
    asked = changes(client)
    found = [get(client, address) for _ in range(ROUNDS) for address in asked]
    times, sizes = [ms for ms, _ in found], [len(body) for _, body in found]
    by_hand = Path(map_file).read_bytes()
    print(
        f"requests={len(found)} median_ms={statistics.median(times):.2f} p95_ms={statistics.quantiles(times, n=20)[-1]:.2f} "
        f"first_ms={first_ms:.0f} median_bytes={statistics.median(sizes):.0f} largest_bytes={max(sizes)} "
        f"page_bytes={first_page(client)} by_hand_bytes={len(by_hand)} by_hand_gzip_bytes={len(gzip.compress(by_hand))}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
