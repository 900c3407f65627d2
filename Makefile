# mediaflow: `make demo` to see it work, `make test` to test it; `make` alone lists what there is.
.DEFAULT_GOAL := help
PY := .venv/bin/python
RUN := $(PY) -m
export DAGSTER_HOME ?= $(abspath $(or $(MEDIAFLOW_HOME),.mediaflow)/dagster)

.PHONY: help demo up refresh test check lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

.venv/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh

check: .venv/.ready ## ruff, mypy --strict, import rules
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports

test: .venv/.ready ## set up and pass all tests
	@bash scripts/debian.sh
	$(RUN) pytest

lock: .venv/.ready ## resolve the tested set of packages anew
	$(RUN) uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

clean: ## remove the environment and everything built (the workspace .mediaflow stays)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
