"""deploy/: what its files start, ask and set is there, and they leave a drain the time that it takes."""

import configparser
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from motionscribe.feeds.feed_file import read_feeds
from motionscribe.feeds.outputs import CLOSING_S as CLOSING_OF_FEEDS_S
from motionscribe.feeds.supervised import GRACE_S
from motionscribe_server.command import CLOSING_S
from motionscribe_server.read_settings import read_settings
from motionscribe_server.setting_names import SETTINGS
from motionscribe_server.settings import Settings
from tests.support.redis_server import free_port
from tests.support.server_process import COMMAND, environment
from tests.support.waiting import wait_until
from tests.test_dockerfile import STAGES

DEPLOY = Path(__file__).parents[1] / "deploy"
DRAIN_S = Settings().server.grace_s + CLOSING_S
INSTALLED = "/opt/motionscribe/bin/motionscribe-server"
STATE = "/var/lib/motionscribe"


# -- systemd


def service(name: str) -> configparser.SectionProxy:
    """The section of a unit."""
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name, "utf-8")
    return parser["Service"]


@pytest.fixture(scope="module")
def unit() -> configparser.SectionProxy:
    """Of the server."""
    return service("motionscribe.service")


@pytest.fixture(scope="module")
def feeds_unit() -> configparser.SectionProxy:
    """Of a wall of feeds."""
    return service("motionscribe-feeds.service")


@pytest.mark.parametrize("name", ["motionscribe.service", "motionscribe-feeds.service"])
def test_systemd_accepts_the_unit(name: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd here")
    text = (DEPLOY / name).read_text("utf-8")
    copy = tmp_path / name
    copy.write_text(text.replace(f"{Path(INSTALLED).parent}/", f"{Path(sys.executable).parent}/"))
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_leaves_a_drain_its_time(unit: configparser.SectionProxy) -> None:
    assert unit["KillSignal"] == signal.SIGTERM.name
    assert unit["KillMode"] == "mixed"  # the server ends its workers
    assert int(unit["TimeoutStopSec"]) > DRAIN_S


def test_the_unit_starts_a_server_that_keeps_its_store_where_it_may(
    unit: configparser.SectionProxy, tmp_path: Path, tiny_model: Path
) -> None:
    assert unit["WorkingDirectory"] == f"/var/lib/{unit['StateDirectory']}" == STATE
    assert unit["ProtectSystem"] == "strict"
    command, *flags = shlex.split(unit["ExecStart"])
    assert command == INSTALLED
    assert flags == ["--config", "/etc/motionscribe/motionscribe.toml"]
    settings, _ = read_settings({}, DEPLOY / "motionscribe.toml")
    assert settings.storage.location.startswith(f"{STATE}/")
    text = (DEPLOY / "motionscribe.toml").read_text("utf-8")
    text = text.replace("/opt/motionscribe/models", str(tiny_model.parent.parent)).replace(STATE, str(tmp_path))
    (tmp_path / "motionscribe.toml").write_text(text.replace("9464", "0") + "\n[model]\nbatch_sizes = [1]\n")
    with subprocess.Popen(
        [*COMMAND, flags[0], str(tmp_path / "motionscribe.toml"), "--port", "0", "--workers", "1"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("listening on 127.0.0.1:")
            server.send_signal(signal.Signals[unit["KillSignal"]])
            assert server.wait(timeout=30) == 0
        finally:
            server.kill()
    assert (tmp_path / "motionscribe.sqlite").exists()


def test_the_unit_of_feeds_ends_and_reads_again_as_the_command_does(feeds_unit: configparser.SectionProxy) -> None:
    assert feeds_unit["KillSignal"] == signal.SIGTERM.name
    assert int(feeds_unit["TimeoutStopSec"]) > 2 * (GRACE_S + CLOSING_OF_FEEDS_S)  # a reload may be on its way
    command, *flags = shlex.split(feeds_unit["ExecReload"])
    assert (command, flags) == ("/bin/kill", ["-HUP", "$MAINPID"])


def test_the_unit_of_feeds_streams_a_file_that_is_in_order(feeds_unit: configparser.SectionProxy) -> None:
    command, *arguments, file = shlex.split(feeds_unit["ExecStart"])
    assert (command, arguments) == (str(Path(INSTALLED).with_name("motionscribe")), ["run"])
    assert file == "/etc/motionscribe/feeds.toml"
    feeds = read_feeds(DEPLOY / "feeds.toml").feeds
    state = f"/var/lib/{feeds_unit['StateDirectory']}"
    assert feeds_unit["WorkingDirectory"] == state
    assert {str(file.parent) for feed in feeds for file in feed.files} == {state}


def test_both_units_are_hardened_alike(unit: configparser.SectionProxy, feeds_unit: configparser.SectionProxy) -> None:
    hardened = [key for key in unit if key.startswith(("Capability", "Lock", "No", "Private", "Protect", "System"))]
    hardened += [
        "DynamicUser",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "StateDirectoryMode",
        "UMask",
    ]
    assert {key: feeds_unit[key] for key in hardened} == {key: unit[key] for key in hardened}


# -- Compose


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return found


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)s", text)
    assert found
    return int(found[1])


def test_compose_runs_the_image_of_the_dockerfile(compose: dict[str, Any]) -> None:
    server = compose["services"]["server"]
    stage = STAGES[server["build"]["target"]]
    assert (DEPLOY / server["build"]["context"] / "Dockerfile").resolve().is_file()
    assert stage.all("HEALTHCHECK")
    assert [volume.split(":")[1] for volume in server["volumes"]] == stage.all("VOLUME")
    (port,) = server["ports"]
    host, outside, inside = port.split(":")
    assert (host, outside, inside) == ("127.0.0.1", stage.all("EXPOSE")[0], stage.all("EXPOSE")[0])
    assert seconds(server["stop_grace_period"]) > DRAIN_S
    (install,) = [rest for rest in STAGES[f"{stage.name}-build"].all("RUN") if "pip install" in rest]
    assert "redis" in install
    named = {volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]}
    assert named == compose["volumes"].keys()


def test_compose_sets_what_there_is_to_set(compose: dict[str, Any]) -> None:
    variables = compose["services"]["server"]["environment"]
    assert variables.keys() <= {setting.variable for setting in SETTINGS.values()}
    location = variables["MOTIONSCRIBE_STORAGE_LOCATION"]
    assert location == "redis://redis:6379/0"
    assert set(compose["services"]["server"]["depends_on"]) == {"redis"} <= compose["services"].keys()


def answers(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def test_the_redis_of_compose_starts_with_what_it_is_told_and_is_healthy(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    service = compose["services"]["redis"]
    image, _, tag = service["image"].partition(":")
    assert (image, int(tag.split(".")[0]) >= 7) == ("redis", True)
    port = str(free_port())
    with subprocess.Popen(
        [*service["command"], "--port", port, "--bind", "127.0.0.1"], cwd=tmp_path, stdout=subprocess.DEVNULL
    ) as process:
        try:
            with redis.Redis(port=int(port)) as client:
                wait_until(lambda: answers(client))
                assert client.config_get("append*")["appendonly"] == "yes"
                assert client.config_get("appendfsync")["appendfsync"] == "always"
            how, *check = service["healthcheck"]["test"]
            assert how == "CMD"
            subprocess.run([check[0], "-p", port, *check[1:]], check=True, capture_output=True)
        finally:
            process.terminate()
