# Every target makes what it needs first: an environment of its own in .venv, for tests also ClickHouse and GraphQL clients from npm.
PYTHON ?= python3.11
IN_ENVIRONMENT = .venv/bin/python
NODE_MODULES = tests/node/node_modules/.package-lock.json
LOCK = .ci/requirements.txt
ARIADNE_LOCK = .ci/ariadne-codegen.txt

.PHONY: demo test check bench load-test lock clean

demo: .venv/installed
	$(IN_ENVIRONMENT) -m gateway demo

test: .venv/installed .venv/ariadne-codegen/installed $(NODE_MODULES)
	$(IN_ENVIRONMENT) -m pytest --numprocesses auto --dist loadfile

check: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(IN_ENVIRONMENT) -m gateway schema | diff schema/schema.graphql -

bench: .venv/installed $(NODE_MODULES)
	$(IN_ENVIRONMENT) -m tests.benchmarks --readme

load-test: .venv/installed $(NODE_MODULES)
	$(IN_ENVIRONMENT) -m tests.benchmarks.load_test --readme

# Pins every dependency with its hashes; addresses of registries are left out.
lock: .venv/installed
	.venv/bin/pip install --quiet uv
	.venv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade --quiet --output-file $(LOCK)
	echo ariadne-codegen | .venv/bin/uv pip compile - --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade --quiet --output-file $(ARIADNE_LOCK)
	npm install --prefix tests/node --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

clean:
	rm -rf .venv tests/node/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/installed: $(LOCK)
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	touch $@

# A client's generator of code that tests run; it needs an older graphql-core than ours.
.venv/ariadne-codegen/installed: $(ARIADNE_LOCK) .venv/installed
	$(PYTHON) -m venv .venv/ariadne-codegen
	.venv/ariadne-codegen/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $(ARIADNE_LOCK)
	touch $@

$(NODE_MODULES): tests/node/package-lock.json
	npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund
	touch $@
