# Every recipe also works when pasted into a shell at the root of the repository.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
WAIT ?= 600
VENV := .venv
BIN := $(VENV)/bin
UV_LOCK := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header -c requirements/constraints.txt
# Install a lock file into an environment with uv, or with pip if uv is missing or fails.
INSTALL = $(BIN)/python -m uv pip install --quiet --compile-bytecode --python $(1)/bin/python --require-hashes $(2) 2>/dev/null || $(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes $(2)
# Let dlt's own commands find this repository's pipelines and destination. They read neither config.toml nor
# the current folder.
POINT_DLT_HERE = cp requirements/repository.pth $(1)/lib/python3.*/site-packages/
# The warehouse that ingestion and dbt use, such as TARGET=postgres; DuckDB by default.
ifdef TARGET
export WAREHOUSE_TARGET := $(TARGET)
endif
EXTRA := $(filter-out duckdb motherduck,$(WAREHOUSE_TARGET)) $(if $(FILES),files)
CLOUDS := snowflake bigquery redshift databricks

.PHONY: help
help: ## print all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "make %-15s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.installed $(EXTRA:%=$(VENV)/.installed-%) ## create .venv and install the pinned dependencies

$(VENV)/.installed: requirements/base.txt requirements/uv.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "error: Python 3.11 to 3.13 is required; choose one with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt || echo "uv cannot be installed; using pip, which is slower"
	$(call INSTALL,$(VENV),-r requirements/base.txt)
	$(call POINT_DLT_HERE,$(VENV))
	touch $@

# Optional dependencies, added to the same environment: dev, bi, files, and those of an engine.
$(VENV)/.installed-%: requirements/%.txt $(VENV)/.installed
	$(call INSTALL,$(VENV),-r $<)
	touch $@

# Separate environments for tools that need other versions or have many dependencies.
$(VENV)-%/.installed: requirements/%.txt $(VENV)/.installed
	$(PYTHON) -m venv $(@D)
	$(call INSTALL,$(@D),-r $<)
	$(call POINT_DLT_HERE,$(@D))
	touch $@

# The oldest DuckDB that can open the published copy. If it is not available for this Python, its test is skipped.
$(VENV)-oldest-duckdb/.installed: requirements/oldest-duckdb.txt $(VENV)/.installed
	$(PYTHON) -m venv $(@D)
	$(call INSTALL,$(@D),--only-binary :all: -r $<) || rm -r $(@D)/bin
	mkdir -p $(@D) && touch $@

# The accessibility checker for the browser tests. Without npm, they skip these checks.
AXE := tests/bi/axe/node_modules/.installed
$(AXE): tests/bi/axe/package-lock.json
	! command -v npm > /dev/null || npm ci --silent --no-audit --no-fund --prefix tests/bi/axe
	mkdir -p $(@D) && touch $@

.PHONY: ingest
ingest: setup ## load from Tracker (or the demo, without a token), from ARCHIVE=path, or from FILES=url
	$(BIN)/python -m ingest $(if $(ARCHIVE),archive $(ARCHIVE))$(if $(FILES),files $(FILES)) $(ARGS)

.PHONY: build
build: setup ## build and test all models, then publish the marts (marts.duckdb)
	$(BIN)/python -m ingest.warehouses.exclusive --wait $(WAIT) $(BIN)/python -m bi.build $(ARGS)

.PHONY: pipeline
pipeline: $(VENV)-pipeline/.installed ## open dlt's dashboard for the pipeline in a browser
	PATH=$(CURDIR)/$(VENV)-pipeline/bin:$$PATH dlt pipeline pivotal_tracker_pipeline show

.PHONY: copy
copy: setup ## copy the raw tables from DuckDB to TARGET=snowflake or another cloud warehouse
	$(BIN)/python -m ingest.warehouses.copy_to_cloud

.PHONY: warehouse
warehouse: ingest build ## set up, ingest and build

.PHONY: export
export: setup ## write the published marts as Parquet files, one per mart: parquet/
	$(BIN)/python -m bi.export

.PHONY: dashboard
dashboard: $(VENV)/.installed-bi ## open the dashboard of the published marts in a browser
	$(BIN)/python -m bi.serve $(ARGS)

.PHONY: explore
explore: $(VENV)/.installed-bi ## open a notebook with raw tables and marts as a starting point
	$(BIN)/python -m marimo edit bi/explore.py $(ARGS)

.PHONY: report
report: $(VENV)/.installed-bi ## write the dashboard as a single HTML file: report.html
	$(BIN)/python -m bi.report $(ARGS)

.PHONY: docs
docs: setup ## write the documentation as a single HTML file (target/static_index.html), and docs/raw-tables.md
	$(BIN)/dbt docs generate --static
	$(BIN)/python -m docs.raw_tables

.PHONY: browser
browser: ## install Chromium for the browser tests (on Debian, as root)
	command -v chromium > /dev/null || { apt-get -qq update && apt-get -qq install --yes --no-install-recommends chromium; }

.PHONY: test
test: $(VENV)/.installed-dev $(VENV)-oldest-duckdb/.installed $(AXE) ## run the tests, and build the demo with all its tests; SLOW=1 includes the slow ones, as in CI
	$(BIN)/python -m pytest --numprocesses 2 $(if $(SLOW),,-m "not slow")

.PHONY: test-long
test-long: $(VENV)/.installed-dev ## test rebuilds, random histories, odd projects, wrong measures, faults, kill -9; nightly: HISTORIES=2000 KILLS=100 ODD_PROJECTS=3000 MUTANTS=10000
	EVERY_MEASURE=1 $(BIN)/python -m pytest --numprocesses 2 tests/rebuilt tests/exactness tests/resilience tests/oracle tests/dbt_project/test_metrics.py
	MUTANTS=$${MUTANTS:-600} $(BIN)/python -m pytest --numprocesses 2 tests/ingest/archive/csv/test_mutants.py tests/ingest/archive/test_mutants.py

.PHONY: test-engines
test-engines: $(VENV)/.installed-dev $(VENV)/.installed-postgres $(VENV)/.installed-files $(CLOUDS:%=$(VENV)/.installed-%) $(VENV)/.installed-spark $(VENV)-s3/.installed $(VENV)-fakesnow/.installed postgresql ## load and build the demo on every engine and compare the marts
	$(BIN)/python -m pytest tests/engines

.PHONY: postgresql
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq postgresql >/dev/null; } \
	|| { echo "error: the tests start a PostgreSQL server: apt-get install postgresql" >&2; exit 1; }

.PHONY: mcp
mcp: $(VENV)-mcp/.installed ## install the MCP server of .mcp.json, with which assistants can query the marts

.PHONY: dagster
dagster: $(VENV)-dagster/.installed ## open Dagster with the nightly run as assets and its schedule
	mkdir -p .dagster && cp orchestration/dagster.yaml .dagster/
	DAGSTER_HOME=$(CURDIR)/.dagster $(VENV)-dagster/bin/dagster dev -m orchestration.definitions $(ARGS)

.PHONY: test-ecosystem
test-ecosystem: $(VENV)/.installed-dev $(VENV)-mcp/.installed $(VENV)-dagster/.installed ## use the project as a dbt package, from Dagster, and through an MCP server
	$(BIN)/python -m pytest tests/ecosystem

.PHONY: semantic
semantic: $(VENV)-semantic/.installed ## install MetricFlow in .venv-semantic, for mf query

.PHONY: test-semantic
test-semantic: $(VENV)/.installed-dev semantic ## compare MetricFlow's results with the marts
	$(BIN)/python -m pytest tests/dbt_project/test_semantic.py

.PHONY: lint
lint: $(VENV)/.installed-dev ## check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 0 dbt_project/models dbt_project/tests dbt_project/analyses --disable-progress-bar

.PHONY: format
format: $(VENV)/.installed-dev ## format Python and SQL
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --processes 0 dbt_project/models dbt_project/tests dbt_project/analyses --disable-progress-bar

.PHONY: bench
bench: $(VENV)/.installed-dev ## measure set-up, first loads, builds, later syncs, archives, and the dashboard
	$(BIN)/python -m benchmarks.set_up
	$(BIN)/python -m benchmarks.api --latency 0 100
	$(BIN)/python -m benchmarks.build
	$(BIN)/python -m benchmarks.sync
	$(BIN)/python -m benchmarks.archive
	$(BIN)/python -m benchmarks.dashboard

.PHONY: lock
lock: setup ## update the lock files of the dependencies in pyproject.toml
	$(UV_LOCK) --extra dev --extra bi pyproject.toml -o requirements/dev.txt
	$(UV_LOCK) --extra bi -c requirements/dev.txt pyproject.toml -o requirements/bi.txt
	$(UV_LOCK) -c requirements/dev.txt pyproject.toml -o requirements/base.txt
	$(UV_LOCK) --extra postgres -c requirements/dev.txt pyproject.toml -o requirements/postgres.txt
	$(UV_LOCK) --extra files -c requirements/dev.txt pyproject.toml -o requirements/files.txt
	$(UV_LOCK) --extra files --extra spark -c requirements/dev.txt pyproject.toml -o requirements/spark.txt
	$(UV_LOCK) --extra pipeline -c requirements/dev.txt pyproject.toml -o requirements/pipeline.txt
	$(UV_LOCK) --extra dagster -c requirements/dev.txt pyproject.toml -o requirements/dagster.txt
	$(UV_LOCK) --extra semantic -c requirements/dev.txt pyproject.toml -o requirements/semantic.txt
	for cloud in $(CLOUDS); do \
	    $(UV_LOCK) --extra $$cloud -c requirements/dev.txt pyproject.toml -o requirements/$$cloud.txt || exit 1; \
	done
	for tool in uv fakesnow s3 mcp; do $(UV_LOCK) requirements/$$tool.in -o requirements/$$tool.txt || exit 1; done
	sed -i 's/^snowflake-connector-python\[.*\]==/snowflake-connector-python==/' requirements/snowflake.txt # pip finds it twice

.PHONY: clean
clean: ## delete all build products: warehouse, working folders, logs (not .venv)
	rm -rf warehouse.duckdb warehouse.duckdb.* raw marts.duckdb parquet report.html .dlt/pipelines .dagster target logs dbt_project/target dbt_project/logs
