import ast
from importlib import metadata

import pytest

from assets_defs.steps import STEPS
from resources import step
from resources.step import Step, module_file

# An edit of these changes what is said on the way, never the result ...
SAY_ONLY = {"likeness.errors", "likeness.progress", "likeness.workers"}
# ... and these hold nothing but parameters, whose every value is in the fingerprint already.
PARAMETERS_ONLY = {"likeness.classify.params", "likeness.classify.recipe"}

BEFORE = """
LIMIT = 3

def double(x):
    return x * 2
"""
LAID_OUT_ANEW = '''"""Doubling."""
# how often
LIMIT   =   3


def double(x):
    """Twice x."""
    return (x
            * 2)  # twice
'''


@pytest.fixture
def code_version(tmp_path, monkeypatch):
    """Code version of a step whose two modules have the given sources."""
    monkeypatch.setattr(step, "REPOSITORY", tmp_path)

    def of(own, used="", version="1"):
        step.source_digest.cache_clear()
        (tmp_path / "own.py").write_text(own)
        (tmp_path / "used").mkdir(exist_ok=True)
        (tmp_path / "used" / "__init__.py").write_text(used)
        return Step(
            asset="a", function="own:f", modules=("used",), libraries=(), version=version
        ).code_version

    yield of
    step.source_digest.cache_clear()


def test_comments_docstrings_and_layout_change_no_code_version(code_version):
    assert code_version(BEFORE) == code_version(LAID_OUT_ANEW)


def test_a_changed_constant_operator_or_name_changes_it(code_version):
    changed = [
        BEFORE.replace("3", "4"),
        BEFORE.replace("*", "+"),
        BEFORE.replace("LIMIT", "LIMITS"),
    ]
    assert len({code_version(source) for source in [BEFORE, *changed]}) == 4


def test_a_change_in_a_module_it_uses_or_of_the_version_changes_it(code_version):
    versions = {code_version(BEFORE), code_version(BEFORE, "x = 1"), code_version(BEFORE, "", "2")}
    assert len(versions) == 3


def test_a_package_stands_for_all_its_modules(tmp_path, monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", tmp_path)
    for file in ("own.py", "many/__init__.py", "many/one.py", "many/deep/two.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x = 1")
    one = Step(asset="a", function="own:f", modules=("many.*", "own"), libraries=())
    assert one.all_modules == {"many", "many.one", "many.deep.two", "own"}
    step.source_digest.cache_clear()
    before = one.code_version
    step.source_digest.cache_clear()
    (tmp_path / "many/deep/two.py").write_text("x = 2")
    assert one.code_version != before
    step.source_digest.cache_clear()


def test_a_text_that_is_a_value_counts(code_version):
    assert code_version("def f():\n    return 'a'") != code_version("def f():\n    return 'b'")


def test_the_versions_of_libraries_are_those_installed():
    one = Step(asset="a", function="f:g", modules=(), libraries=("pillow",))
    assert one.library_versions == {"pillow": metadata.version("pillow"), "python": "3.11"}


def imported(node):
    """Modules of ``likeness`` that a piece of code imports, and under which names."""
    found = {}
    for one in ast.walk(node):
        if isinstance(one, ast.ImportFrom) and one.module and one.module.startswith("likeness"):
            for alias in one.names:
                whole = f"{one.module}.{alias.name}"
                is_module = module_file(whole).exists()
                found[alias.asname or alias.name] = whole if is_module else one.module
        if isinstance(one, ast.Import):
            # `import likeness.x` would escape the check below
            assert not any(alias.name.startswith("likeness") for alias in one.names)
    return found


def used_by_function(module, name):
    """Modules whose names a function uses, directly or through other names of its module."""
    tree = ast.parse(module_file(module).read_bytes())
    imports = imported(tree)
    defined = {}
    for node in tree.body:
        names = [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
        for own in [getattr(node, "name", None), *names]:
            defined[own] = node
    seen, ahead, modules = set(), [name], set()
    while ahead:
        current = ahead.pop()
        if current in seen:
            continue
        seen.add(current)
        modules |= {imports[current]} if current in imports else set()
        if current in defined:
            node = defined[current]
            modules |= set(imported(node).values())
            ahead += [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return modules


def closure(function):
    module, name = function.split(":")
    found, ahead = set(), used_by_function(module, name)
    while ahead:
        current = ahead.pop()
        if current not in found:
            found.add(current)
            ahead |= set(imported(ast.parse(module_file(current).read_bytes())).values())
    return found - {module}


@pytest.mark.parametrize("one", STEPS, ids=lambda one: one.function)
def test_a_step_names_every_module_that_its_function_reaches(one):
    reached = closure(one.function)
    assert reached - SAY_ONLY - PARAMETERS_ONLY - one.all_modules == set()


@pytest.mark.parametrize("module", sorted(PARAMETERS_ONLY))
def test_a_module_of_parameters_defines_models_and_no_functions(module):
    tree = ast.parse(module_file(module).read_bytes())
    assert not [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert classes
    assert {base.id for node in classes for base in node.bases} == {"BaseModel"}


def test_a_misspelt_package_is_no_empty_one(tmp_path, monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", tmp_path)
    one = Step(asset="a", function="own:f", modules=("manny.*",), libraries=())
    with pytest.raises(ValueError, match=r"manny\.\* names no package"):
        one.all_modules  # noqa: B018


def test_only_what_can_use_a_gpu_asks_for_one():
    asked = {one.asset: one.gpu for one in STEPS if one.asset.startswith("world/")}
    assert asked == {
        "world/base": True,
        "world/clip": False,
        "world/face": False,
        "world/reader": False,
    }
