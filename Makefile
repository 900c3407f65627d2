# mediaflow: `make demo` to see it work, `make test` to test it; `make` alone lists what there is.
.DEFAULT_GOAL := help
PY := .venv/bin/python
RUN := $(PY) -m
DEMO := .mediaflow/demo
# Two at a time, a file in one process as its tests share what is dear, in the order of the files; one thread each.
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder
IN_DEMO := MEDIAFLOW_HOME=$(DEMO) MEDIAFLOW_LIBRARY=$(DEMO)/films MEDIAFLOW_VISUAL_MODEL=demo MEDIAFLOW_SETTLE_S=1

.PHONY: help demo up refresh test check bench soak screenshots stubs released reference model lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 13

.venv/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@bash scripts/setup.sh

demo: .venv/.ready ## make a small film library, bring it up to date, ask a few questions
	@$(IN_DEMO) $(RUN) mediaflow.demo films
	@$(IN_DEMO) $(RUN) sensors
	@$(IN_DEMO) $(RUN) mediaflow.demo ask

up: .venv/.ready ## run Dagster on the library of mediaflow.toml, http://127.0.0.1:3000, and serve it at :8000
	@bash scripts/up.sh

refresh: .venv/.ready ## bring the library up to date once, without Dagster's daemon
	@$(RUN) sensors; code=$$?; \
	if [ $$code -eq 3 ]; then echo "Done but for what is listed above."; exit 0; fi; exit $$code

test: .venv/.ready ## set up and pass all tests
	OMP_NUM_THREADS=1 $(RUN) pytest $(SIDE_BY_SIDE)

check: .venv/.ready ## ruff, mypy --strict, import rules, the faces beside those of the last release
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	.venv/bin/lint-imports
	$(RUN) scripts.released

bench: .venv/.ready ## measure what is claimed: ratios and CPU time
	$(RUN) benchmarks

soak: .venv/.ready ## the property tests with many more examples
	HYPOTHESIS_PROFILE=soak OMP_NUM_THREADS=1 $(RUN) pytest $(SIDE_BY_SIDE) -m hypothesis --timeout=7200

screenshots: .venv/.ready ## take the pictures of the README in a real browser
	@bash scripts/debian.sh
	$(RUN) scripts.screenshots

stubs: .venv/.ready ## generate the gRPC stubs from their proto file
	$(RUN) grpc_tools.protoc -I . --python_out=. --pyi_out=. --grpc_python_out=. mediaflow/serve/grpc/search.proto

released: .venv/.ready ## keep the present GraphQL schema and proto file as those of a release
	$(RUN) scripts.released --record

reference: .venv/.ready ## write docs/graphql.md and docs/grpc.md from the schema and the proto file
	$(RUN) scripts.reference

model: .venv/.ready ## train the demo model anew (20 minutes)
	$(RUN) mediaflow.demo.train

lock: .venv/.ready ## resolve the tested set of packages anew
	$(RUN) uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

clean: ## remove the environment and all that was built (the workspace .mediaflow stays)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
