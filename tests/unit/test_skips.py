"""A test that is skipped for an unlisted reason fails the run."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import skips

RUN = """
import sys
from pathlib import Path
import pytest
from support.skips import NoSilentSkips
sys.exit(pytest.main(["-c", "/dev/null", "-p", "no:cacheprovider", "."], plugins=[NoSilentSkips(Path("list.txt"))]))
"""


def run(folder: Path, body: str, listed: str) -> subprocess.CompletedProcess:
    (folder / "test_it.py").write_text(f"import pytest\n{body}\n")
    (folder / "list.txt").write_text(listed)
    environment = {"PYTHONPATH": str(Path(skips.__file__).parents[1]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-c", RUN]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


IN_TEST = "def test_gpu(): pytest.skip('needs a GPU')\ndef test_passes(): pass"
IN_FIXTURE = "@pytest.fixture\ndef gpu(): pytest.skip('needs a GPU')\ndef test_gpu(gpu): pass"
IN_MODULE = "pytest.skip('needs a GPU', allow_module_level=True)"
BY_MARK = "@pytest.mark.skipif(True, reason='needs a GPU')\ndef test_gpu(): pass"


@pytest.mark.parametrize("body", [IN_TEST, IN_FIXTURE, IN_MODULE, BY_MARK], ids=["test", "fixture", "module", "mark"])
def test_no_silent_skips__reason_decides(body, tmp_path):
    rejected = run(tmp_path, body, "# needs a GPU\nneeds a browser\n\n")
    assert rejected.returncode != 0
    assert "test_it.py" in rejected.stdout.partition("list.txt does not list")[2]
    allowed = run(tmp_path, body, "needs a browser\na GPU\n")
    assert allowed.returncode == (0 if body is not IN_MODULE else pytest.ExitCode.NO_TESTS_COLLECTED)
    assert "does not list" not in allowed.stdout


def test_no_silent_skips__expected_failures_are_not_skips(tmp_path):
    result = run(tmp_path, "@pytest.mark.xfail(reason='a known fault')\ndef test_it(): assert False", "")
    assert result.returncode == 0, result.stdout


def test_no_silent_skips__a_failed_test_stays_failed(tmp_path):
    result = run(tmp_path, "def test_it(): assert False", "")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert "does not list" not in result.stdout
