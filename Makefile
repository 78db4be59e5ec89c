# Start with `make demo` and `make test`. They need Python 3.11 or newer and access to PyPI.
PYTHON ?= python3
CORES ?= 2
EXPERIMENT ?= demo
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The longest folders first, as pyproject.toml lists them.
PYTEST = $(BIN)/python -m pytest -n $(CORES) --no-loadscope-reorder
TOOLS := $(VENV)/tools
SITE := $(VENV)/docs
TORCH = $$(grep '^torch==' envs/laptop.txt)
LOCK := $(TOOLS)/bin/uv pip compile --quiet --config-file envs/uv.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-package torch --no-annotate --no-header
SCHEMA := $(TOOLS)/bin/check-jsonschema --quiet --builtin-schema vendor.
AUDIT := $(TOOLS)/bin/pip-audit --strict --disable-pip --progress-spinner off

.PHONY: help setup demo list estimate select power study smoke test unit integration gpu cluster faults slow \
	environments lint format reference docs container lock audit clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY)  ## Create the environment in .venv

# Packages are checked by hash, except torch: pip selects its build (envs/uv.toml says why).
$(READY): envs/laptop.txt envs/laptop.lock envs/laptop-no-deps.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r envs/laptop.lock
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --require-hashes -r envs/laptop-no-deps.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

demo: $(READY)  ## Run the whole pipeline on a laptop and list its tables and report
	$(BIN)/snakemake --cores $(CORES) --config experiment=demo
	@echo; echo Results:; ls results/demo/tables/*.md results/demo/report.html

list: $(READY)  ## List models, pools, benchmarks, methods, experiments and tables
	@$(BIN)/snakemake list --cores 1 --quiet all

estimate: $(READY)  ## Estimate the cost of an experiment: make estimate EXPERIMENT=paper
	@$(BIN)/snakemake estimate --cores $(CORES) --quiet all --config experiment=$(EXPERIMENT)

select: $(READY)  ## Select rows and stop there: make select EXPERIMENT=own
	$(BIN)/snakemake select --cores $(CORES) --config experiment=$(EXPERIMENT)

power: $(READY)  ## What larger experiments could show, from a finished one: make power EXPERIMENT=mini
	@$(BIN)/snakemake power --cores 1 --quiet all --config experiment=$(EXPERIMENT)

study: EXPERIMENT := study
study: $(READY)  ## Run all draws of the study, or of EXPERIMENT (or a TABLE of them), and summarise; resumes
	for draw in $$($(BIN)/python -m instruction_selection.experiment.list_draws $(EXPERIMENT)); do \
		$(BIN)/snakemake --cores $(CORES) --config experiment=$(EXPERIMENT) draw=$$draw -- $(TABLE) || exit; done
	@$(BIN)/snakemake draws --cores 1 --quiet all --config experiment=$(EXPERIMENT)

smoke: $(READY)  ## Run the demo's jobs with a tiny random model
	$(BIN)/snakemake --cores $(CORES) --config experiment=smoke

test: $(READY)  ## Run every test but the slow ones
	$(PYTEST)

unit: $(READY)  ## Run the unit tests
	$(PYTEST) tests/unit

integration: $(READY)  ## Run the tests that start LLaMA-Factory and DeepSpeed (minutes)
	$(PYTEST) tests/integration

gpu: $(READY)  ## Check and time what runs on a GPU, on a machine that has one; writes results/gpu.json (minutes)
	$(BIN)/python -m pytest -m gpu tests/gpu tests/unit

cluster: $(READY)  ## Run the tests that start a SLURM cluster, as root, where SLURM is installed (minutes)
	$(PYTEST) tests/cluster

faults: $(READY)  ## Run the tests that kill jobs, fill disks and damage files (minutes)
	$(PYTEST) tests/faults

slow: $(READY)  ## Run the cluster tests and the faults, side by side
	$(PYTEST) tests/cluster tests/faults

environments: $(READY)  ## Check that the packages of each conda environment are compatible (asks PyPI)
	$(BIN)/python -m pytest -m network tests/environments

lint: $(READY) $(TOOLS)  ## Check style, types, who imports whom, and the files that GitHub reads
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	PYTHONPATH=workflow $(BIN)/lint-imports
	$(BIN)/basedpyright --project pyproject.toml
	$(SCHEMA)github-workflows .github/workflows/*.yml
	$(SCHEMA)dependabot .github/dependabot.yml
	$(SCHEMA)github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA)github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(SCHEMA)citation-file-format CITATION.cff

format: $(READY)  ## Format code and workflow
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

reference: $(READY)  ## Write config/README.md, workflow/schemas and known names
	$(BIN)/python -m instruction_selection.experiment.reference
	PYTHONPATH=workflow:tests $(BIN)/python -m support.installed_names

# Without --quiet, which hides warnings from --strict too.
docs: $(SITE)  ## Build the documentation site in site/; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

container: $(READY)  ## Write container/Dockerfile from the conda environments
	$(BIN)/python container/write.py

$(TOOLS) $(SITE): $(VENV)/%: envs/%.txt
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet -r $<
	@touch $@

lock: $(TOOLS)  ## Update envs/*.lock after a change of pins; other versions stay
	$(LOCK) -o envs/laptop.lock envs/laptop.txt envs/tests.txt
	$(LOCK) --no-deps -o envs/laptop-no-deps.lock envs/laptop-no-deps.txt

audit: $(TOOLS)  ## Look for known vulnerabilities in the installed packages (asks PyPI)
	$(AUDIT) --require-hashes -r envs/laptop.lock -r envs/laptop-no-deps.lock
	echo $(TORCH) > $(TOOLS)/torch.txt
	$(AUDIT) --no-deps -r $(TOOLS)/torch.txt

clean:  ## Remove results and environment
	rm -rf results .snakemake site $(VENV)
