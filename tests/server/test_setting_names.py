"""One rule for the names of settings, the table of them in the docs, and an error for every name of before."""

import re
from pathlib import Path

import pytest

from motionscribe_server.__main__ import main
from motionscribe_server.errors import SettingsError
from motionscribe_server.read_settings import read_settings
from motionscribe_server.setting_names import SETTINGS
from motionscribe_server.settings import Settings

DOCS = Path(__file__).parents[2] / "docs" / "3-serving.md"

NOW = {
    "host": "server.host",
    "port": "server.port",
    "models": "server.models",
    "load": "server.load",
    "workers": "server.workers",
    "admin_port": "server.admin_port",
    "metrics_port": "server.metrics_port",
    "grace_s": "server.grace_s",
    "log_level": "server.log_level",
    "credits": "limits.credits",
    "max_message_bytes": "limits.max_message_bytes",
    "max_streams": "limits.max_streams",
    "tenant_streams": "limits.tenant_streams",
    "connection_calls": "limits.connection_calls",
    "tenant_frames_s": "limits.tenant_frames_per_s",
    "tenant_bytes_s": "limits.tenant_bytes_per_s",
    "idle_timeout_s": "limits.idle_timeout_s",
    "retention_s": "limits.resume_within_s",
    "store": "storage.location",
    "stream_retention_s": "storage.keep_clusters_s",
    "checkpoint_retention_s": "storage.keep_checkpoints_s",
    "insecure": "security.plaintext",
    "tls_certificate": "security.tls_certificate",
    "tls_key": "security.tls_key",
    "tls_clients": "security.tls_clients",
    "tokens": "security.tokens",
    "audit": "security.audit",
    "model_keys": "security.model_keys",
    "variant": "model.variant",
    "threads": "model.threads",
    "batch_sizes": "model.batch_sizes",
}
"""The flat settings of version 0.1.0 and what they are now; the 32nd, clusterer, is gone."""
DEFAULTS = {
    "server": {
        "host": "127.0.0.1",
        "port": 50051,
        "models": Path("models"),
        "load": (),
        "workers": 0,
        "admin_port": None,
        "metrics_port": None,
        "grace_s": 5.0,
        "log_level": "info",
    },
    "limits": {
        "credits": 4096,
        "max_message_bytes": 4194304,
        "max_streams": 256,
        "tenant_streams": 0,
        "connection_calls": 1024,
        "tenant_frames_per_s": 0.0,
        "tenant_bytes_per_s": 0.0,
        "idle_timeout_s": 120.0,
        "resume_within_s": 300.0,
    },
    "storage": {
        "location": "motionscribe.sqlite",
        "keep_clusters_s": 0.0,
        "keep_unnamed_s": 2592000.0,
        "keep_checkpoints_s": 604800.0,
        "exemplars": True,
        "tenant_ids": 10000,
    },
    "security": {
        "plaintext": False,
        "tls_certificate": None,
        "tls_key": None,
        "tls_clients": None,
        "tokens": None,
        "audit": None,
        "model_keys": None,
    },
    "model": {"variant": "auto", "threads": 1, "batch_sizes": (1, 4, 16)},
}


def test_every_setting_of_before_is_one_now_with_the_same_default() -> None:
    assert set(NOW.values()) <= SETTINGS.keys()
    assert len(NOW) == 31
    assert Settings().model_dump() == DEFAULTS


def test_flags_and_variables_follow_one_rule() -> None:
    for path, setting in SETTINGS.items():
        words = path.removeprefix("server.").replace(".", "_")
        assert setting.flag == "--" + words.replace("_", "-")
        assert setting.variable == "MOTIONSCRIBE_" + words.upper()
    for names in ({setting.flag for setting in SETTINGS.values()}, {setting.name for setting in SETTINGS.values()}):
        assert len(names) == len(SETTINGS), "two settings of one name"


@pytest.mark.parametrize("old", [*NOW, "clusterer"])
def test_a_key_of_before_is_refused_with_its_new_name(tmp_path: Path, old: str) -> None:
    (tmp_path / "old.toml").write_text(f'{old} = "1"\n')
    with pytest.raises(SettingsError) as caught:
        read_settings({}, tmp_path / "old.toml")
    group, _, name = NOW.get(old, "").partition(".")
    expected = f"is now {name} in [{group}]" if name else "is no setting any more: clusters of every stream form by"
    assert str(caught.value).startswith(f"{old} (from {tmp_path / 'old.toml'}) {expected}")


@pytest.mark.parametrize("old", [old for old in [*NOW, "clusterer"] if NOW.get(old) != f"server.{old}"])
def test_a_variable_of_before_is_refused_with_its_new_name(monkeypatch: pytest.MonkeyPatch, old: str) -> None:
    monkeypatch.setenv(f"MOTIONSCRIBE_{old.upper()}", "1")
    with pytest.raises(SettingsError) as caught:
        read_settings({})
    expected = f"is now {SETTINGS[NOW[old]].variable}" if old in NOW else "is no setting any more"
    assert str(caught.value).startswith(f"MOTIONSCRIBE_{old.upper()} {expected}")


@pytest.mark.parametrize("old", [old for old in [*NOW, "clusterer"] if NOW.get(old) != f"server.{old}"])
@pytest.mark.parametrize("equals", [True, False])
def test_a_flag_of_before_is_refused_with_its_new_name(
    capsys: pytest.CaptureFixture[str], old: str, equals: bool
) -> None:
    flag = "--" + old.replace("_", "-")
    assert main(["config", "show", *([f"{flag}=1"] if equals else [flag, "1"])]) == 2
    expected = f"is now {SETTINGS[NOW[old]].flag}" if old in NOW else "is no setting any more"
    assert capsys.readouterr().err.startswith(f"motionscribe-server: {flag} {expected}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--limits-max-streamz", "3"], "--limits-max-streamz is no flag; is it --limits-max-streams?"),
        (["--prot=3"], "--prot is no flag; is it --port?"),
        (["--xyzzy"], "--xyzzy is no flag"),
    ],
)
def test_a_flag_that_is_none_is_refused_with_the_nearest(
    capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"motionscribe-server: {expected}\n"


def test_a_switch_of_before_is_refused_in_both_positions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-insecure"]) == 2
    assert capsys.readouterr().err == "motionscribe-server: --no-insecure is now --no-security-plaintext\n"


def test_the_table_of_the_docs_and_the_help_are_those_of_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"| `{path}` | {setting.default} | {setting.meaning} |" for path, setting in SETTINGS.items()]
    table = re.search(r"\| setting \| default \| meaning \|\n\|.*\n((?:\|.*\n)+)", DOCS.read_text())
    assert table
    assert table[1].splitlines() == rows, "expected these rows:\n" + "\n".join(rows)
    with pytest.raises(SystemExit):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.replace("-\n", "-").split())
    for setting in SETTINGS.values():
        assert setting.flag in text
        assert f"({setting.default})" in text


def test_every_setting_that_the_pages_name_exists() -> None:
    """`limits.credits`, --limits-credits and MOTIONSCRIBE_LIMITS_CREDITS in running text."""
    flags = {setting.flag for setting in SETTINGS.values()}
    variables = {setting.variable for setting in SETTINGS.values()}
    groups = "|".join(Settings.model_fields)
    for page in (DOCS, DOCS.parents[1] / "SECURITY.md", DOCS.parents[1] / "Dockerfile"):
        text = page.read_text()
        assert set(re.findall(rf"`((?:{groups})\.[a-z_]+)`", text)) <= SETTINGS.keys(), page
        assert set(re.findall(rf"--(?:{groups})-[a-z-]+", text)) <= flags, page
        others = {"MOTIONSCRIBE_TOKEN", "MOTIONSCRIBE_GROUP_NAME", "MOTIONSCRIBE_", "MOTIONSCRIBE_WEBHOOK_SECRET"}
        assert set(re.findall(r"MOTIONSCRIBE_[A-Z_]*", text)) <= variables | others, page
