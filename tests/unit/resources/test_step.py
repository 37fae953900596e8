from importlib import metadata

import pytest

from assets_defs.steps import STEPS
from resources import step
from resources.step import Step

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
        forget()
        write(tmp_path, {"own": f"{own}\nfrom likeness.used import x\ndef f():\n    return x\n"})
        write(tmp_path, {"used": used or "x = 0"})
        return Step(
            asset="a", function="likeness.own:f", libraries=(), version=version
        ).code_version

    yield of
    forget()


def forget():
    for cached in (step._facts, step.reached, step.file_digest):
        cached.cache_clear()


def write(root, sources):
    for name, source in sources.items():
        file = root / "likeness" / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source)


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


@pytest.fixture
def reached(tmp_path, monkeypatch):
    """Short names of the modules that ``likeness.own:f`` reaches."""
    monkeypatch.setattr(step, "REPOSITORY", tmp_path)

    def of(**sources):
        forget()
        write(tmp_path, dict.fromkeys(("a", "b", "c"), "x = 1") | sources)
        return {name.removeprefix("likeness.") for name in step.reached("likeness.own:f")}

    yield of
    forget()


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ("from likeness.a import x\ndef f():\n    return x", "a"),
        ("from likeness import a\ndef f():\n    return a.x", "a"),
        ("def f():\n    from likeness.a import x\n    return x", "a"),
        # through another function, and through a constant
        ("def g():\n    from likeness.a import x\ndef f():\n    g()", "a"),
        ("from likeness.a import x\nY = x\ndef f():\n    return Y", "a"),
        # another task of the same module
        ("from likeness.a import x\ndef g():\n    return x\ndef f():\n    pass", ""),
        ("if TYPE_CHECKING:\n    from likeness.a import x\ndef f() -> 'x':\n    pass", ""),
        ("import numpy\nfrom json import dumps\ndef f():\n    dumps(numpy.pi)", ""),
    ],
)
def test_what_a_function_reaches(reached, own, found):
    assert reached(own=own) == {"own", *found}


def test_what_is_reached_reaches_further_and_in_circles(reached):
    own = "from likeness.a import x\ndef f():\n    return x"
    assert reached(own=own, a="from likeness.b import x", b="from likeness.a import x") == {
        *("own", "a", "b")
    }


def test_what_only_says_is_left_out():
    for one in STEPS:
        assert not one.modules & step.SAY_ONLY
        assert one.function.split(":")[0] in one.modules


def test_bytes_of_files_count(tmp_path, monkeypatch):
    monkeypatch.setattr(step, "REPOSITORY", tmp_path)
    forget()
    write(tmp_path, {"own": "def f():\n    pass"})
    one = Step(asset="a", function="likeness.own:f", libraries=(), files=("w.bin",))
    versions = {one.code_version}
    for content in (b"1", b"2"):
        (tmp_path / "w.bin").write_bytes(content)
        step.file_digest.cache_clear()
        versions.add(one.code_version)
    assert len(versions) == 3
    forget()


def test_a_text_that_is_a_value_counts(code_version):
    assert code_version("def f():\n    return 'a'") != code_version("def f():\n    return 'b'")


def test_the_versions_of_libraries_are_those_installed():
    one = Step(asset="a", function="f:g", libraries=("pillow",))
    assert one.library_versions == {"pillow": metadata.version("pillow"), "python": "3.11"}


def test_only_what_can_use_a_gpu_asks_for_one():
    asked = {one.asset: one.gpu for one in STEPS if one.asset.startswith("world/")}
    assert asked == {
        "world/base": True,
        "world/clip": False,
        "world/face": False,
        "world/reader": False,
    }
