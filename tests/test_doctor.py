"""What `torchlint doctor` says of machines that it is told of, and of this one."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Torchlint

from torchlint.sanity.doctor import advice, gather, show
from torchlint.sanity.doctor.asked import _dotted
from torchlint.sanity.doctor.diagnose import Finding, compiled_for, diagnose, fits
from torchlint.sanity.doctor.facts import Device, Driver, Facts, Torch

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="runs torch")
ARCHS = ("sm_75", "sm_80", "sm_86", "sm_90", "compute_90")
H100 = Device("NVIDIA H100", (9, 0), 80 * 2**30)
CPU = Torch("2.13.0+cpu", "/site/torch", said="Torch not compiled with CUDA enabled")
CUDA = Torch("2.9.1+cu126", "/site/torch", cuda="12.6", said="the word of torch")
WORKING = replace(CUDA, available=True, said="", devices=(H100,), archs=ARCHS)
ROCM = Torch("2.9.1+rocm6.4", "/site/torch", hip="6.4.43482", said="No HIP GPUs are available")
METAL = Torch("2.13.0", "/site/torch", mps_built=True, mps=True)
DRIVER = Driver("560.35.03", "12.6", 0, "", ("NVIDIA H100",))
PC = Facts("3.11.7", "Linux", torch=CUDA, driver=DRIVER, cards=frozenset({"nvidia"}))
"""One where torch and driver fit, and torch finds no GPU all the same."""
BARE = Facts("3.11.7", "Linux", torch=CUDA, nodes=False)
MAC = Facts("3.12.1", "Darwin", "arm64", torch=METAL)


def only(facts: Facts) -> Finding:
    [found] = diagnose(facts)
    return found


@pytest.mark.parametrize(
    "facts",
    [
        replace(PC, torch=WORKING),
        replace(PC, torch=WORKING, driver=replace(DRIVER, cuda="13.0")),
        replace(BARE, torch=CPU),
        replace(BARE, torch=CPU, cards=frozenset({"intel"})),
        replace(BARE, torch=replace(ROCM, available=True), rocm=True),
        replace(BARE, torch=replace(CPU, xpu="2025.1")),
        replace(PC, torch=CPU, container=True, nodes=False, driver=Driver("560.35.03")),
        MAC,
        replace(MAC, architecture="x86_64", torch=replace(METAL, mps=False)),
    ],
    ids=["gpu", "newer-driver", "cpu", "intel-display", "rocm", "xpu", "gpu-of-the-host-alone", "apple", "mac-with-intel"],
)
def test_what_fits_is_left_alone(facts: Facts) -> None:
    assert diagnose(facts) == ()


@pytest.mark.parametrize(
    ("facts", "what", "then"),
    [
        (
            replace(PC, torch=CPU),
            "built for the CPU only, and there is NVIDIA H100",
            "torch --index-url https://download.pytorch.org/whl/cu126",
        ),
        (
            replace(PC, torch=CPU, driver=None),
            "an NVIDIA GPU, without a driver",
            "driver 580 or newer (https://www.nvidia.com/drivers), then pip",
        ),
        (replace(PC, driver=None), "an NVIDIA GPU, and no driver for it", "NVIDIA driver 525 or newer"),
        (replace(PC, driver=None, container=True), "nothing of its driver in this container", "--gpus all"),
        (replace(PC, container=True, nodes=False, driver=Driver("560.35")), "no GPU was given to this container", "--gpus all"),
        (replace(PC, driver=Driver("560.35", said="")), "its library is not found", "install NVIDIA driver 525"),
        (replace(PC, driver=replace(DRIVER, cuda="11.8")), "runs CUDA 11.8 at most, and torch is built for 12.6", "whl/cu118, or install"),
        (replace(PC, driver=replace(DRIVER, cuda="11.4")), "runs CUDA 11.4 at most", "whl/cu118"),
        (replace(PC, driver=replace(DRIVER, cuda="10.2")), "runs CUDA 10.2 at most", "install NVIDIA driver 450 or newer"),
        (replace(PC, wsl=True, driver=replace(DRIVER, cuda="11.4")), "runs CUDA 11.4 at most", "in Windows, and none in WSL"),
        (replace(PC, driver=replace(DRIVER, status=803)), "library and its kernel module are of different versions", "restart"),
        (replace(PC, driver=Driver("560.35", said="NVML: Driver/library version mismatch")), "of different versions", "restart"),
        (replace(PC, driver=replace(DRIVER, status=804)), "cuda-compat", "LD_LIBRARY_PATH"),
        (replace(PC, environment={"CUDA_VISIBLE_DEVICES": "7"}), "is `7`, and no such GPU is here", "nvidia-smi -L"),
        (PC, "torch cannot use the GPU: the word of torch", "nvidia-smi"),
        (replace(PC, torch=ROCM), "built for AMD's GPUs (ROCm), and the GPU here is NVIDIA's", "whl/cu126"),
        (replace(BARE, torch=ROCM, rocm=True, cards=frozenset({"amd"})), "No HIP GPUs are available", "groups render and video"),
        (replace(BARE, torch=ROCM, cards=frozenset({"amd"})), "its driver (/dev/kfd) is not loaded", "rocm.docs.amd.com"),
        (replace(BARE, torch=ROCM, container=True, cards=frozenset({"amd"})), "is not loaded", "--device /dev/kfd"),
        (replace(MAC, torch=replace(METAL, mps=False)), "built for Metal, and finds none", "macOS"),
        (replace(MAC, torch=replace(METAL, mps=False, mps_built=False)), "built without Metal", "pip install --force-reinstall torch"),
        (replace(MAC, architecture="x86_64", rosetta=True, torch=replace(METAL, mps=False)), "runs translated", "arm64"),
        (replace(BARE, torch=CPU, shadow="torch.py"), "`torch.py` in this folder", "rename"),
    ],
)
def test_mismatch_is_told_with_what_to_do(facts: Facts, what: str, then: str) -> None:
    found = only(facts)

    assert found.mismatch
    assert what in found.what
    assert then in found.advice


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (BARE, "no NVIDIA GPU is found here"),
        (replace(BARE, torch=ROCM), "no AMD GPU is found here"),
        (replace(PC, cards=frozenset(), driver=Driver("560.35", "12.6", 100)), "no GPU that it could use"),
        (replace(PC, driver=replace(DRIVER, status=100), environment={"CUDA_VISIBLE_DEVICES": ""}), "is ``, which hides every GPU"),
        (replace(PC, driver=replace(DRIVER, status=100), environment={"CUDA_VISIBLE_DEVICES": "-1"}), "is `-1`, which hides every GPU"),
        (replace(BARE, torch=ROCM, rocm=True, environment={"HIP_VISIBLE_DEVICES": ""}), "HIP_VISIBLE_DEVICES is ``"),
        (replace(BARE, torch=CPU, rocm=True), "there is an AMD GPU"),
        (replace(PC, torch=WORKING, driver=replace(DRIVER, cuda="12.2")), "made for CUDA 12.2, torch for 12.6"),
    ],
)
def test_what_nobody_need_mend_is_a_note(facts: Facts, what: str) -> None:
    found = only(facts)

    assert not found.mismatch
    assert what in found.what


@pytest.mark.parametrize(
    ("failure", "more", "then"),
    [
        (
            "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory",
            {},
            "--force-reinstall torch --index-url",
        ),
        ("OSError: libcublas.so.12: cannot open shared object file: No such file or directory", {}, "whl/cu126"),
        ("ImportError: libcuda.so.1: cannot open shared object file", {}, "install NVIDIA driver"),
        (
            "ImportError: libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4, version libnvJitLink.so.12",
            {"environment": {"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"}},
            "unset it",
        ),
        ("ImportError: /lib64/libc.so.6: version `GLIBC_2.28' not found", {}, "newer Linux"),
        ("OSError: [WinError 126] The specified module could not be found. Error loading c10.dll", {"system": "Windows"}, "vc_redist"),
        ("ModuleNotFoundError: No module named 'typing_extensions'", {}, "pip install typing_extensions"),
        ("ModuleNotFoundError: No module named 'torch._C'", {"driver": None, "cards": frozenset()}, "whl/cpu"),
        ("importing it ends the process with status -4: no word on standard error", {}, "lacks instructions"),
    ],
)
def test_torch_that_cannot_be_imported_is_told_with_what_to_install(failure: str, more: Mapping[str, object], then: str) -> None:
    found = only(replace(PC, torch=None, failure=failure, **more))

    assert found == Finding(f"torch cannot be imported: {failure}", found.advice)
    assert then in found.advice


@pytest.mark.parametrize(
    ("driver", "wheel"),
    [("13.1", (13, 0)), ("12.9", (12, 8)), ("12.6", (12, 6)), ("12.2", (12, 6)), ("11.8", (11, 8)), ("11.2", (11, 8)), ("10.2", None)],
)
def test_wheel_is_the_newest_that_the_driver_runs(driver: str, wheel: tuple[int, int] | None) -> None:
    assert advice.wheel_for(driver) == wheel


@pytest.mark.parametrize(("cuda", "fit"), [("11.8", False), ("12.0", True), ("12.6", True), ("13.0", True), (None, None)])
def test_torch_fits_a_driver_of_its_major_version_or_newer(cuda: str | None, fit: bool | None) -> None:
    assert fits(replace(PC, driver=replace(DRIVER, cuda=cuda))) is fit


@pytest.mark.parametrize(
    ("capability", "archs", "runs"),
    [
        ((8, 9), ("sm_80", "sm_86"), True),
        ((8, 0), ("sm_86",), False),
        ((12, 0), ("sm_80", "sm_90"), False),
        ((12, 0), ("sm_80", "compute_90"), True),
        ((6, 1), ARCHS, False),
        ((9, 0), ("sm_90a",), True),
        ((10, 0), ("sm_90a",), False),
        ((10, 0), ("sm_100",), True),
        ((7, 0), (), True),
    ],
)
def test_kernels_run_on_the_generation_they_are_compiled_for(capability: tuple[int, int], archs: tuple[str, ...], runs: bool) -> None:
    assert compiled_for(capability, archs) is runs


def test_gpu_that_torch_has_no_kernels_for_is_a_mismatch() -> None:
    old = replace(WORKING, devices=(H100, Device("GTX 1080", (6, 1), 8 * 2**30)))
    found = only(replace(PC, torch=old))

    assert found.mismatch
    assert found.what.startswith("GTX 1080 has capability 6.1, and this torch is compiled for sm_75, ")


@pytest.mark.parametrize(("number", "written"), [(90100, "9.1.0"), (91002, "9.10.2"), (8907, "8.9.7"), (None, None)])
def test_cudnn_is_written_as_its_makers_do(number: int | None, written: str | None) -> None:
    assert _dotted(number) == written


def test_all_that_was_found_is_shown() -> None:
    text = show.as_text(replace(PC, torch=replace(WORKING, cudnn="9.1.0")), (), {"cpu": 3, "cuda": 2})

    for part in (
        "2.9.1+cu126",
        "CUDA 12.6",
        "560.35.03",
        "NVIDIA H100, capability 9.0, 80 GiB",
        "9.1.0",
        "rules on cpu",
        "2 rules on cuda",
    ):
        assert part in text
    assert text.endswith("\n\ntorch fits this machine.")


SMI = """#!/bin/sh
if [ "$1" = -L ]; then
    echo "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5c2f)"
    echo "GPU 1: NVIDIA A10"
else
    echo "| NVIDIA-SMI 535.104.05    Driver Version: 535.104.05    CUDA Version: 12.2 |"
fi
"""


def smi(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "nvidia-smi").write_text(text)
    (folder / "bin" / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(gather, "_ask", lambda what: {"cuda": None, "status": None})
    monkeypatch.setattr(gather, "_read", lambda path: "")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_nvidia_smi_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, SMI, monkeypatch)

    assert gather.driver() == Driver("535.104.05", "12.2", None, "", ("NVIDIA H100 80GB HBM3", "NVIDIA A10"))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_complaint_of_nvidia_smi_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, "#!/bin/sh\necho 'Failed to initialize NVML: Driver/library version mismatch'\nexit 18\n", monkeypatch)

    assert gather.driver() == Driver(said="Failed to initialize NVML: Driver/library version mismatch")


@pytest.mark.parametrize(
    "line",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.104.05  Release Build  (builder@host)",
    ],
)
def test_version_of_the_kernel_module_is_read(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_ask", lambda what: {"cuda": "12.2", "status": 0})
    monkeypatch.setattr(gather, "_output", lambda *command: ("", ""))
    monkeypatch.setattr(gather, "_read", lambda path: line + "\nGCC version: 12.2.0\n")

    assert gather.driver() == Driver("535.104.05", "12.2", 0)


def broken(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The command on a machine whose torch is this text."""
    (folder / "site" / "torch").mkdir(parents=True)
    (folder / "site" / "torch" / "__init__.py").write_text(text)
    start = f"import os, sys; sys.path.insert(0, {str(folder / 'site')!r}); os.environ['PYTHONPATH'] = {str(folder / 'site')!r}"
    code = f"{start}; sys.argv = ['torchlint', 'doctor', *{list(options)!r}]; from torchlint.__main__ import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_broken_torch_does_not_break_the_command(tmp_path: Path) -> None:
    done = broken(tmp_path, "raise ImportError('libcudart.so.12: cannot open shared object file')", "--output-format", "json")
    found = json.loads(done.stdout)

    assert (done.returncode, done.stderr, found["torch"]) == (1, "", None)
    assert found["findings"][0]["what"] == "torch cannot be imported: ImportError: libcudart.so.12: cannot open shared object file"
    assert "pip install --force-reinstall torch --index-url" in found["findings"][0]["advice"]


def test_torch_that_ends_its_process_is_told_about(tmp_path: Path) -> None:
    done = broken(tmp_path, "import os, sys; print('it is gone', file=sys.stderr); sys.stderr.flush(); os._exit(7)")

    assert done.returncode == 1
    assert "mismatch: torch cannot be imported: importing it ends the process with status 7: it is gone" in done.stdout
    assert "none can run" in done.stdout


@needs_torch
def test_torch_of_this_machine_is_found(torchlint: Torchlint) -> None:
    import torch

    result = torchlint("doctor", "--output-format", "json")
    found = json.loads(result.out)

    assert result.status == found["mismatch"]
    assert (found["torch"]["version"], found["torch"]["cuda"]) == (torch.__version__, torch.version.cuda)
    assert found["torch"]["available"] == torch.cuda.is_available()
    assert found["scenarios"]["cpu"] > 50


@needs_torch
def test_folder_that_hides_torch_is_seen(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("torch.py").write_text("")
    monkeypatch.setattr(gather, "_ask", lambda what: {"failure": "it is not asked here"})
    result = torchlint("doctor")

    assert result.status == 1
    assert "mismatch: `torch.py` in this folder is what scripts here import in the place of torch\n  rename it" in result.out


def test_doctor_without_torch_says_how_to_get_it(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = torchlint("doctor")

    assert (result.status, result.out) == (2, "")
    assert 'pip install "torchlint[sanity]"' in result.err


def test_colour_is_for_terminals(torchlint: Torchlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "gather", lambda: replace(PC, torch=CPU))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert "\x1b[" not in torchlint("doctor").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in torchlint("doctor").out
