# Everything a newcomer needs: `make demo` and `make test`. Python 3.11 or newer and a network to PyPI are enough.
PYTHON ?= python3
CORES ?= 2
EXPERIMENT ?= demo
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/tools
TORCH = $$(grep '^torch==' envs/laptop.txt)
LOCK := $(TOOLS)/bin/uv pip compile --quiet --config-file envs/uv.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-package torch --no-annotate --no-header
AUDIT := $(TOOLS)/bin/pip-audit --strict --disable-pip --progress-spinner off

.PHONY: help setup demo list estimate smoke test unit integration faults environments lint format reference lock audit clean

help:  ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY)  ## Make the environment in .venv

# Files are checked by their hashes, but for torch, whose right build is for pip to find: envs/uv.toml says why.
$(READY): envs/laptop.txt envs/laptop.lock envs/laptop-no-deps.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; try: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r envs/laptop.lock
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --require-hashes -r envs/laptop-no-deps.lock
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

integration: $(READY)  ## The tests that start LLaMA-Factory and DeepSpeed: minutes
	$(BIN)/python -m pytest tests/integration

faults: $(READY)  ## Kills, damage and full disks: minutes
	$(BIN)/python -m pytest tests/faults

environments: $(READY)  ## Whether the conda environments' packages go together, which asks PyPI
	$(BIN)/python -m pytest -m network tests/environments

lint: $(READY)  ## Style of code and workflow, and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	PYTHONPATH=workflow $(BIN)/lint-imports

format: $(READY)  ## Put code and workflow into style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

reference: $(READY)  ## Write config/README.md and workflow/schemas from the types
	$(BIN)/python -m instruction_selection.experiment.reference

$(TOOLS): envs/tools.txt
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet -r envs/tools.txt
	@touch $@

lock: $(TOOLS)  ## Write envs/*.lock anew after a change of pins; other versions stay as they are
	$(LOCK) -o envs/laptop.lock envs/laptop.txt envs/tests.txt
	$(LOCK) --no-deps -o envs/laptop-no-deps.lock envs/laptop-no-deps.txt

audit: $(TOOLS)  ## Look for known vulnerabilities of all that is installed, which asks PyPI
	$(AUDIT) --require-hashes -r envs/laptop.lock -r envs/laptop-no-deps.lock
	echo $(TORCH) > $(TOOLS)/torch.txt
	$(AUDIT) --no-deps -r $(TOOLS)/torch.txt

clean:  ## Remove results and environment
	rm -rf results .snakemake $(VENV)
