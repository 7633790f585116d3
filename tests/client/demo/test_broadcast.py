"""The demo in a browser: the page answers and its stream is there, until it is interrupted."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

MOTIONSCRIBE = Path(sys.executable).with_name("motionscribe")


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_page_shows_the_performance_until_it_is_interrupted(end: int, tmp_path: Path) -> None:
    command = [str(MOTIONSCRIBE), "demo", "--page", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        said = demo.stdout.readline()
        found = re.fullmatch(r"the page is at (http://127\.0\.0\.1:\d+): Ctrl-C ends it\n", said)
        assert found is not None, said
        with urllib.request.urlopen(found[1], timeout=10) as answer:
            assert b"<canvas" in answer.read()
        demo.send_signal(end)
        try:
            assert demo.wait(30) == 130
        finally:
            demo.kill()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(found[1], timeout=10)


@pytest.mark.slow
def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [str(MOTIONSCRIBE), "demo", "--page", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr
