"""Settings from four sources, and clear errors for everything else."""

from pathlib import Path
from typing import Any

import pytest

from motionscribe_server.errors import SettingsError
from motionscribe_server.read_settings import read_settings, unknown_variables
from motionscribe_server.setting_names import FORMER_VARIABLES, SETTINGS


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No motionscribe.toml and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [setting.variable for setting in SETTINGS.values()] + list(FORMER_VARIABLES):
        monkeypatch.delenv(name, raising=False)


def test_flags_beat_environment_beats_file_beats_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("motionscribe.toml").write_text('[server]\nport = 1\nload = ["a", "b/2"]\n[limits]\ncredits = 2\n')
    monkeypatch.setenv("MOTIONSCRIBE_PORT", "3")
    monkeypatch.setenv("MOTIONSCRIBE_LIMITS_CREDITS", "4")
    settings, sources = read_settings({"server.port": "5"})
    server = settings.server
    assert (server.port, settings.limits.credits, server.load, server.host) == (5, 4, ("a", "b/2"), "127.0.0.1")
    named = [sources[path] for path in ("server.port", "limits.credits", "server.load", "server.host")]
    assert named == ["--port", "MOTIONSCRIBE_LIMITS_CREDITS", "motionscribe.toml", "default"]
    assert sources.keys() == SETTINGS.keys()


def test_a_file_given_by_name_replaces_the_one_in_the_folder(tmp_path: Path) -> None:
    Path("motionscribe.toml").write_text("[server]\nport = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("[limits]\ncredits = 7\n")
    settings, sources = read_settings({}, other)
    assert (settings.server.port, settings.limits.credits) == (50051, 7)
    assert sources["limits.credits"] == str(other)


def test_lists_are_split_at_commas_and_empty_variables_are_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTIONSCRIBE_MODEL_BATCH_SIZES", "8, 1,8")
    monkeypatch.setenv("MOTIONSCRIBE_METRICS_PORT", "")
    settings, sources = read_settings({"server.load": "walk,run/2"})
    assert settings.model.batch_sizes == (1, 8)
    assert settings.server.load == ("walk", "run/2")
    assert (settings.server.metrics_port, sources["server.metrics_port"]) == (None, "default")


@pytest.mark.parametrize(
    ("flags", "file", "expected"),
    [
        ({"server.port": "70000"}, "", r"^server.port \(from --port\).*less than or equal to 65535, got '70000'$"),
        ({}, "[model]\nvariant = 'fp16'", r"^model.variant \(from motionscribe.toml\).*'int8', got 'fp16'$"),
        ({}, "[server]\nprot = 5", r"^server.prot \(from motionscribe.toml\) is no setting; is it server.port\?$"),
        ({}, "[limits]\nport = 5", r"^limits.port \(from motionscribe.toml\) is no setting; is it server.port\?$"),
        ({}, "[storage]\nstore = 'a'", r"^storage.store .* is no setting; is it storage.location\?$"),
        ({}, "[serve]\nport = 5", r"^serve.port .* is no setting; is it server.port\?$"),
        ({}, "[limits]\nzzz = 5", r"^limits.zzz \(from motionscribe.toml\) is no setting$"),
        ({}, "[limits]\nzz = 5\n[model]\nzzz = 5", r"^limits.zz .* is no setting; model.zzz .* is no setting$"),
        ({}, "server = 5", r"^server \(from motionscribe.toml\) is a group: expected a table \[server\]$"),
        ({}, "port = ", "^motionscribe.toml: expected TOML"),
        ({}, "[limits]\nmax_streams = true", r"^limits.max_streams \(from mo.*neither true nor false, got True$"),
        ({}, "[limits]\nidle_timeout_s = inf", r"^limits.idle_timeout_s \(from mo.*finite number, got inf$"),
        ({"server.grace_s": "nan"}, "", r"^server.grace_s \(from --grace-s\).*finite number, got 'nan'$"),
        ({"model.batch_sizes": "4,zero"}, "", r"^model.batch_sizes \(from --model-batch-sizes\).*integer.*got 'zero'$"),
        ({"model.batch_sizes": ""}, "", r"^model.batch_sizes \(from --model-batch-sizes\).*at least 1 item"),
        (
            {"storage.location": "ftp://a"},
            "",
            r"^storage.location \(from --storage-loc.*: expected a path or a URL",
        ),
        (
            {"server.host": "0.0.0.0"},
            "",
            "^expected a loopback address .*, got '0.0.0.0', .*--security-plaintext$",
        ),
        ({"server.host": "nowhere.example"}, "", "expected a loopback address"),
        ({"security.tls_key": "a"}, "", "^expected tls_certificate and tls_key, got one of them$"),
    ],
)
def test_a_wrong_setting_is_named_with_its_source(flags: dict[str, Any], file: str, expected: str) -> None:
    Path("motionscribe.toml").write_text(file)
    with pytest.raises(SettingsError, match=expected):
        read_settings(flags)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kubernetes sets this one for a service called motionscribe
    monkeypatch.setenv("MOTIONSCRIBE_PORT", "tcp://10.0.0.1:50051")
    with pytest.raises(SettingsError, match=r"server.port \(from MOTIONSCRIBE_PORT\).*got 'tcp:"):
        read_settings({})


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"expected a TOML file, got absent\.toml"):
        read_settings({}, Path("absent.toml"))


def test_unknown_variables_are_told_with_the_nearest_setting() -> None:
    told = unknown_variables(
        {"MOTIONSCRIBE_PROT": "1", "MOTIONSCRIBE_HOST": "::1", "motionscribe_limits_credits": "2"}
        | {"MOTIONSCRIBE_TOKEN": "t", "MOTIONSCRIBE_XYZZY": "3", "HOME": "/"}
    )
    assert told == [
        "MOTIONSCRIBE_PROT is no setting of the server; is it MOTIONSCRIBE_PORT?",
        "MOTIONSCRIBE_XYZZY is no setting of the server",
    ]
