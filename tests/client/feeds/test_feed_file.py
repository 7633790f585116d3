"""A file of feeds is checked as a whole before anything starts; an error names the file, the place and the key."""

import re
from pathlib import Path

import pytest

from motionscribe import cli
from motionscribe.commands.options import refuse_twice
from motionscribe.errors import BadFile
from motionscribe.feeds import checking
from motionscribe.feeds.checking import check_feeds
from motionscribe.feeds.feed_file import read_feeds
from motionscribe.sinks.addresses import PLACES, is_file
from motionscribe.sources.schemes import SCHEMES

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
LIVE = '[[feed]]\nsource = "udp:5005"\nstream_id = "a"\n'
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
        (ONE + "speed = 1" + 400 * "0", "feed 1: speed: int too large"),
        (ONE + "speed = 1" + 5000 * "0", "expected TOML: "),
        (ONE + "person = 0x1" + 5000 * "0", "feed 1: person: Exceeds the limit"),
        (ONE + "x = " + 20_000 * "[", "expected TOML: "),
        (ONE + r'to = ["a\u0000.csv"]', "feed 1: to: expected a text, got 'a\\x00.csv'"),
        (ONE + r'joints = "a\u0000"', "feed 1: joints: expected a text"),
        (ONE.replace("a.csv", r"a\u0000"), "feed 1: source: expected a text"),
        (r'ca = "a\u0000"' + "\n" + ONE, "ca: expected a text"),
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
    (tmp_path / "a.csv").touch()
    (tmp_path / "b.csv").touch()
    (tmp_path / "b.eaf").write_text("of an earlier run")
    path = write(tmp_path, TWO + 'to = ["b.jsonl", "b.eaf"]')
    assert cli.main(["run", "--check", str(path)]) == 0
    assert capsys.readouterr() == (f"{path}: 2 feeds\n", "")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "b.csv", "b.eaf", "feeds.toml"]
    assert cli.main(["run", "--check", str(write(tmp_path, ONE + ONE))]) == 1
    assert capsys.readouterr().err == (
        f"motionscribe: {path}: feed 2: expected another stream_id than that of feed 1, got a\n"
    )
    assert cli.main(["run", str(tmp_path / "none.toml")]) == 1


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"feeds\.toml: expected a file of feeds, found none"):
        read_feeds(tmp_path / "feeds.toml")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (ONE, "feed 1: source: {here}/a.csv: expected a file, found none"),
        (ONE.replace("a.csv", "udp:here:nowhere"), "feed 1: source: expected a port from 1 to 65535"),
        (ONE.replace("a.csv", "natnet:here:nowhere"), "feed 1: source: expected HOST or HOST:PORT"),
        (ONE.replace("a.csv", "ws:here:nowhere"), "feed 1: source: expected ws:HOST:PORT"),
        (ONE.replace("a.csv", "camera:none.mp4"), "feed 1: source: expected the number of a camera"),
        (LIVE + "to = ['none/a.csv']", "feed 1: to: expected a folder for {here}/none/a.csv"),
        (LIVE + "to = ['names.csv']", "feed 1: to: {here}/names.csv: expected a new file, or one of segments"),
        (LIVE + "to = ['pipe.eaf']", "feed 1: to: expected a new file, got {here}/pipe.eaf, which is no regular file"),
        (LIVE + "to = ['http://']", "feed 1: to: expected http://HOST/PATH"),
        (LIVE + "to = ['mqtt:h:99999/t']", "feed 1: to: expected mqtt:HOST:PORT/TOPIC"),
        (LIVE + "to = ['osc:nohost']", "feed 1: to: expected osc:HOST:PORT"),
        ("address = 'a..b:50051'\n" + LIVE, "address: expected an address HOST:PORT, got 'a..b:50051'"),
    ],
)
def test_check_looks_at_what_is_named(text: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text("name,age\n")
    (tmp_path / "pipe.eaf").symlink_to("/dev/null")
    path = write(tmp_path, text)
    wanted = read_feeds(path)  # a feed that cannot run stops no other
    with pytest.raises(BadFile, match=re.escape(error.format(here=tmp_path))):
        check_feeds(path, wanted)


def test_devices_may_be_shared(tmp_path: Path) -> None:
    for name in ("a.csv", "b.jsonl"):
        (tmp_path / name).symlink_to("/dev/null")
    path = write(tmp_path, LIVE + "to = ['a.csv', 'b.jsonl']")
    check_feeds(path, read_feeds(path))
    refuse_twice([tmp_path / "a.csv", tmp_path / "b.jsonl"])


def test_each_kind_of_place_and_source_is_checked() -> None:
    assert {scheme.name for scheme in SCHEMES} == set(checking.SOURCES)
    assert {place.key for place in PLACES if not is_file(place)} == set(checking.PLACES)
