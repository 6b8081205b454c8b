"""What the figures of the demo county for one screen cost in the server: a change of filter by measure, and a ward's page.

county.py FOLDER        to make the county's store in
"""

import statistics
import sys
from pathlib import Path

from app import create_app
from loaders.demo.fill import fill_demo
from mapping.settings import Settings
from tests.benchmarks.serving import get

ROUNDS = 15


def main(folder: str) -> None:
    """Measure, and print each median as `name=milliseconds`."""
    path = Path(folder) / "demo.db"
    fill_demo(path)
    client = create_app(Settings(database_url=f"sqlite:///{path}")).test_client()
    measures = [row["id"] for row in client.get("/api/v1/measures").get_json()["rows"]]
    wards = client.get("/api/v1/measures/count").get_json()["rows"]
    asked = {measure: f"/api/v1/measures/{measure}?view=explorer&crime_type=burglary" for measure in measures}
    asked["panel"] = f"/wards/demo25/{wards[0]['ward_code']}?view=panel&crime_type=burglary"
    times = {}
    for name, address in asked.items():
        get(client, address)
        times[name] = statistics.median(get(client, address)[0] for _ in range(ROUNDS))
    slowest = max(measures, key=lambda measure: times[measure])
    print(
        " ".join(
            [*(f"{name}={ms:.1f}" for name, ms in times.items()), f"slowest={slowest}", f"slowest_ms={times[slowest]:.1f}"]
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
