"""A file of feeds is checked as a whole before anything starts; an error names the file, the place and the key."""

import re
from pathlib import Path

import pytest

from motionscribe import cli
from motionscribe.errors import BadFile
from motionscribe.feeds.feed_file import read_feeds

WHOLE = """
address = "lab:50051"
ca = "ca.pem"
token_file = "token"

[defaults]
lag = "fast"
to = ["all.jsonl"]

[[feed]]
source = "walk.csv"
stream_id = "gym"
restart = "never"
joints = "names.txt"
speed = 2
false_alarms_per_hour = {sensor = 0.1}

[[feed]]
source = "lsl:capture"
stream_id = "line-3"
to = ["deep/line.jsonl"]
lag = "stable"
durable = true
person = "1"
"""
ONE = '[[feed]]\nsource = "a.csv"\nstream_id = "a"\n'
TWO = ONE + '[[feed]]\nsource = "b.csv"\nstream_id = "b"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "feeds.toml"
    path.write_text(text)
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"certificates")
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "names.txt").write_text("left_shoulder: LSHO")
    read = read_feeds(write(tmp_path, WHOLE))
    assert (read.connection.address, read.connection.ca, read.connection.token) == (
        "lab:50051",
        b"certificates",
        "secret",
    )
    gym, line = read.feeds
    assert gym.plan.text == str(tmp_path / "walk.csv")
    assert (gym.name, gym.restart, gym.plan.speed, gym.places) == ("gym", "never", 2.0, (f"{tmp_path}/all.jsonl",))
    assert gym.plan.joints == {"LSHO": "left_shoulder"}
    assert (gym.plan.options["lag"], gym.plan.options["durable"]) == ("fast", False)
    assert gym.plan.options["false_alarms_per_hour"] == {"sensor": 0.1}
    assert (line.plan.text, line.restart, line.plan.person, line.files) == (
        *("lsl:capture", "always", "1"),
        (tmp_path / "deep" / "line.jsonl",),
    )
    assert (line.plan.options["lag"], line.plan.options["durable"]) == ("stable", True)


def test_what_a_named_file_holds_is_part_of_the_feed(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    path = write(tmp_path, ONE + 'joints = "names.txt"')
    names.write_text("left_shoulder: LSHO")
    before = read_feeds(path)
    assert read_feeds(path) == before
    names.write_text("left_shoulder: LSHOULDER")
    assert read_feeds(path) != before


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[feed", "expected TOML"),
        ("", "expected feeds, each below [[feed]], got none"),
        ("feed = 3", "expected feeds, each below [[feed]], got another thing"),
        ("defaults = 1\n" + ONE, "expected a table [defaults], got 1"),
        ("[defaults]\nperson = '1'\n" + ONE, "defaults: expected one of the keys to, model,"),
        ("[defaults]\nlag = 1\n" + ONE, "defaults: lag: expected one of fast, balanced, stable, got 1"),
        (
            "adress = 'a:1'\n" + ONE,
            "expected one of the keys address, plaintext, ca, cert, key, token_file, got adress",
        ),
        ("address = 'lab'\n" + ONE, "expected an address HOST:PORT"),
        ("plaintext = 1\n" + ONE, "plaintext: expected true or false, got 1"),
        ("cert = 'c.pem'\n" + ONE, "expected cert and key, got one of them"),
        ("ca = 'none.pem'\n" + ONE, "No such file or directory"),
        ("[[feed]]\nstream_id = 'a'", "feed 1: expected the key source, got none"),
        (ONE + "[[feed]]\nsource = 'lsl:x'", "feed 2: expected the key stream_id, got none"),
        (ONE + "speeed = 1", "feed 1: expected one of the keys source, stream_id,"),
        (ONE + "speed = 0", "feed 1: speed: expected a number above 0, got 0"),
        (ONE + "speed = true", "feed 1: speed: expected a number above 0, got True"),
        (ONE + "speed = inf", "feed 1: speed: expected a number above 0, got inf"),
        (ONE + "to = 'x.jsonl'", "feed 1: to: expected a list of texts, got 'x.jsonl'"),
        (ONE + "to = ['x.nothing']", "feed 1: to: x.nothing: expected one of "),
        (ONE + "to = ['carrier-pigeon:x']", "feed 1: to: carrier-pigeon:x: expected one of "),
        (ONE + "restart = 'sometimes'", "feed 1: restart: expected one of always, on-failure, never, got 'sometimes'"),
        (ONE + "lag = ['fast']", "feed 1: lag: expected one of fast, balanced, stable, got ['fast']"),
        (ONE + "model = ''", "feed 1: model: expected a text, got ''"),
        (ONE + "false_alarms_per_hour = 'few'", "feed 1: false_alarms_per_hour: expected more than 0"),
        (ONE + "false_alarms_per_hour = {gait = 1}", "feed 1: false_alarms_per_hour: expected false alarms an hour of"),
        (ONE + "joints = 'none.txt'", "feed 1: joints: "),
        (ONE.replace('"a"', '"a b"'), "feed 1: stream_id: expected 1 to 128 of A-Z a-z 0-9 . _ -, got 'a b'"),
        (ONE.replace("a.csv", "telepathy:1"), "feed 1: source: telepathy:1: expected "),
        (TWO.replace('"b"', '"a"'), "feed 2: expected another stream_id than that of feed 1, got a"),
        (TWO.replace("b.csv", "./a.csv"), "feed 2: expected another source than that of feed 1"),
        (TWO + "to = ['a.csv.jsonl', './a.csv.jsonl']", "feed 2: expected in `to` of feed 2 another file than"),
        (TWO + "to = ['x.jsonl']\n[[feed]]\nsource = 'c.csv'\nstream_id = 'c'\nto = ['X/../x.jsonl']", "feed 2 writes"),
        (TWO.replace("b.csv", "x.jsonl") + "[defaults]\nto = ['x.jsonl']", "feed 2: expected in `to` of feed 1"),
    ],
)
def test_errors_name_file_and_place(text: str, error: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadFile, match=re.escape(error)) as raised:
        read_feeds(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_check_only_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, TWO + 'to = ["b.jsonl"]')
    assert cli.main(["run", "--check", str(path)]) == 0
    assert capsys.readouterr() == (f"{path}: 2 feeds\n", "")
    assert [file.name for file in tmp_path.iterdir()] == ["feeds.toml"]
    assert cli.main(["run", "--check", str(write(tmp_path, ONE + ONE))]) == 1
    assert capsys.readouterr().err == (
        f"motionscribe: {path}: feed 2: expected another stream_id than that of feed 1, got a\n"
    )
    assert cli.main(["run", str(tmp_path / "none.toml")]) == 1


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"feeds\.toml: expected a file of feeds, found none"):
        read_feeds(tmp_path / "feeds.toml")
