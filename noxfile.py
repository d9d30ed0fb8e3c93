"""The tests on every supported Python that this machine has, torch on one of them only; the extension for VS Code; the site; odd inputs.

`nox` runs all sessions; the full gate (lint, format, types, own findings) is `.ci/run`.
"""

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False

WITH_TORCH = "3.11"


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Without torch the tests that execute programs skip themselves; everything that reads code still runs."""
    session.install("-e", ".[dev]" if session.python == WITH_TORCH else ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def vscode(session: nox.Session) -> None:
    """The extension for VS Code: compiled, and its side of the conversation with the server. Needs Node.js."""
    session.install("-e", ".[lsp]")
    session.chdir("editors/vscode")
    for command in (["ci"], ["run", "compile"], ["test"]):
        session.run("npm", *command, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, into `site/`; every link in it must lead somewhere."""
    session.install("-e", ".[docs,test]")
    session.run("mkdocs", "build", "--strict")
    session.run("python", "-m", "pytest", "tests/test_site.py")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Inputs that nobody wrote, and kills in the middle of fixing: `nox -s fuzz -- --minutes 10 --kills 30 --folder CODE`."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "fuzz", *session.posargs)
