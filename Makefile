# wardwatch: a fresh clone needs git, make and Python 3.11, nothing else.
PORT ?= 8000
PYTEST_ARGS ?=
BENCH_ARGS ?=
CALIBRATE_ARGS ?=
BIN := .venv/bin
CODE := commands mapping loaders web app.py cli.py

.PHONY: help demo test lint bench calibrate backtest soak clean environment dev-environment

help:  ## Say what can be typed here
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile

demo: environment  ## Serve the made-up county on http://127.0.0.1:8000: make demo PORT=8001
	$(BIN)/wardwatch demo --port $(PORT)

test: lint  ## Run every check and test, on both engines and in a browser: make test PYTEST_ARGS="-k places"
	$(BIN)/python tests/machine.py
	$(BIN)/pytest $(PYTEST_ARGS)

lint: dev-environment  ## Run the checks that need no test: ruff, mypy, import-linter
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict $(CODE)
	$(BIN)/lint-imports

bench: dev-environment  ## Measure loading, counting and serving beside the same by hand: make bench BENCH_ARGS="--only postgis"
	$(BIN)/python tests/machine.py
	$(BIN)/python -m tests.benchmarks $(BENCH_ARGS)

calibrate: dev-environment  ## Write docs/calibration.md anew: how often the measures are wrong: make calibrate CALIBRATE_ARGS="--seeds 50"
	$(BIN)/python -m tests.calibration $(CALIBRATE_ARGS)

backtest: dev-environment  ## Hold the last 12 months of your store to what came before them
	$(BIN)/python -m tests.calibration.backtest

soak: dev-environment  ## Run the long tests that `make test` leaves out
	$(BIN)/python tests/machine.py
	$(BIN)/pytest -m soak $(PYTEST_ARGS)

clean:  ## Remove what these commands made; instance/, your data, stays
	rm -rf .venv .cache build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	@sh scripts/environment.sh

dev-environment:
	@sh scripts/environment.sh dev
