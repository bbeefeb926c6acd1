# An operations agent for Azure Data Factory. `make help` lists what there is.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
PORT ?= 7071
HOST ?= light
FACTORY ?=
Q ?= What failed in the last 24 hours, and why?
BENCHES ?= bench.ask bench.routing bench.diagnosis bench.failures bench.coldstart bench.scale bench.compare bench.alerts bench.actions bench.package bench.chaos
TESTERS ?= 2
SEED ?= 1

RUN := .venv/bin/python
MADE := .venv/made
PACKAGES := .venv/packages.installed
AZURITE := localcloud/azurite/node_modules/azurite.installed
WORKER_LIBRARY := .localcloud/worker-library.installed

# A question and a path may hold any character, so neither make nor a shell may read them: `value` takes them
# unexpanded, and they travel in the environment. The originals must not be exported, for that would expand them.
unexport Q FACTORY
ask dev: export ASK_QUESTION := $(value Q)
ask dev: export ASK_FACTORY := $(value FACTORY)

# Many shells export HOST with the machine's name; only HOST=func means something here then.
ifeq ($(origin HOST),environment)
HOST := $(or $(filter func,$(HOST)),light)
endif

.PHONY: help chaos doctor policy-check setup ask dev test check format lint types tests bench-short bench package release requirements clean

help: ## This list
	@grep -hE '^[a-z-]+:.* ## ' Makefile | sed -E 's/^([a-z-]+):.* ## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
	  || grep -hE '^[a-z-]+:.* ## ' Makefile

ask: $(PACKAGES) $(AZURITE) ## Start everything, ask Q="…", print the answer, stop everything
	@exec $(RUN) -m localcloud.launch ask --host "$(HOST)"

dev: $(PACKAGES) $(AZURITE) ## Keep it running on PORT=7071 until Ctrl-C; FACTORY=folder for your own, HOST=func
	@exec $(RUN) -m localcloud.launch dev --port "$(PORT)" --host "$(HOST)"

setup: $(PACKAGES) $(AZURITE) $(WORKER_LIBRARY) ## Only prepare: virtual environment, Azurite; PYTHON=python3.13
	@echo "Ready." >&2

test: setup format lint types tests bench-short ## Everything that CI checks

check: test ## The same

format:
	$(RUN) -m ruff format --check .

lint:
	$(RUN) -m ruff check .

types:
	$(RUN) -m mypy --strict .

tests:
	$(RUN) -m pytest -n $(TESTERS) --dist loadgroup

bench-short:
	@set -e; for bench in $(BENCHES); do echo "$(RUN) -m $$bench --json --short"; $(RUN) -m $$bench --json --short; done

bench: $(PACKAGES) $(AZURITE) ## All benchmarks whole, the one against what people run today first
	@failed=0; for bench in bench.compare $(filter-out bench.compare bench.chaos,$(BENCHES)); do \
	  echo "$(RUN) -m $$bench"; $(RUN) -m $$bench || failed=1; done; exit $$failed

package: $(PACKAGES) ## The app with its byte code, as a zip to deploy: .localcloud/package.zip
	@$(RUN) -m infra.package

release: $(PACKAGES) ## The same with its libraries, as Azure runs them: what infra.release deploys
	@$(RUN) -m infra.package --for-azure

doctor: $(PACKAGES) ## Look at everything the app needs (your settings); nothing is changed
	@$(RUN) -m orchestrator.doctor

policy-check: $(PACKAGES) ## Is policy.yaml sound? POLICY=file for another one
	@$(RUN) -m orchestrator.policy $(POLICY)

chaos: $(PACKAGES) $(AZURITE) ## 500 questions under a storm of faults: SEED=1
	@$(RUN) -m bench.chaos --seed $(SEED)

requirements: $(PACKAGES) ## Compile the pinned requirements anew
	$(RUN) -m pip install --quiet uv
	for name in requirements requirements-dev; do \
	  $(RUN) -m uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate --upgrade \
	    --quiet --output-file $$name.txt $$name.in || exit 1; \
	done

clean: ## Remove everything that was made here
	rm -rf .venv .localcloud .mypy_cache .ruff_cache .pytest_cache .hypothesis localcloud/azurite/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- How a checkout is prepared: each stamp says that a step was done for the file it was made from.

version = $(shell "$(1)" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

# Make the environment anew when its Python is gone, or when PYTHON asks for another version by name.
HAVE := $(call version,$(RUN))
ifneq ($(origin PYTHON),file)
WANT := $(call version,$(PYTHON))
else
WANT := $(HAVE)
endif
ifneq ($(or $(HAVE),none),$(WANT))
.PHONY: $(MADE)
endif

$(MADE):
	@"$(PYTHON)" -c '$(SUPPORTED)' 2>/dev/null || { \
	  echo "'$(PYTHON)' is $$("$(PYTHON)" --version 2>&1 | tail -n 1). Python 3.11, 3.12 or 3.13 is needed:" >&2; \
	  echo "name one with PYTHON=, for example: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@echo "Making a virtual environment …" >&2
	@"$(PYTHON)" -m venv --clear .venv
	@touch $@

$(PACKAGES): requirements-dev.txt $(MADE)
	@$(RUN) -m localcloud.setup packages
	@touch $@

$(AZURITE): localcloud/azurite/package-lock.json localcloud/azurite/requirements.txt $(PACKAGES)
	@$(RUN) -m localcloud.setup azurite
	@touch $@

$(WORKER_LIBRARY): requirements-dev.txt | $(PACKAGES)
	@$(RUN) -m localcloud.setup worker-library
	@mkdir -p $(@D) && touch $@
