# What Snakemake puts into the scripts that it runs.
from typing import Any

snakemake: Any
