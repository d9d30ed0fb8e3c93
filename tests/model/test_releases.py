"""Which versions of torch may run a place: what the project says, and what the checks around the place leave of that."""

import textwrap

import libcst as cst
import pytest

from torchlint.facts.declared import presence_of
from torchlint.facts.versions import Range, versions
from torchlint.model import FileModel
from torchlint.program.analysis import FileAnalysis
from torchlint.settings import Settings

IMPORTS = """\
import sys
import unittest
import importlib.metadata
import pytest
import torch
import torch.nn as nn
import packaging.version
from distutils.version import LooseVersion
from packaging import version
from packaging.version import Version, parse
from pkg_resources import get_distribution, parse_version
from torch import __version__ as torch_version
"""
NEWEST = versions()[-1]


def found(text: str, torch_version: str | None = None, newest: str | None = None) -> Range:
    """The versions at the call `here()`, or at the module where there is none."""
    file = FileModel(FileAnalysis(text, Settings(torch_version=torch_version, newest_torch=newest)))
    calls = [each for each in file.nodes(cst.Call) if file.source(each) == "here()"]
    return file.torch(calls[0] if calls else file.analysis.module)


def at(code: str, torch_version: str = "1.7", newest: str | None = None) -> tuple[str, str] | None:
    """The same below the usual imports, in words; None where nothing can be said."""
    between = found(IMPORTS + textwrap.dedent(code), torch_version, newest)
    words = ["newest" if each == NEWEST else ".".join(map(str, each)) for each in (between.oldest, between.newest)]
    return None if between.is_doubtful else (words[0], words[1])


@pytest.mark.parametrize(("given", "oldest"), [("2.1", (2, 1)), ("2.1.2", (2, 1)), ("1.7", (1, 7))])
def test_oldest_version_is_the_one_that_the_settings_name(given: str, oldest: tuple[int, int]) -> None:
    assert found("import torch\n", given) == Range(oldest, NEWEST)


def test_newest_version_stands_for_a_project_that_names_none() -> None:
    assert found("import torch\n") == Range(NEWEST, NEWEST)


def test_limit_of_a_project_is_its_newest_version_and_stands_alone_where_no_oldest_is_known() -> None:
    assert found("import torch\n", "1.13", "2.2") == Range((1, 13), (2, 2))
    assert found("import torch\n", None, "2.2") == Range((2, 2), (2, 2))
    assert found("import torch\n", "9.1") == Range((9, 1), (9, 1))


TESTS = {
    "a version object": ('version.parse(torch.__version__) >= version.parse("2.1")', ("2.1", "newest"), ("1.7", "2.0")),
    "a version object by its full name": (
        'packaging.version.parse(torch.__version__) < Version("2.0")',
        ("1.7", "1.13"),
        ("2.0", "newest"),
    ),
    "the base version": ('parse(parse(torch.__version__).base_version) >= parse("1.13")', ("1.13", "newest"), ("1.7", "1.12")),
    "an old version object": ('LooseVersion(torch.__version__) > LooseVersion("1.9")', ("1.9", "newest"), ("1.7", "1.9")),
    "one of setuptools": ('parse_version(torch_version) < parse_version("1.10.1")', ("1.7", "1.10"), ("1.10", "newest")),
    "torch's own version with a text": ('torch.__version__ >= "1.10"', ("1.10", "newest"), ("1.7", "1.9")),
    "with a tuple": ("torch.__version__ >= (2, 1)", ("2.1", "newest"), ("1.7", "2.0")),
    "the other way round": ('"2.0" <= torch.__version__', ("2.0", "newest"), ("1.7", "1.13")),
    "between": ('"1.9" <= torch.__version__ < "2.2"', ("1.9", "2.1"), ("1.7", "newest")),
    "one version": ('torch.__version__.startswith("1.7.")', ("1.7", "1.7"), ("1.8", "newest")),
    "a major version as text": ('torch.__version__.startswith("1.")', ("1.7", "1.13"), ("2.0", "newest")),
    "its first letter": ('torch.__version__[0] == "1"', ("1.7", "1.13"), ("2.0", "newest")),
    "a patch release": ('torch.__version__ == "1.7.1"', ("1.7", "1.7"), ("1.7", "newest")),
    "no such version": ('torch.__version__ != "1.7.0"', ("1.7", "newest"), ("1.7", "1.7")),
    "some versions": ('torch.__version__ in ("1.7.0", "1.7.1", "1.8.0")', ("1.7", "1.8"), ("1.7", "newest")),
    "any of some": ('any(torch.__version__.startswith(each) for each in ["1.7.", "1.8."])', ("1.7", "1.8"), ("1.9", "newest")),
    "a part of the text": ('"1.8." in torch.__version__', ("1.8", "1.8"), ("1.7", "newest")),
    "a tuple of numbers": (
        'tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 1)',
        ("2.1", "newest"),
        ("1.7", "2.0"),
    ),
    "a generator of numbers": (
        'tuple(int(each) for each in torch.__version__.split("+")[0].split(".") if each.isdigit()) < (1, 9)',
        ("1.7", "1.8"),
        ("1.9", "newest"),
    ),
    "a list of numbers": ('[int(n) for n in torch.__version__.split(".")[:2]] >= [1, 10]', ("1.10", "newest"), ("1.7", "1.9")),
    "the major number": ('int(torch.__version__.split(".")[0]) < 2', ("1.7", "1.13"), ("2.0", "newest")),
    "the major number of a version": ("Version(torch.__version__).major == 1", ("1.7", "1.13"), ("2.0", "newest")),
    "a release": ("parse(torch.__version__).release[:2] >= (1, 12)", ("1.12", "newest"), ("1.7", "1.11")),
    "a fraction": ("float(torch.__version__[:3]) >= 2.0", ("2.0", "newest"), ("1.7", "1.13")),
    "metadata": ('Version(importlib.metadata.version("torch")) >= Version("2.0")', ("2.0", "newest"), ("1.7", "1.13")),
    "a distribution": (
        'parse_version(get_distribution("torch").version) >= parse_version("2")',
        ("2.0", "newest"),
        ("1.7", "1.13"),
    ),
    "a name that came later": ('hasattr(torch.amp, "GradScaler")', ("2.3", "newest"), ("1.7", "2.2")),
    "a name that is older than the tables": ('hasattr(torch, "compile")', ("1.7", "newest"), ("1.7", "1.13")),
    "the value of a name": ('getattr(torch.amp, "GradScaler", None) is not None', ("2.3", "newest"), ("1.7", "2.2")),
    "both": ('torch.__version__ >= "1.9" and hasattr(torch.amp, "GradScaler")', ("2.3", "newest"), ("1.7", "2.2")),
    "with something else": ('torch.__version__ >= "2.0" and flag', ("2.0", "newest"), ("1.7", "newest")),
    "or something else": ('torch.__version__ >= "2.0" or flag', ("1.7", "newest"), ("1.7", "1.13")),
    "not": ('not torch.__version__ >= "2.0"', ("1.7", "1.13"), ("2.0", "newest")),
    "something else": ("flag", ("1.7", "newest"), ("1.7", "newest")),
    "a flag that is off": ("DEBUG", ("1.7", "newest"), ("1.7", "newest")),
    "a function of several ways": ("is_special()", None, None),
    "numbers with a sign": ("flag == -1 and ~flag", ("1.7", "newest"), ("1.7", "newest")),
    "another version": ("sys.version_info >= (3, 9)", ("1.7", "newest"), ("1.7", "newest")),
    "the version of a build": ("torch.version.cuda is None", ("1.7", "newest"), ("1.7", "newest")),
    "a name of the module": ("TORCH_2", ("2.0", "newest"), ("1.7", "1.13")),
    "a name of the function": ("is_new", ("2.2", "newest"), ("1.7", "2.1")),
    "numbers by name": ("MAJOR > 1 or MAJOR == 1 and MINOR >= 10", ("1.10", "newest"), ("1.7", "1.9")),
    "a function": ("is_modern()", ("1.11", "newest"), ("1.7", "1.10")),
    "a version that cannot be read": ("config.version >= 2", None, None),
    "a version from elsewhere": ("IS_TORCH_2", None, None),
    "a function from elsewhere": ('is_torch_greater_or_equal("2.1")', None, None),
    "a name that the tables lack": ('hasattr(torch, "fancy")', None, None),
    "a build": ('"+cu" in torch.__version__', None, None),
}
NAMES = """\
TORCH_2 = version.parse(torch.__version__) >= version.parse("2.0")
MAJOR, MINOR = map(int, torch.__version__.split(".")[:2])

DEBUG = False

def is_special():
    if DEBUG:
        return torch.__version__ >= "2.0"

def is_modern():
    return Version(torch.__version__) >= Version("1.11")

"""


@pytest.mark.parametrize("title", TESTS)
def test_check_bounds_both_of_its_arms(title: str) -> None:
    test, inside, outside = TESTS[title]
    head = NAMES + 'def f(flag, config):\n    is_new = torch.__version__ >= "2.2"\n'

    assert at(f"{head}    if {test}:\n        here()\n") == inside
    assert at(f"{head}    if {test}:\n        pass\n    else:\n        here()\n") == outside
    assert at(f"{head}    if {test}:\n        return\n    here()\n") == outside
    assert at(f"{head}    x = here() if {test} else 0\n") == inside


PLACES = {
    "in a function under a check": 'if torch.__version__ >= "2.1":\n    def f():\n        here()\n',
    "in a method of a class under a check": 'if torch.__version__ >= "2.1":\n    class C:\n        def f(self):\n            here()\n',
    "below a module that stops": 'if torch.__version__ < "2.1":\n    raise RuntimeError\n\ndef f():\n    here()\n',
    "in a lambda": 'f = (lambda: here()) if torch.__version__ >= "2.1" else None\n',
    "in a test that is skipped": '@pytest.mark.skipif(torch.__version__ < "2.1", reason="old")\ndef test_f():\n    here()\n',
    "in a skipped test case": '@unittest.skipUnless(torch.__version__ >= "2.1", "old")\nclass T:\n    def f(self):\n        here()\n',
    "under two checks": 'if torch.__version__ >= "1.9":\n    if torch.__version__ >= "2.1":\n        here()\n',
    "behind a short circuit": 'torch.__version__ >= "2.1" and here()\n',
    "in a later branch": 'if torch.__version__ < "1.9":\n    pass\nelif torch.__version__ < "2.1":\n    pass\nelse:\n    here()\n',
}


@pytest.mark.parametrize("title", PLACES)
def test_checks_around_functions_count(title: str) -> None:
    assert at(PLACES[title]) == ("2.1", "newest")


def test_code_for_no_supported_version_is_in_doubt() -> None:
    assert at('if torch.__version__ < "1.5":\n    here()\n') is None
    assert at('if torch.__version__ >= "2.4":\n    here()\n', newest="2.2") is None
    assert found(f'{IMPORTS}if torch.__version__ < "2.0":\n    here()\n').is_doubtful


def test_imports_that_may_fail_bound_what_holds_them_and_what_replaces_them() -> None:
    code = "try:\n    from torch.amp import GradScaler\n    {}\nexcept ImportError:\n    {}\n"

    assert at(code.format("here()", "pass")) == ("2.3", "newest")
    assert at(code.format("pass", "here()")) == ("1.7", "2.2")
    assert at(code.replace("ImportError", "(ImportError, OSError)").format("pass", "here()")) == ("1.7", "2.2")
    assert at(code.replace("ImportError", "OSError").format("pass", "here()")) == ("1.7", "newest")
    assert at("try:\n    from torch.secret import name\n    here()\nexcept ImportError:\n    pass\n") is None
    assert at("try:\n    import apex\n    here()\nexcept ImportError:\n    pass\n") == ("1.7", "newest")
    assert at("try:\n    scaler = torch.amp.GradScaler\nexcept AttributeError:\n    here()\n") == ("1.7", "2.2")
    assert at("try:\n    scaler = torch.amp.GradScaler\nexcept:\n    here()\n") == ("1.7", "newest")


@pytest.mark.parametrize(
    "test",
    [
        'torch.__version__ >= torch.__version__.split(".")[9]',
        "torch.__version__.split(0)",
        "int(torch.__version__)",
        "LOOP >= 2 or version_of",
        'Version(torch.__version__) >= "new"',
        "tuple(map(version, torch.__version__)) > ()",
        "torch.__version__ >= ()[0]",
        "int(float(torch.__version__[:0] + 'inf')) > 1",
        "torch.__version__" + '.replace("", "xxxxxxxxxxxxxxxxxxxx")' * 40 + " > ''",
    ],
)
def test_checks_that_make_no_sense_are_in_doubt(test: str) -> None:
    assert at(f"LOOP = PARTNER\nPARTNER = LOOP\nif {test}:\n    here()\n") is None


@pytest.mark.parametrize(
    ("oldest", "newest", "spans", "every", "some"),
    [
        ((2, 0), (2, 5), "2.0-", True, True),
        ((2, 0), (2, 5), "2.3-", False, True),
        ((2, 0), (2, 5), "2.6-", False, False),
        ((2, 2), (2, 5), "-2.3,2.5-", False, True),
        ((1, 5), (1, 9), "2.3-", False, False),
        ((1, 5), (1, 9), "", True, True),
    ],
)
def test_range_says_whether_all_of_its_versions_have_something_or_some(
    oldest: tuple[int, int], newest: tuple[int, int], spans: str, every: bool, some: bool
) -> None:
    supported = Range(oldest, newest)

    assert (supported.all_have(presence_of(spans)), supported.any_has(presence_of(spans))) == (every, some)
