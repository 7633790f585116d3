"""Which source an address means."""

import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

from motionscribe.sources import IterableSource, Source, as_source, lsl
from motionscribe.sources.schemes import FILE, SCHEMES, Scheme, open_source, parse_address
from motionscribe_models.errors import MissingExtraError, RecordingError

LSL = next(scheme for scheme in SCHEMES if scheme.name == "lsl")


@pytest.mark.parametrize(
    ("text", "scheme", "address"),
    [
        ("lsl:capture", LSL, "capture"),
        ("lsl:", LSL, ""),
        ("lsl:a:b\nc", LSL, "a:b\nc"),
        ("86_01.amc", FILE, "86_01.amc"),
        ("C:\\recordings\\86_01.amc", FILE, "C:\\recordings\\86_01.amc"),
        ("c:/recordings/86_01.amc", FILE, "c:/recordings/86_01.amc"),
        ("./lsl:capture.amc", FILE, "./lsl:capture.amc"),
        ("a folder/x:1.amc", FILE, "a folder/x:1.amc"),
        ("", FILE, ""),
    ],
)
def test_an_address_is_a_scheme_and_the_rest(text: str, scheme: Scheme, address: str) -> None:
    assert parse_address(text) == (scheme, address)


def test_an_unknown_scheme_names_those_that_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = re.escape(" or ".join(scheme.spelling for scheme in SCHEMES))
    with pytest.raises(RecordingError, match=rf"take:1\.csv: expected {known}, got the unknown scheme take:"):
        as_source("take:1.csv")
    monkeypatch.chdir(tmp_path)
    Path("take:1.csv").write_text("x\n1\n2\n")
    assert open_source("take:1.csv", rate_hz=10.0).rate_hz == 10.0  # a file may be called so


def test_the_address_and_the_rate_reach_what_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    source = IterableSource([])

    def opener(address: str, rate_hz: float | None) -> Source:
        asked.append((address, rate_hz))
        return source

    monkeypatch.setattr(lsl, "open_lsl", opener)
    assert open_source("lsl:capture", rate_hz=50.0) is source
    assert as_source("lsl:capture") is source
    assert asked == [("capture", 50.0), ("capture", None)]


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.spelling)
def test_every_scheme_has_its_function(scheme: Scheme) -> None:
    assert callable(resolve_name(scheme.opener))


def test_names_of_schemes_differ_and_are_no_drives() -> None:
    names = [scheme.name for scheme in SCHEMES]
    assert len(set(names)) == len(names)
    assert all(name == "" or len(name) > 1 for name in names)


def test_a_module_that_needs_an_extra_is_imported_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys, motionscribe.cli; sys.exit('motionscribe.sources.lsl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[lsl\]"'):
        open_source("lsl:capture")


def test_a_path_is_a_file_whatever_it_is_called() -> None:
    with pytest.raises(RecordingError, match="lsl:a: expected a file ending in"):
        as_source(Path("lsl:a"))
