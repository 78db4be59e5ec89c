"""The code reads no pickle, starts no shell, evaluates no text and trusts no code that comes with a model."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = sorted((REPOSITORY / "workflow").rglob("*.py"))
SNAKEFILES = [
    REPOSITORY / "Snakefile",
    REPOSITORY / "workflow" / "Snakefile",
    *sorted((REPOSITORY / "workflow").rglob("*.smk")),
]

#: Modules whose files run what they say when they are read.
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}
CALLS = {
    *("eval", "exec", "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "pd.read_pickle", "pandas.read_pickle"),
    *("tarfile.open", "shutil.unpack_archive"),
}
#: Read by name, member by member, and never unpacked.
UNPACKING = {"extract", "extractall"}


def problems(source: str) -> list[str]:
    """What of the above a Python source does, with the line."""
    return [f"line {node.lineno}: {found}" for node in ast.walk(ast.parse(source)) if (found := problem(node))]


def problem(node: ast.AST) -> str | None:
    if isinstance(node, ast.Import):
        return next((alias.name for alias in node.names if alias.name.split(".")[0] in PICKLES), None)
    if isinstance(node, ast.ImportFrom):
        return node.module if (node.module or "").split(".")[0] in PICKLES else None
    if not isinstance(node, ast.Call):
        return None
    name = ast.unparse(node.func)
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    if name in CALLS or name.rsplit(".", 1)[-1] in UNPACKING:
        return name
    if name == "torch.load" and given.get("weights_only") != "True":
        return "torch.load without weights_only=True"
    if name == "yaml.load" and "SafeLoader" not in ast.unparse(node):
        return "yaml.load without a safe loader"
    for keyword, allowed in (("shell", "False"), ("allow_pickle", "False"), ("trust_remote_code", "False")):
        if given.get(keyword, allowed) != allowed:
            return f"{keyword}={given[keyword]}"
    return None


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import torch, joblib",
        "from dill import load",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text, yaml.Loader)",
        "yaml.unsafe_load(text)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
        "eval(text)",
        "archive.extractall(folder)",
        "AutoModel.from_pretrained(path, trust_remote_code=trust)",
    ],
)
def test_check__finds_what_is_not_allowed(source):
    assert len(problems(f"x = 1\n{source}")) == 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_library__and_scripts_do_nothing_that_is_not_allowed(path):
    assert problems(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SNAKEFILES, ids=lambda path: path.name)
def test_rules__run_scripts_and_no_shell(path):
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    assert not [line for line in lines if line.startswith(("shell:", "shell(", "run:", "wrapper:"))]


def test_model_written_code__is_confirmed_nowhere():
    for path in [*SOURCES, *SNAKEFILES]:
        text = path.read_text(encoding="utf-8")
        assert "confirm_run_unsafe_code" not in text
        assert 'HF_ALLOW_CODE_EVAL": "1' not in text
