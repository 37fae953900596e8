"""What no file of this repository may do: run what it reads."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("likeness", "resources", "assets_defs", "pipelines", "benchmarks", "docs", "tests")
# Their files are programs: whoever opens one runs it.
PROGRAMS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "os.system", "os.popen", "tempfile.mktemp", "yaml.unsafe_load"}
ENDINGS = ("read_pickle", "to_pickle", "full_load", "extractall", "unpack_archive")
# Arguments that open a door; ``torch.load`` needs one that shuts it.
DOORS = {
    "allow_pickle": True,
    "shell": True,
    "trust_remote_code": True,
    "weights_only": False,
    "safe_mode": False,
    "verify": False,
}


def faults(source: str) -> list[str]:
    """What a module does that it may not, with its lines."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            found += [f"{node.lineno}: {n}" for n in names if n.split(".")[0] in PROGRAMS]
        elif isinstance(node, ast.Call):
            found += [f"{node.lineno}: {fault}" for fault in _faults_of_call(node)]
    return found


def _faults_of_call(call: ast.Call) -> list[str]:
    name = ast.unparse(call.func)
    given = {
        word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)
    }
    found = [name] if name in CALLS or name.split(".")[-1] in ENDINGS else []
    found += [f"{name}({door}={shut})" for door, shut in DOORS.items() if given.get(door) is shut]
    if name == "torch.load" and "weights_only" not in given:
        found.append(name)
    if name == "yaml.load" and ast.unparse(call.args[-1]) not in ("_Strict", "yaml.SafeLoader"):
        found.append(name)
    if name.endswith("skops.io.load") and any(word.arg == "trusted" for word in call.keywords):
        found.append(name)
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_is_run_that_was_only_to_be_read(folder):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    found = {path.name: said for path in files if (said := faults(path.read_text("utf-8")))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "torch.load(file)",
        "torch.load(file, weights_only=False)",
        "np.load(file, allow_pickle=True)",
        "pd.read_pickle(file)",
        "yaml.load(text, yaml.Loader)",
        "keras.models.load_model(file, safe_mode=False)",
        "subprocess.run(command, shell=True)",
        "eval(text)",
    ],
)
def test_what_may_not_be_done_is_found(line):
    assert len(faults(line)) == 1


def test_what_may_be_done_is_not():
    lines = ["np.load(file)", "torch.load(file, weights_only=True)", "network.eval()"]
    assert [faults(line) for line in lines] == [[], [], []]


def test_study_files_are_read_by_a_loader_that_makes_plain_data():
    import yaml

    from likeness.studies.load import _Strict

    assert issubclass(_Strict, yaml.constructor.SafeConstructor)
