"""The import walls of the design: contracts on the ground floor, a core without network, one place for each runtime."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "motionscribe_proto": ROOT / "proto",
    "motionscribe_models": ROOT / "models",
    "motionscribe": ROOT / "client",
    "motionscribe_server": ROOT / "server",
    "motionscribe_training": ROOT / "training",
}
CONTRACTS = {"motionscribe_proto", "motionscribe_models"}
SERVICES = {"service", "answering", "models_service", "clusters_service"}
GRPC_OF_THE_SERVER = SERVICES | {"server", "guard", "command", "__main__"}
SERVER_IN_TRAINING = {"evaluate", "fit", "table", "export", "run", "states", "motion"}
CORE = {
    "intake",
    "window",
    "model",
    "options",
    "embedding",
    "evidence",
    "segmenter",
    "labeller",
    "stability",
    "forecast",
    "timeline",
}
CORE |= {"tally", "span", "anomaly", "anomaly_reference", "session", "replay"}
NOT_PURE = {"asyncio", "logging", "time", "random", "socket", "threading", "os", "sqlite3", "grpc", "prometheus_client"}


def imports(file: Path) -> set[str]:
    """Full names of the modules that a file imports anywhere, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: expected absolute imports"
            names.add(node.module or "")
    return names


def files_of(package: str) -> list[Path]:
    return sorted((FOLDERS[package] / package).rglob("*.py"))


def tops(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(file)}


@pytest.mark.parametrize("package", FOLDERS)
def test_packages_import_the_contracts_and_no_neighbour(package: str) -> None:
    files = files_of(package)
    assert files
    for file in files:
        ours = tops(file) & FOLDERS.keys() - {package} - CONTRACTS
        if package == "motionscribe_training" and file.stem in SERVER_IN_TRAINING:
            ours -= {"motionscribe_server"}
        assert not ours, f"{file.relative_to(ROOT)} imports {ours}"


def test_the_contracts_know_neither_server_frameworks_nor_torch() -> None:
    heavy = {"torch", "onnx", "onnxruntime", "river", "sklearn", "matplotlib", "rich", "pydantic", "pylsl"}
    for package in CONTRACTS:
        for file in files_of(package):
            assert not tops(file) & heavy, file
    assert not any("grpc" in tops(file) for file in files_of("motionscribe_models"))


def test_only_the_shell_of_the_server_imports_grpc() -> None:
    shell = {file.stem for file in files_of("motionscribe_server") if any(t.startswith("grpc") for t in tops(file))}
    assert {"server", "service"} <= shell <= GRPC_OF_THE_SERVER


def test_only_inference_imports_onnxruntime() -> None:
    users = [file for package in FOLDERS for file in files_of(package) if "onnxruntime" in tops(file)]
    assert [file.stem for file in users] == ["inference"]


@pytest.mark.parametrize("module", sorted(CORE))
def test_the_core_of_the_server_is_pure(module: str) -> None:
    """No network, no clock, no log, no chance: replaying a recording is a function of its frames."""
    file = FOLDERS["motionscribe_server"] / "motionscribe_server" / f"{module}.py"
    assert not tops(file) & NOT_PURE
    assert "numpy.random" not in imports(file)
    assert "np.random" not in file.read_text("utf-8")


def test_nothing_is_pickled_but_between_our_own_processes() -> None:
    for package in FOLDERS:
        for file in files_of(package):
            if file.name == "exchange.py":
                continue
            assert not tops(file) & {"pickle", "cloudpickle", "joblib", "dill"}, file
            assert "allow_pickle=True" not in file.read_text("utf-8"), file


@pytest.mark.parametrize("package", FOLDERS)
def test_what_is_imported_is_the_standard_library_or_declared(package: str) -> None:
    """Nothing that only happens to be installed here."""
    declared = {"numpy", "google", "grpc", "rich", "scipy", "matplotlib", "pylsl", "onnxruntime", "river", "pydantic"}
    declared |= {"pydantic_settings", "prometheus_client", "grpc_health", "grpc_reflection", "torch", "onnx", "PIL"}
    declared |= {"sklearn", "tqdm", "grpc_tools", "cryptography", "redis"}
    declared |= {"_typeshed"}  # for type checkers, which bring it
    for file in files_of(package):
        unknown = tops(file) - set(sys.stdlib_module_names) - FOLDERS.keys() - declared
        assert not unknown, f"{file.relative_to(ROOT)} imports {unknown}"
