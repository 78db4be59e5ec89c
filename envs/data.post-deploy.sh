#!/usr/bin/env bash
# What a `pip:` section cannot say; Snakemake runs this in the environment that data.yaml made.
# Reasoning Gym also declares pycosat, which only zebra_puzzles uses and which wants a C compiler.
set -euo pipefail
python -m pip install --no-deps reasoning-gym==0.1.25
