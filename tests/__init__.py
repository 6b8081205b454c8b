"""The tests, and what they stand on: machine, cluster, browser and server, made into fixtures by conftest."""
