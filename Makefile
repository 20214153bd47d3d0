# Toggl Pulse: every command of the project, one line each.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help run init test test-long check bench bench-results docs dashboards screenshots format audit lock clean

help: ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/run: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Toggl Pulse needs Python 3.11 or later (make PYTHON=python3.12 run)")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: .venv/run ## start the service: on your account if there are Toggl credentials, else on demo data
	@$(BIN)/toggl-pulse serve --or-demo

init: .venv/run ## the stack of compose.yaml: write .env and secrets/ (ARGS="--force …")
	@$(BIN)/toggl-pulse init stack $(ARGS)

test: .venv/dev ## the whole suite, without the long proofs
	$(BIN)/pytest -n auto --dist worksteal -q

test-long: .venv/dev ## the long proofs too
	$(BIN)/pytest -n auto --dist worksteal -q -m "long or not long"

.venv/bench: requirements-bench.txt .venv/dev
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

check: .venv/dev ## format, lint, types, imports, docs
	$(BIN)/ruff format --check src tests benchmarks dashboards docs
	$(BIN)/ruff check src tests benchmarks dashboards docs
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/cog --check -PUe -I docs $(COGGED)

COGGED := docs/architecture.md docs/cli.md docs/decisions/README.md docs/http.md docs/metrics.md docs/settings.md docs/web.md

docs: .venv/dev ## write the generated tables anew
	$(BIN)/cog -r -PUe -I docs $(COGGED)

dashboards: .venv/dev ## write the dashboards' JSON anew
	$(BIN)/python -m dashboards

screenshots: .venv/dev
	$(BIN)/python docs/screenshots.py

format: .venv/dev ## format and mend what can be mended
	$(BIN)/ruff format src tests benchmarks dashboards docs
	$(BIN)/ruff check --fix src tests benchmarks dashboards docs

bench: .venv/bench ## benchmarks: a question and a printed ratio each
	$(BIN)/python -m benchmarks

bench-results: .venv/bench ## the same, written to benchmarks/RESULTS.md and its chart, at one million and at ten
	$(BIN)/python -m benchmarks --write
	$(BIN)/python -m benchmarks 10000000 --write

audit: .venv/dev ## ask whether flaws are known in any dependency (needs a vulnerability service; exit 3 when none answers)
	$(BIN)/python tests/audit.py

lock: .venv/dev ## write the lock files anew, newest versions, hashes and no addresses
	$(BIN)/uv pip compile --upgrade --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate pyproject.toml --group pyproject.toml:build -o requirements.txt
	$(BIN)/uv pip compile --upgrade --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate pyproject.toml --group pyproject.toml:dev --group pyproject.toml:build -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile --upgrade --quiet --generate-hashes --universal --python-version 3.11 --no-header --no-annotate --group pyproject.toml:bench -c requirements-dev.txt -o requirements-bench.txt

clean: ## remove what make has made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
