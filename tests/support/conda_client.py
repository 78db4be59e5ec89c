"""The few commands of conda that Snakemake calls, answered by rattler's real solver and installer. For tests only.

No package index that tests may use has conda itself. Whatever channels a file names, packages come from the channel in
the environment variable TEST_CHANNEL; a `pip:` section goes to the pip of the new environment, as conda does it.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import rattler
import yaml

VERSION = "24.7.1"


async def create(environment: Path, prefix: Path) -> None:
    dependencies = yaml.safe_load(environment.read_text())["dependencies"]
    specs = [entry for entry in dependencies if isinstance(entry, str)]
    channel = rattler.Channel(Path(os.environ["TEST_CHANNEL"]).as_uri())
    records = await rattler.solve([channel], specs, platforms=["linux-64", "noarch"])
    cache = Path(os.environ["TEST_CHANNEL"]).with_name("cache")
    await rattler.install(records, prefix, cache_dir=cache, show_progress=False)
    for entry in dependencies:
        if isinstance(entry, dict):
            subprocess.run([prefix / "bin/python", "-m", "pip", "install", "--quiet", *entry["pip"]], check=True)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": os.environ["TEST_CONDA_PREFIX"], "platform": "linux-64"}))
        case ["--version"]:
            print(f"conda {VERSION}")
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["clean", *_]:
            pass
        case ["env", "create", *options]:
            parser = argparse.ArgumentParser()
            parser.add_argument("--quiet", action="store_true")
            parser.add_argument("--no-default-packages", action="store_true")
            parser.add_argument("--file", type=Path, required=True)
            parser.add_argument("--prefix", type=Path, required=True)
            given = parser.parse_args(options)
            asyncio.run(create(given.file, given.prefix))
        case _:
            sys.exit(f"this stand-in for conda does not know {arguments}")


if __name__ == "__main__":
    main(sys.argv[1:])
    # rattler's threads may abort while the interpreter ends.
    sys.stdout.flush()
    os._exit(0)
