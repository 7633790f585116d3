"""Settings from four sources, what config show prints, and clear errors for everything else."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from motionscribe_server.errors import SettingsError
from motionscribe_server.settings import Settings, is_loopback, read_settings, to_toml, unknown_variables


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No motionscribe.toml and no variables of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MOTIONSCRIBE_{name.upper()}", raising=False)


def test_flags_beat_environment_beats_file_beats_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("motionscribe.toml").write_text('port = 1\ncredits = 2\nload = ["a", "b/2"]\n')
    monkeypatch.setenv("MOTIONSCRIBE_PORT", "3")
    monkeypatch.setenv("MOTIONSCRIBE_CREDITS", "4")
    settings, sources = read_settings({"port": "5"})
    assert (settings.port, settings.credits, settings.load, settings.host) == (5, 4, ("a", "b/2"), "127.0.0.1")
    named = [sources[name] for name in ("port", "credits", "load", "host")]
    assert named == ["--port", "MOTIONSCRIBE_CREDITS", "motionscribe.toml", "default"]


def test_a_file_given_by_name_replaces_the_one_in_the_folder(tmp_path: Path) -> None:
    Path("motionscribe.toml").write_text("port = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("credits = 7\n")
    settings, sources = read_settings({}, other)
    assert (settings.port, settings.credits) == (50051, 7)
    assert sources["credits"] == str(other)


def test_lists_are_split_at_commas_and_empty_variables_are_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTIONSCRIBE_BATCH_SIZES", "8, 1,8")
    monkeypatch.setenv("MOTIONSCRIBE_METRICS_PORT", "")
    settings, sources = read_settings({"load": "walk,run/2"})
    assert settings.batch_sizes == (1, 8)
    assert settings.load == ("walk", "run/2")
    assert (settings.metrics_port, sources["metrics_port"]) == (None, "default")


@pytest.mark.parametrize(
    ("flags", "file", "expected"),
    [
        ({"port": "70000"}, "", r"port \(from --port\).*less than or equal to 65535, got '70000'"),
        ({}, "variant = 'fp16'", r"variant \(from motionscribe.toml\).*'int8', got 'fp16'"),
        ({}, "prot = 5", r"prot \(from motionscribe.toml\) is no setting; is it port\?"),
        ({}, "[server]\nport = 5", r"server \(from motionscribe.toml\) is no setting"),
        ({}, "port = ", "motionscribe.toml: expected TOML"),
        ({"batch_sizes": "4,zero"}, "", r"batch_sizes \(from --batch-sizes\).*integer.*got 'zero'"),
        ({"host": "0.0.0.0"}, "", "expected a loopback address as host, got '0.0.0.0'.*--insecure"),
        ({"host": "nowhere.example"}, "", "expected a loopback address"),
    ],
)
def test_a_wrong_setting_is_named_with_its_source(flags: dict[str, Any], file: str, expected: str) -> None:
    Path("motionscribe.toml").write_text(file)
    with pytest.raises(SettingsError, match=expected):
        read_settings(flags)


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kubernetes sets this one for a service called motionscribe
    monkeypatch.setenv("MOTIONSCRIBE_PORT", "tcp://10.0.0.1:50051")
    with pytest.raises(SettingsError, match=r"port \(from MOTIONSCRIBE_PORT\).*got 'tcp:"):
        read_settings({})


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"expected a TOML file, got absent\.toml"):
        read_settings({}, Path("absent.toml"))


def test_plaintext_off_loopback_must_be_asked_for() -> None:
    settings, _ = read_settings({"host": "0.0.0.0", "insecure": True})
    assert settings.host == "0.0.0.0"
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "10.0.0.1", "::")] == [True] * 3 + [
        False
    ] * 2


UNSET = {"metrics_port", "admin_port", "audit", "model_keys", "tokens", "tls_certificate", "tls_key", "tls_clients"}


def test_what_config_show_prints_gives_the_same_settings_again(tmp_path: Path) -> None:
    flags = {"port": 0, "models": tmp_path / 'mo"dels', "load": ("a", "b/3"), "insecure": True, "retention_s": 2.5}
    settings, sources = read_settings(flags)
    text = to_toml(settings, sources)
    assert "port = 0  # --port" in text.splitlines()
    assert "# metrics_port is not set  # default" in text.splitlines()
    assert set(tomllib.loads(text)) == set(Settings.model_fields) - UNSET
    Path("again.toml").write_text(text)
    again, _ = read_settings({}, Path("again.toml"))
    assert again.model_dump() == settings.model_dump()


def test_unknown_variables_are_told_with_the_nearest_setting() -> None:
    told = unknown_variables({"MOTIONSCRIBE_PROT": "1", "MOTIONSCRIBE_HOST": "::1", "HOME": "/"})
    assert told == ["MOTIONSCRIBE_PROT is no setting of the server; is it MOTIONSCRIBE_PORT?"]
