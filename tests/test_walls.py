"""The import walls of the design: contracts on the ground floor, a core without network, one place for each runtime.

A rule is a line a folder. It holds for what is imported in turn, too: imports anywhere in a file count, those inside
functions as well.
"""

import ast
import subprocess
import sys
from functools import cache
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

VALUES = {
    *("anomaly_book", "cluster_map", "clustering", "edits", "exemplars", "explanation", "frame_checks", "model"),
    *("options", "recall"),
}
"""Of session, what other packages of the server may speak of."""
EVERYWHERE = {"errors", "metrics", "settings", "stream_keys"}
"""Files beside the packages that any of them may import; access, session and engine need fewer."""
SERVER = {
    "access": {"errors", "stream_keys"},
    "session": {"errors"},
    "engine": {"errors", "session"},
    "storage": EVERYWHERE | {"session.values"},
    "workers": EVERYWHERE | {"engine.codec", "engine.messages", "engine.shedding", "session.values"},
    "streams": EVERYWHERE | {"workers", "storage", "engine.messages", "session.values"},
    "rpc": EVERYWHERE | {"streams", "access", "workers", "session.values"},
}
"""What each package of the server may import of the others."""
FORBIDDEN = {
    "access": {"asyncio", "grpc"},
    "session": {
        *("asyncio", "os", "time", "logging", "random", "socket", "threading", "sqlite3", "subprocess"),
        *("onnxruntime", "grpc", "google", "prometheus_client", "pydantic", "redis"),
    },
    "engine": {"asyncio", "grpc", "prometheus_client", "pydantic", "redis", "sqlite3"},
    "storage": {"grpc", "onnxruntime"},
    "workers": {"grpc", "onnxruntime"},
    "streams": {"grpc", "onnxruntime"},
    "rpc": {"onnxruntime"},
}
"""Libraries that no file of a package imports, nor any of our files that these import in turn."""
CLIENT = {
    "sources": {"connection", "sinks", "commands", "demo", "page"},
    "sinks": {"connection", "sources", "commands", "page"},
    "feeds": {"commands", "demo", "page"},
    "page": {"commands", "demo"},
}
"""What packages of the client must not import, in turn neither."""
SERVER_IN_TRAINING = {"alarms", "explaining", "fitting", "evaluation", "exporting", "network", "run"}


@cache
def imports(file: Path) -> frozenset[str]:
    """Full names of the modules that a file imports anywhere, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: expected absolute imports"
            assert node.module
            # `from package import module` needs of the package no more than that module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                names.add(inner if file_of(inner) else node.module)
    return frozenset(names)


@cache
def file_of(module: str) -> Path | None:
    """Where a module of ours is, None for others."""
    top = module.split(".")[0]
    if top not in FOLDERS:
        return None
    path = FOLDERS[top].joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def in_turn(files: list[Path], packages: bool = False) -> dict[str, Path]:
    """Everything that files import directly or not: module -> the file of ours that imports it.

    With `packages`, what the packages that a module lies in import counts too: they run before it.
    """
    found: dict[str, Path] = {}
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        for module in imports(file):
            if module not in found:
                found[module] = file
                parts = module.split(".")
                own = [".".join(parts[: n + 1]) for n in range(len(parts))] if packages else [module]
                waiting += [path for name in own if (path := file_of(name))]
    return found


def files_of(package: str, folder: str = "") -> list[Path]:
    files = sorted((FOLDERS[package] / package / folder).rglob("*.py"))
    assert files
    return files


def tops(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(file)}


@pytest.mark.parametrize("package", FOLDERS)
def test_packages_import_the_contracts_and_no_neighbour(package: str) -> None:
    for file in files_of(package):
        ours = tops(file) & FOLDERS.keys() - {package} - CONTRACTS
        part = file.relative_to(FOLDERS[package] / package).parts[0].removesuffix(".py")
        if package == "motionscribe_training" and part in SERVER_IN_TRAINING:
            ours -= {"motionscribe_server"}
        assert not ours, f"{file.relative_to(ROOT)} imports {ours}"


def test_the_contracts_know_neither_server_frameworks_nor_torch() -> None:
    heavy = {"torch", "onnx", "onnxruntime", "river", "sklearn", "matplotlib", "rich", "pydantic", "pylsl"}
    for package in CONTRACTS:
        for file in files_of(package):
            assert not tops(file) & heavy, file
    assert not any("grpc" in tops(file) for file in files_of("motionscribe_models"))


@pytest.mark.parametrize("package", SERVER)
def test_packages_of_the_server_import_what_their_line_allows(package: str) -> None:
    for file in files_of("motionscribe_server", package):
        for module in imports(file):
            top, *rest = module.split(".")
            if top != "motionscribe_server" or not rest or rest[0] == package:
                continue
            names = {rest[0], ".".join(rest[:2])}
            if rest[0] == "session" and len(rest) > 1 and rest[1] in VALUES:
                names.add("session.values")
            assert names & SERVER[package], f"{file.relative_to(ROOT)} imports {module}"


def test_every_package_of_the_server_has_a_line() -> None:
    folders = {path.parent.name for path in (FOLDERS["motionscribe_server"] / "motionscribe_server").glob("*/*.py")}
    assert folders == SERVER.keys() == FORBIDDEN.keys()


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_library_comes_in_by_a_back_door(package: str) -> None:
    found = in_turn(files_of("motionscribe_server", package), packages=True)
    for module, file in found.items():
        assert module.split(".")[0] not in FORBIDDEN[package], f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("package", CLIENT)
def test_packages_of_the_client_do_not_know_each_other(package: str) -> None:
    for module, file in in_turn(files_of("motionscribe", package)).items():
        parts = module.split(".")
        assert parts[0] != "motionscribe" or parts[1:2] == [] or parts[1] not in CLIENT[package], (file, module)


def test_only_the_commands_of_the_client_know_the_demo() -> None:
    for file in files_of("motionscribe"):
        if file.parent.name not in ("demo", "commands"):
            assert not any(name.startswith("motionscribe.demo") for name in imports(file)), file


def test_only_the_command_of_the_client_knows_the_page() -> None:
    """The light client lives without a web server."""
    for file in files_of("motionscribe"):
        if file.parent.name != "page":
            users = {name for name in imports(file) if name.startswith("motionscribe.page")}
            assert not users or file.name == "page.py", (file, users)
            assert not tops(file) & {"starlette", "uvicorn"}, file


def test_data_of_training_imports_no_sibling() -> None:
    for file in files_of("motionscribe_training", "data"):
        own = [name.split(".")[1] for name in imports(file) if name.startswith("motionscribe_training.")]
        assert set(own) <= {"data", "errors"}, file


def test_no_module_imports_itself_in_turn() -> None:
    """No circle, of files or of the server's packages."""
    for package in FOLDERS:
        for file in files_of(package):
            assert file not in {file_of(module) for module in in_turn([file])}, file
    arrows = {
        package: {name.split(".")[0] for name in allowed} & SERVER.keys() - {package}
        for package, allowed in SERVER.items()
    }
    while arrows:
        ground = {package for package, others in arrows.items() if not others & arrows.keys()}
        assert ground, f"a circle among {sorted(arrows)}"
        arrows = {package: others for package, others in arrows.items() if package not in ground}


def test_the_core_lives_with_numpy_scipy_and_river_alone() -> None:
    absent = [*("onnxruntime", "grpc", "google", "pydantic", "prometheus_client", "redis", "rich")]
    absent += ["torch", "sklearn", "matplotlib", "onnx", "cryptography"]
    program = f"import sys; sys.modules.update(dict.fromkeys({absent})); import motionscribe_server.session"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_only_the_shell_of_the_server_imports_grpc() -> None:
    package = FOLDERS["motionscribe_server"] / "motionscribe_server"
    for file in files_of("motionscribe_server"):
        where = file.relative_to(package)
        if any(top.startswith("grpc") for top in tops(file)):
            assert where.parts[0] in ("rpc", "server.py"), where


def test_only_inference_imports_onnxruntime() -> None:
    users = [file for package in FOLDERS for file in files_of(package) if "onnxruntime" in tops(file)]
    assert [file.stem for file in users] == ["inference"]


def test_the_core_of_the_server_knows_no_chance() -> None:
    """Replaying a recording is a function of its frames."""
    for file in files_of("motionscribe_server", "session"):
        assert "numpy.random" not in imports(file)
        assert "np.random" not in file.read_text("utf-8")


def test_nothing_is_pickled() -> None:
    for package in FOLDERS:
        for file in files_of(package):
            assert not tops(file) & {"pickle", "cloudpickle", "joblib", "dill"}, file
            assert "allow_pickle=True" not in file.read_text("utf-8"), file


@pytest.mark.parametrize("package", FOLDERS)
def test_what_is_imported_is_the_standard_library_or_declared(package: str) -> None:
    """Nothing that only happens to be installed here."""
    declared = {"numpy", "google", "grpc", "rich", "scipy", "matplotlib", "pylsl", "onnxruntime", "river", "pydantic"}
    declared |= {"prometheus_client", "grpc_health", "grpc_reflection", "torch", "onnx", "PIL"}
    declared |= {"sklearn", "tqdm", "grpc_tools", "cryptography", "msgpack", "redis", "threadpoolctl", "h5py", "pyxdf"}
    declared |= {"starlette", "uvicorn", "cv2"}
    declared |= {"paho", "pyarrow", "pynwb", "ndx_ethogram", "pythonosc", "websockets"}
    declared |= {"_typeshed"}  # for type checkers, which bring it
    for file in files_of(package):
        unknown = tops(file) - set(sys.stdlib_module_names) - FOLDERS.keys() - declared
        assert not unknown, f"{file.relative_to(ROOT)} imports {unknown}"
