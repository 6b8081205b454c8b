"""How long things take, each beside what a user would write by hand: `make bench`."""
