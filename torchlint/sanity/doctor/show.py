"""What was found as rows for people, and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from torchlint.sanity.doctor.diagnose import Finding, fits
from torchlint.sanity.doctor.facts import Facts, Torch

Scenarios = Mapping[str, int]
"""How many rules' scenarios can run here, by kind of device."""


def rows(facts: Facts, scenarios: Scenarios) -> list[tuple[str, str]]:
    torch, driver = facts.torch, facts.driver
    system = facts.system + (" in WSL" if facts.wsl else "") + (" in a container" if facts.container else "")
    found = [("Python", f"{facts.python}, {system}, {facts.architecture}")]
    if torch is None:
        found.append(("torch", "cannot be imported"))
    else:
        found += [("torch", f"{torch.version} in {torch.path}"), ("built for", torch.built_for)]
    if driver is None:
        found.append(("NVIDIA's driver", "none"))
    else:
        found.append(("NVIDIA's driver", f"{driver.version or 'of unknown version'}, runs CUDA up to {driver.cuda or '(unknown)'}"))
        found += [("", each) for each in driver.gpus]
    found.append(("do they fit", {True: "yes", False: "no", None: "nothing to compare"}[fits(facts)]))
    found += [(name, value or "(empty)") for name, value in facts.environment.items()]
    if torch is not None:
        found += _usable(torch)
    found.append(("scenarios", ", ".join(f"those of {number} rules on {kind}" for kind, number in scenarios.items()) or "none can run"))
    return found


def _usable(torch: Torch) -> list[tuple[str, str]]:
    found = [("torch.cuda", "is available" if torch.available else f"is not available: {torch.said}")]
    for index, each in enumerate(torch.devices):
        capability = "" if torch.hip is not None else f"capability {each.capability[0]}.{each.capability[1]}, "
        found.append((f"cuda:{index}", f"{each.name}, {capability}{each.memory / 2**30:.0f} GiB"))
    found.append(("cuDNN", torch.cudnn or "none"))
    found.append(("MPS", "is available" if torch.mps else "is built in, and not available" if torch.mps_built else "is not built in"))
    return found


def as_json(facts: Facts, findings: Sequence[Finding], scenarios: Scenarios) -> str:
    known = {**asdict(facts), "cards": sorted(facts.cards)}
    found = {
        "mismatch": any(each.mismatch for each in findings),
        "fits": fits(facts),
        "findings": [asdict(each) for each in findings],
        "scenarios": dict(scenarios),
        **known,
    }
    return json.dumps(found, indent=2)


def as_text(facts: Facts, findings: Sequence[Finding], scenarios: Scenarios) -> str:
    lines = [f"{name:<{_WIDTH}}  {value}" for name, value in rows(facts, scenarios)]
    for each in findings:
        lines += ["", f"{_kind(each)}: {each.what}", *([f"  {each.advice}"] if each.advice else [])]
    return "\n".join([*lines, "", conclusion(findings)])


def show(facts: Facts, findings: Sequence[Finding], scenarios: Scenarios) -> None:
    """The same in colour, fitted to the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(force_terminal=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in rows(facts, scenarios):
        table.add_row(Text(name, "bold"), Text(value))
    console.print(table)
    for each in findings:
        console.print("", Text.assemble((f"{_kind(each)}: ", "bold red" if each.mismatch else "bold yellow"), each.what), sep="\n")
        if each.advice:
            console.print(Text(f"  {each.advice}", "green"), soft_wrap=True)  # a command is copied in one piece
    console.print("", Text(conclusion(findings), "bold red" if any(each.mismatch for each in findings) else "bold green"), sep="\n")


def conclusion(findings: Sequence[Finding]) -> str:
    return "torch and this machine do not fit." if any(each.mismatch for each in findings) else "torch fits this machine."


def _kind(finding: Finding) -> str:
    return "mismatch" if finding.mismatch else "note"


_WIDTH = len("CUDA_VISIBLE_DEVICES")
