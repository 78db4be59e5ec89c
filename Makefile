# Everything a newcomer needs: `make demo` and `make test`. Python 3.11 or newer and a network to PyPI are enough.
PYTHON ?= python3
CORES ?= 2
EXPERIMENT ?= demo
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo list estimate smoke test unit faults environments lint format reference clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## Make the environment in .venv

$(READY): envs/laptop.txt envs/laptop-no-deps.txt envs/tests.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r envs/laptop.txt -r envs/tests.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -r envs/laptop-no-deps.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

demo: $(READY)  ## Run the whole chain on a laptop; ends by naming its tables and its report
	$(BIN)/snakemake --cores $(CORES) --config experiment=demo
	@echo; echo Results:; ls results/demo/tables/*.md results/demo/report.html

list: $(READY)  ## Show models, pools, benchmarks, methods, experiments and tables
	@$(BIN)/snakemake list --cores 1 --quiet all

estimate: $(READY)  ## Say what an experiment will cost: make estimate EXPERIMENT=paper
	@$(BIN)/snakemake estimate --cores $(CORES) --quiet all --config experiment=$(EXPERIMENT)

smoke: $(READY)  ## The same with a tiny random model
	$(BIN)/snakemake --cores $(CORES) --config experiment=smoke

test: $(READY)  ## Every test, the smoke experiment among them; as root with SLURM also on a cluster of this machine
	$(BIN)/python -m pytest

unit: $(READY)  ## The tests that take seconds
	$(BIN)/python -m pytest tests/unit

faults: $(READY)  ## Kills, damage and full disks: minutes
	$(BIN)/python -m pytest tests/faults

environments: $(READY)  ## Whether the conda environments' packages go together, which asks PyPI
	$(BIN)/python -m pytest -m network tests/environments

lint: $(READY)  ## Code and workflow style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(READY)  ## Put code and workflow into style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

reference: $(READY)  ## Write config/README.md anew from the schemas
	$(BIN)/python -m instruction_selection.reference > config/README.md

clean:  ## Remove results and environment
	rm -rf results .snakemake $(VENV)
