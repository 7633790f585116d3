"""Downloads against a real HTTP server on this machine that knows ranges and breaks connections."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from motionscribe_models.recordings import read_recording
from motionscribe_training.__main__ import main
from motionscribe_training.data import fetch as fetching
from motionscribe_training.data.fetch import PublicSet, fetch
from motionscribe_training.errors import FetchError

FILES = ("86.asf", "86_01.amc")


@dataclass
class Site:
    """What the server serves, how it misbehaves, and what it was asked."""

    content: dict[str, bytes]
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """(file, Range header) per request."""
    stop_after: dict[str, list[int]] = field(default_factory=dict)
    """Bytes of the body to send before the connection is cut, one number per request; whole when used up."""
    knows_ranges: bool = True
    failures: list[int] = field(default_factory=list)
    """Status to answer with instead, one per request."""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name, wanted = handler.path.rsplit("/", 1)[1], handler.headers.get("Range", "")
        self.asked.append((name, wanted))
        if self.failures or name not in self.content:
            handler.send_error(self.failures.pop(0) if self.failures else 404)
            return
        body, status, extra = self.content[name], 200, {}
        if wanted and self.knows_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                handler.send_response(416)
                handler.send_header("Content-Range", f"bytes */{len(body)}")
                handler.send_header("Content-Length", "0")
                handler.end_headers()
                return
            status, extra = 206, {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            body = body[start:]
        handler.send_response(status)
        for header, value in {"Content-Length": str(len(body)), **extra}.items():
            handler.send_header(header, value)
        handler.end_headers()
        cuts = self.stop_after.get(name, [])
        handler.wfile.write(body[: cuts.pop(0)] if cuts else body)


@pytest.fixture
def site(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    content = {name: (data_dir / "cmu_raw" / name).read_bytes() for name in FILES}
    # the beginning of the real trial, 500 frames, keeps the tests quick
    content["86_01.amc"] = content["86_01.amc"].split(b"\r\n501\r\n")[0] + b"\r\n"
    site = Site(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps the test output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/subjects/86/"
    # two of the fifteen files are at hand
    monkeypatch.setitem(fetching.SETS, "cmu-86", PublicSet(fetching.SETS["cmu-86"].base_url, FILES))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def download(site: Site, tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: fetch("cmu-86", tmp_path / "to", site.url, pause_s=0.0, quiet=True)


Download = Callable[[], list[Path]]


@pytest.mark.data
def test_what_is_fetched_is_the_server_s_file_and_a_recording(site: Site, download: Download) -> None:
    paths = download()
    assert [p.read_bytes() for p in paths] == [site.content[name] for name in FILES]
    assert len(read_recording(paths[1]).frames) == 500
    assert sorted(p.name for p in paths[0].parent.iterdir()) == sorted(FILES)


@pytest.mark.data
def test_complete_files_are_not_asked_for_again(site: Site, download: Download) -> None:
    paths = download()
    site.asked.clear()
    assert download() == paths
    assert site.asked == []


@pytest.mark.data
def test_a_broken_connection_is_taken_up_where_it_broke(site: Site, download: Download) -> None:
    site.stop_after["86_01.amc"] = [100_000, 50_000]
    paths = download()
    assert paths[1].read_bytes() == site.content["86_01.amc"]
    assert site.asked == [
        ("86.asf", ""),
        ("86_01.amc", ""),
        ("86_01.amc", "bytes=100000-"),
        ("86_01.amc", "bytes=150000-"),
    ]


@pytest.mark.data
def test_a_run_that_gave_up_is_continued_by_the_next(site: Site, download: Download, tmp_path: Path) -> None:
    site.stop_after["86_01.amc"] = [1000] * 5
    with pytest.raises(FetchError, match=r"86_01\.amc: broke off 5 times.*run again to go on"):
        download()
    assert (tmp_path / "to" / "86_01.amc.part").stat().st_size == 5000
    assert not (tmp_path / "to" / "86_01.amc").exists()
    paths = download()
    assert site.asked[-1] == ("86_01.amc", "bytes=5000-")
    assert paths[1].read_bytes() == site.content["86_01.amc"]


@pytest.mark.data
def test_a_server_without_ranges_starts_again(site: Site, download: Download) -> None:
    site.knows_ranges = False
    site.stop_after["86_01.amc"] = [100_000]
    assert download()[1].read_bytes() == site.content["86_01.amc"]


@pytest.mark.data
@pytest.mark.parametrize(("surplus", "requests"), [(0, 1), (7, 2)])
def test_a_part_that_is_whole_or_longer_than_the_file(
    site: Site, download: Download, tmp_path: Path, surplus: int, requests: int
) -> None:
    (tmp_path / "to").mkdir()
    whole = site.content["86_01.amc"]
    (tmp_path / "to" / "86_01.amc.part").write_bytes(whole + b"x" * surplus)
    assert download()[1].read_bytes() == whole
    assert [name for name, _ in site.asked].count("86_01.amc") == requests


@pytest.mark.data
def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(site: Site, download: Download) -> None:
    site.failures = [503, 500]
    assert download()[0].read_bytes() == site.content["86.asf"]
    del site.content["86_01.amc"]
    for path in download()[1:]:
        path.unlink()
    site.asked.clear()
    with pytest.raises(FetchError, match=r"86_01\.amc: expected a file, the server says 404"):
        download()
    assert len(site.asked) == 1


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "damage", "complaint"),
    [
        ("86.asf", lambda b: b"<html>moved</html>", r"86\.asf: not the recording that was expected"),
        ("86_01.amc", lambda b: b"<html>moved</html>", r"86_01\.amc: not the recording.*expected an AMC file"),
        ("86_01.amc", lambda b: b[: b.rindex(b"lfoot")], r"86_01\.amc: not the recording.*the file is cut off"),
    ],
)
def test_what_is_no_recording_is_refused_and_removed(
    site: Site, download: Download, tmp_path: Path, name: str, damage: Callable[[bytes], bytes], complaint: str
) -> None:
    right = site.content[name]
    site.content[name] = damage(right)
    with pytest.raises(FetchError, match=complaint):
        download()
    assert not list((tmp_path / "to").glob(name + "*"))
    site.content[name] = right
    assert (tmp_path / "to" / name) in download()


@pytest.mark.data
def test_the_command_fetches_and_says_where(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "cmu-86", "--to", str(tmp_path), "--base-url", site.url]) == 0
    assert f"2 files in {tmp_path}" in capsys.readouterr().out
    assert main(["fetch", "cmu-86", "--to", str(tmp_path), "--base-url", "ftp://x"]) == 1
    assert "expected an address of http:// or https://, got ftp://x" in capsys.readouterr().err


def test_the_official_set_is_subject_86(tmp_path: Path) -> None:
    official = fetching.SETS["cmu-86"]
    assert official.base_url == "http://mocap.cs.cmu.edu/subjects/86/"
    assert official.files[0] == "86.asf"
    assert (official.files[1], official.files[-1], len(official.files)) == ("86_01.amc", "86_14.amc", 15)
    with pytest.raises(FetchError, match="expected one of cmu-86, got 'cmu-99'"):
        fetch("cmu-99", tmp_path)
