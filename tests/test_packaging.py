"""What is installed: the wheel holds the five packages and nothing else, and the light client lives without extras."""

import configparser
import json
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from motionscribe_models.repository import Repository

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INFO = f"motionscribe-{PROJECT['version']}.dist-info"
PACKAGES = {
    "motionscribe": "client",
    "motionscribe_server": "server",
    "motionscribe_training": "training",
    "motionscribe_models": "models",
    "motionscribe_proto": "proto",
}
MODULES = {
    "server-cpu": ("onnxruntime", "pydantic", "river", "prometheus_client", "grpc_health"),
    "training": ("torch", "onnx", "sklearn", "scipy", "matplotlib", "PIL", "tqdm"),
    "report": ("matplotlib",),
    "mat": ("scipy",),
    "h5": ("h5py",),
    "xdf": ("pyxdf",),
    "lsl": ("pylsl",),
    "mqtt": ("paho",),
    "osc": ("pythonosc",),
    "websocket": ("websockets",),
    "camera": ("cv2",),
    "page": ("starlette", "uvicorn", "websockets"),
    "signing": ("cryptography",),
}
"""What each extra brings."""


PAGE = (".css", ".html", ".js", ".svg")
"""What the page consists of, beside Python."""


def without(extras: Iterable[str], program: str) -> subprocess.CompletedProcess[str]:
    """Runs a program where these extras are not installed."""
    absent = {module: None for extra in extras for module in MODULES[extra]}
    # to Python, a module that is None in here is not installed
    command = [sys.executable, "-c", f"import sys; sys.modules.update({absent}); {program}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def entry(command: str) -> str:
    """A Python expression for the function that a console script calls."""
    module, function = PROJECT["scripts"][command].split(":")
    return f"__import__('importlib').import_module('{module}').{function}"


# -- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def below(wheel: zipfile.ZipFile, folder: str) -> set[str]:
    """Names of files, relative to a folder."""
    return {name.removeprefix(folder + "/") for name in wheel.namelist() if name.startswith(folder + "/")}


@pytest.mark.slow
def test_wheel_holds_the_five_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {*PACKAGES, INFO}
    for package, folder in PACKAGES.items():
        source = ROOT / folder / package
        on_disk = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
        found = {name for name in below(wheel, package) if not name.startswith("shipped/")}
        assert found == {name for name in on_disk if "__pycache__" not in name and "node_modules" not in name}
        assert "py.typed" in on_disk


@pytest.mark.slow
def test_wheel_carries_the_contract_and_no_data(wheel: zipfile.ZipFile) -> None:
    stubs = {"segmentation.proto", "segmentation_pb2.py", "segmentation_pb2.pyi", "segmentation_pb2_grpc.py"}
    assert stubs <= below(wheel, "motionscribe_proto")
    for package in PACKAGES:
        for name in below(wheel, package):
            if not name.startswith("shipped/"):
                assert Path(name).suffix in (".py", ".pyi", ".proto", ".typed", *PAGE), name
            assert not Path(name).name.startswith(("test_", "conftest")), name


@pytest.mark.slow
def test_wheel_has_the_shipped_models_and_no_other(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    shipped = tmp_path / "motionscribe_models" / "shipped"
    repository = Repository(shipped)
    assert sorted(repository.names()) == ["body", "body2d", "cmu-expmap"]
    for name in repository.names():
        repository.load(name, "latest")  # checks every digest
    assert sum(file.stat().st_size for file in shipped.rglob("*") if file.is_file()) < 20e6


@pytest.mark.slow
def test_an_installed_wheel_serves_them_from_any_folder(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """In an environment of its own, with nothing of this checkout."""
    environment = tmp_path / "env"
    venv.create(environment)
    programs = str(environment / "bin")
    install = [sys.executable, "-m", "pip", "--python", programs + "/python", "install", "--quiet", "--no-compile"]
    requirement = f"motionscribe[server-cpu] @ {Path(wheel.filename or '').as_uri()}"
    subprocess.run([*install, requirement], check=True, cwd=tmp_path)
    flags = ["--port=0", "--workers=1", f"--storage-location={tmp_path}/s.sqlite"]
    serve = [f"{programs}/motionscribe-server", *flags]
    with subprocess.Popen(serve, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = (server.stdout.readline() if server.stdout else "").removeprefix("listening on ").strip()
            models = [f"{programs}/motionscribe", "models", "--json", "--address", address]
            told = subprocess.run(models, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        finally:
            server.terminate()
    assert {json.loads(line)["name"] for line in told.splitlines()} == {"body", "body2d", "cmu-expmap"}


@pytest.mark.slow
def test_wheel_says_licence_scripts_and_extras(wheel: zipfile.ZipFile) -> None:
    assert below(wheel, INFO) == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert wheel.read(f"{INFO}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    said = message_from_bytes(wheel.read(f"{INFO}/METADATA"))
    assert said["License-Expression"] == "MIT"
    assert set(said.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    scripts = configparser.ConfigParser()
    scripts.read_string(wheel.read(f"{INFO}/entry_points.txt").decode())
    assert {name: set(scripts[name]) for name in scripts.sections()} == {
        "console_scripts": {"motionscribe", "motionscribe-server", "motionscribe-train"}
    }


def test_the_two_onnx_runtimes_are_never_asked_for_together() -> None:
    """They own the same folder: whichever is installed second breaks the first."""
    extras = PROJECT["optional-dependencies"]
    for name, requirements in extras.items():
        runtimes = [text for text in requirements if text.startswith("onnxruntime")]
        assert len(runtimes) == (1 if name in ("server", "server-cpu") else 0), name
    installed = [chosen.split(",") for chosen in re.findall(r"'\.\[(.*?)\]'", (ROOT / "Makefile").read_text())]
    assert installed
    for chosen in installed:
        assert set(chosen) <= set(extras) - {"server"}, "the README's commands need no GPU"


# -- without extras


def test_the_light_client_needs_no_extra() -> None:
    done = without(MODULES, "import motionscribe, motionscribe.cli")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["motionscribe", "motionscribe-train"])
def test_help_needs_no_extra(command: str) -> None:
    done = without(MODULES, f"{entry(command)}(['--help'])")
    assert done.returncode == 0, done.stderr
    assert f"usage: {command}" in done.stdout


@pytest.mark.parametrize(
    ("command", "arguments", "extra"),
    [
        ("motionscribe", ["demo"], "server-cpu"),
        ("motionscribe", ["demo"], "report"),
        ("motionscribe", ["page"], "page"),
        ("motionscribe-server", [], "server-cpu"),
        ("motionscribe-train", ["run", "--trial", "01"], "training"),
        ("motionscribe-train", ["evaluate", "models/cmu-expmap/1"], "server-cpu"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(command: str, arguments: list[str], extra: str) -> None:
    done = without([extra], f"sys.exit({entry(command)}({arguments}))")
    assert done.returncode > 0
    assert f'pip install "motionscribe[{extra}]"' in done.stderr.splitlines()[-1]


def test_a_server_without_onnx_runtime_says_so_before_it_starts_workers() -> None:
    program = f"sys.modules['onnxruntime'] = None; sys.exit({entry('motionscribe-server')}(['config', 'show']))"
    done = without([], program)
    assert done.returncode == 2
    expected = 'motionscribe-server: onnxruntime needs an extra: pip install "motionscribe[server-cpu]"'
    assert done.stderr.splitlines()[-1] == expected


def test_what_is_taken_away_is_away() -> None:
    for module in MODULES["server-cpu"]:
        assert "ModuleNotFoundError" in without(["server-cpu"], f"import {module}").stderr
