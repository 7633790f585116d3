"""The Dockerfile as far as it can be tested without Docker.

What it copies is there, what it installs resolves, what it starts answers its own health check and ends on SIGTERM.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import trustme

from motionscribe.cli import main
from tests.support.redis_server import free_port

ROOT = Path(__file__).parents[1]
TARGETS = ("cpu", "gpu")
BIN = Path(sys.executable).parent


@dataclass
class Stage:
    """FROM base AS name, and what follows."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, verb: str) -> list[str]:
        """Arguments of each `verb`, in order."""
        return [rest for word, rest in self.steps if word == verb]

    def copies(self) -> list[tuple[str | None, list[str], str]]:
        """Each COPY: the stage it takes from or None, sources, destination."""
        found = []
        for rest in self.all("COPY"):
            words = shlex.split(rest)
            options = [word for word in words if word.startswith("--")]
            assert all(option.startswith("--from=") for option in options), rest
            *sources, destination = words[len(options) :]
            found.append((options[0].removeprefix("--from=") if options else None, sources, destination))
        return found

    def environment(self) -> dict[str, str]:
        """All of ENV."""
        return dict(pair.split("=", 1) for rest in self.all("ENV") for pair in shlex.split(rest))


def read_stages() -> dict[str, Stage]:
    """Stages by name; comments gone, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in re.sub(r"\\\n", "", text).splitlines():
        if not line.strip():
            continue
        verb, rest = line.split(maxsplit=1)
        if verb == "FROM":
            named = re.fullmatch(r"(\S+) AS (\S+)", rest)
            assert named, f"a stage without a name: {line}"
            stages.append(Stage(named[1], named[2]))
        else:
            stages[-1].steps.append((verb, rest.strip()))
    return {stage.name: stage for stage in stages}


STAGES = read_stages()
COPIED = sorted({source for stage in STAGES.values() for of, names, _ in stage.copies() if not of for source in names})


def final(target: str) -> Stage:
    return STAGES[target]


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a file through: the last pattern that matches it or a folder of it decides."""
    sent = True
    parts = path.split("/")
    prefixes = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").strip()
        if not pattern or line.startswith("#"):
            continue
        if pattern.startswith("**/"):
            matches = any(fnmatchcase(part, pattern.removeprefix("**/")) for part in parts)
        else:
            matches = any(p.count("/") == pattern.count("/") and fnmatchcase(p, pattern) for p in prefixes)
        if matches:
            sent = line.startswith("!")
    return sent


def test_targets_and_bases() -> None:
    assert set(TARGETS) <= set(STAGES)
    images = [stage.base for stage in STAGES.values() if stage.base not in STAGES]
    assert len(images) == 3
    for image in images:
        name, _, tag = image.partition(":")
        assert re.match(r"\d", tag), f"{name} needs a pinned tag, got {tag!r}"
    assert STAGES[final("cpu").base].base.startswith("python:3.12-slim-")
    assert re.fullmatch(r"nvidia/cuda:13\.\d+\.\d+-cudnn-runtime-ubuntu24\.04", STAGES[final("gpu").base].base)


def test_stages_copy_from_earlier_stages() -> None:
    names = list(STAGES)
    for position, (name, stage) in enumerate(STAGES.items()):
        for of, _, _ in stage.copies():
            assert of is None or of in names[:position], f"{name} copies from {of}"
    assert [of for of, _, _ in final("cpu").copies()] == ["cpu-build", None, None, None]
    assert [of for of, _, _ in final("gpu").copies()] == ["gpu-build", None, None, None]


def test_targets_differ_in_the_device_only() -> None:
    assert [(verb, rest.replace("gpu-build", "cpu-build")) for verb, rest in final("gpu").steps] == final("cpu").steps


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_is_there_and_reaches_the_builder(source: str) -> None:
    path = ROOT / source
    assert path.exists()
    ignored = subprocess.run(["git", "check-ignore", "--quiet", source], cwd=ROOT, check=False)
    assert ignored.returncode == 1, f"{source} is ignored by git: a clone does not have it"
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    wanted = [str(file.relative_to(ROOT)) for file in files if not {"__pycache__", "node_modules"} & {*file.parts}]
    assert wanted
    assert [name for name in wanted if not is_sent(name)] == []


def test_what_is_not_copied_stays_at_home() -> None:
    for name in (
        ".git/config",
        ".venv/bin/python",
        "tests/conftest.py",
        "server/motionscribe_server/__pycache__/a.pyc",
        "client/motionscribe/page/node_modules/@mediapipe/pose/pose.js",
    ):
        assert not is_sent(name), name


@pytest.mark.parametrize("target", TARGETS)
def test_the_build_has_all_that_a_wheel_needs(target: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = [*packages, "pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]]
    copied = [source for _, sources, _ in STAGES[f"{target}-build"].copies() for source in sources]
    for path in needed:
        assert any(path == source or path.startswith(source + "/") for source in copied), path


@pytest.mark.parametrize("target", TARGETS)
def test_final_stage(target: str) -> None:
    stage = final(target)
    [user] = stage.all("USER")
    assert int(user) > 0
    assert [verb for verb, _ in stage.steps if verb in ("RUN", "COPY", "USER")][-1] == "USER", (
        "nothing after it as root"
    )
    assert len(stage.all("HEALTHCHECK")) == len(stage.all("ENTRYPOINT")) == 1
    assert stage.all("EXPOSE") == [stage.environment()["MOTIONSCRIBE_PORT"]]
    [init, dashes, *command] = entry_point(stage)
    assert (init, dashes) == ("tini", "--")
    assert "tini" in STAGES[stage.base].all("RUN")[0].split()
    assert "--security-plaintext" in command, "plaintext beyond loopback is asked for in the open"
    models = stage.environment()["MOTIONSCRIBE_MODELS"]
    assert [to for of, _, to in stage.copies() if of is None] == [
        f"{models}/{name}" for name in ("body", "body2d", "cmu-expmap")
    ]
    assert Path(stage.environment()["MOTIONSCRIBE_STORAGE_LOCATION"]).parent == Path(stage.all("VOLUME")[0])


def test_gpu_image_installs_the_extra_server_without_a_second_cuda() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    local = pip_arguments("gpu")
    assert local[0] == ".[serving,redis]"
    same = ["motionscribe[serving]", local[1].replace("onnxruntime-gpu", "onnxruntime-gpu[cuda,cudnn]")]
    assert same == extras["server"]


def test_the_page_is_the_image_of_the_server_with_a_camera(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = STAGES["page"]
    assert (page.base, page.copies()) == ("cpu", [("camera", ["/camera"], "/camera")])
    assert ".[server-cpu,redis,page]" in pip_arguments("cpu")
    assert [install.split("--prefix ")[1].split()[0] for install in STAGES["camera"].all("RUN")] == ["/camera"]
    command, *arguments = entry_point(page)[2:]
    assert command == "motionscribe"
    assert main(arguments) == 1  # without Docker there is no such folder
    assert "expected a token (--token-file)" in capsys.readouterr().err
    assert main([*arguments[:1], "--port=0", arguments[-1]]) == 1
    assert "expected @mediapipe/pose in /camera/node_modules" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_the_install_line_resolves(target: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    done = subprocess.run([*command, *pip_arguments(target)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "TLS"])
def test_the_entry_point_serves_is_healthy_and_drains(image: Path, tls: bool) -> None:
    stage = final("cpu")
    metrics = str(free_port())
    environment = {name: value.replace("/models", f"{image}/models") for name, value in stage.environment().items()}
    environment = {name: value.replace("/data/", f"{image}/data/") for name, value in environment.items()}
    environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "MOTIONSCRIBE_PORT": "0"}
    environment |= {"MOTIONSCRIBE_METRICS_PORT": metrics, "http_proxy": "http://127.0.0.1:1"}  # nobody's business
    if tls:
        issued = trustme.CA().issue_cert("localhost")
        issued.private_key_pem.write_to_path(str(image / "key.pem"))
        issued.cert_chain_pems[0].write_to_path(str(image / "chain.pem"))
        environment["MOTIONSCRIBE_SECURITY_TLS_CERTIFICATE"] = str(image / "chain.pem")
        environment["MOTIONSCRIBE_SECURITY_TLS_KEY"] = str(image / "key.pem")
    health = re.split(r" CMD ", stage.all("HEALTHCHECK")[0], maxsplit=1)[1]

    def healthy() -> bool:
        check = subprocess.run(["sh", "-c", health], env=environment, capture_output=True, check=False)
        return check.returncode == 0

    assert not healthy()
    with subprocess.Popen(
        entry_point(stage)[2:], env=environment, cwd=image / "data", stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert re.fullmatch(r"listening on 0\.0\.0\.0:(\d+)\n", server.stdout.readline())
            assert healthy()
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=30) == 0
        finally:
            server.kill()
    assert not healthy()
    assert (image / "data" / "motionscribe.sqlite").exists()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What the final stage copies from the repository, and its volume, below a folder instead of /."""
    for of, sources, destination in final("cpu").copies():
        if of is None:
            shutil.copytree(ROOT / sources[0], tmp_path / destination.lstrip("/"))
    (tmp_path / "data").mkdir()
    return tmp_path


def entry_point(stage: Stage) -> list[str]:
    """Words of ENTRYPOINT in its exec form."""
    [text] = stage.all("ENTRYPOINT")
    assert text.startswith("["), "the shell form hides signals"
    return re.findall(r'"([^"]*)"', text)


def pip_arguments(target: str) -> list[str]:
    """What the build stage of a target installs."""
    [line] = [rest for rest in STAGES[f"{target}-build"].all("RUN") if "pip install" in rest]
    return [word for word in shlex.split(line.split("pip install", 1)[1]) if word != "--quiet"]
