"""Settings as a value: groups, rules for several settings, and the TOML file that gives them again."""

import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from motionscribe_server.read_settings import read_settings
from motionscribe_server.settings import Settings, to_toml

UNSET = {
    "server": {"metrics_port", "admin_port"},
    "security": {"audit", "model_keys", "tokens", "tls_certificate", "tls_key", "tls_clients"},
}


def test_settings_read_nothing_but_what_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTIONSCRIBE_PORT", "1")
    monkeypatch.setenv("SERVER", '{"port": 2}')
    assert Settings().server.port == 50051
    assert Settings.model_validate({"limits": {"credits": 8}}).limits.credits == 8


def test_settings_cannot_be_changed() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.limits.credits = 8


def test_plaintext_off_loopback_must_be_asked_for() -> None:
    server = {"host": "0.0.0.0"}
    with pytest.raises(ValidationError, match=r"expected a loopback address as server\.host, got '0\.0\.0\.0'"):
        Settings.model_validate({"server": server})
    Settings.model_validate({"server": server, "security": {"plaintext": True}})
    Settings.model_validate({"server": server, "security": {"tls_certificate": "a.pem", "tls_key": "a.key"}})


@pytest.mark.parametrize(
    ("security", "expected"),
    [
        ({"tls_certificate": "a.pem"}, "expected tls_certificate and tls_key, got one of them"),
        ({"tls_key": "a.key"}, "expected tls_certificate and tls_key, got one of them"),
        ({"tls_clients": "ca.pem"}, "expected tls_certificate and tls_key with tls_clients, got neither"),
    ],
)
def test_half_a_tls_is_refused(security: dict[str, str], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Settings.model_validate({"security": security})


def test_the_toml_of_settings_gives_the_same_settings_again(tmp_path: Path) -> None:
    flags = {"server.port": 0, "server.models": tmp_path / 'mo"dels', "server.load": ("a", "b/3")}
    flags |= {"security.plaintext": True, "limits.resume_within_s": 2.5}
    settings, sources = read_settings(flags, _empty(tmp_path))
    text = to_toml(settings, sources)
    assert "port = 0  # --port" in text.splitlines()
    assert "resume_within_s = 2.5  # --limits-resume-within-s" in text.splitlines()
    assert "# metrics_port is not set  # default" in text.splitlines()
    shown = tomllib.loads(text)
    assert {group: set(values) for group, values in shown.items()} == {
        group: set(values) - UNSET.get(group, set()) for group, values in settings.model_dump().items()
    }
    (tmp_path / "again.toml").write_text(text)
    again, _ = read_settings({}, tmp_path / "again.toml")
    assert again.model_dump() == settings.model_dump()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@host:1/2", "redis://user:***@host:1/2"),
        ("rediss://:secret@host:1/2", "rediss://:***@host:1/2"),
    ],
)
def test_a_password_is_not_shown(url: str, shown: str) -> None:
    text = to_toml(Settings.model_validate({"storage": {"location": url}}), {})
    assert f'location = "{shown}"' in text.splitlines()
    assert "secret" not in text


def _empty(folder: Path) -> Path:
    file = folder / "empty.toml"
    file.write_text("")
    return file
