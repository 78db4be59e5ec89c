"""Nothing that a library keeps leaves the job's folder."""

import json
import os
import subprocess
import sys

import pytest

from instruction_selection.core import processes

#: What each library believes about its folders, asked in a process of its own.
LIBRARIES = """
import json, sys
import datasets, huggingface_hub.constants as hub, lm_eval.caching.cache as lm_eval, matplotlib, numba, torch.hub
from torch._inductor.runtime.cache_dir_utils import cache_dir
from torch.utils.cpp_extension import _get_build_directory
folders = {name: getattr(hub, name) for name in ("HF_HOME", "HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_XET_CACHE")}
folders |= {name: str(getattr(datasets.config, name)) for name in ("HF_DATASETS_CACHE", "HF_MODULES_CACHE")}
folders |= {"lm_eval": lm_eval.PATH, "config": matplotlib.get_configdir(), "cache": matplotlib.get_cachedir()}
folders |= {"torch": torch.hub.get_dir(), "inductor": cache_dir(), "extension": _get_build_directory("x", False)}
print(json.dumps([folders, hub.HF_TOKEN_PATH, numba.config.CACHE_DIR]))
"""


@pytest.fixture
def ask(tmp_path):
    def ask(variables: dict[str, str]) -> tuple[dict[str, str], str, str]:
        given = {key: value for key, value in os.environ.items() if key not in (*processes.CACHES, "HF_TOKEN_PATH")}
        program = (
            "import os, sys; from instruction_selection.core import processes;"
            "os.execve(sys.executable, [sys.executable, '-c', sys.argv[1]], processes.environment(sys.argv[2]))"
        )
        command = [sys.executable, "-c", program, LIBRARIES, str(tmp_path / "caches")]
        done = subprocess.run(
            command, env={**given, **variables}, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    return ask


def test_environment__every_library_keeps_its_files_in_the_job_s_folder(ask, tmp_path):
    home = tmp_path / "home"
    folders, token, numba = ask({"HOME": str(home), **dict.fromkeys(processes.CACHES, str(home / "own"))})
    outside = {name: folder for name, folder in folders.items() if not folder.startswith(str(tmp_path / "caches"))}
    assert outside == {}
    assert numba.startswith(str(tmp_path / ".snakemake/numba/"))
    assert not home.exists()
    # A login stays where it is.
    assert token == str(home / "own/token")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "{home}/.cache/huggingface/token"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/token"),
        ({"XDG_CACHE_HOME": "/x", "HF_HOME": "/y"}, "/y/token"),
        ({"HF_TOKEN_PATH": "/z/token"}, "/z/token"),
    ],
)
def test_environment__a_login_is_found_where_it_is(monkeypatch, tmp_path, variables, expected):
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path), **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_TOKEN_PATH", processes.environment("caches")["HF_TOKEN_PATH"])
    assert processes.environment("other")["HF_TOKEN_PATH"] == expected.format(home=tmp_path)
