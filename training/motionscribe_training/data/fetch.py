"""Downloads public recordings: the Acclaim files of CMU subject 86, by HTTP, with checks and resume.

A download goes to `<name>.part` and gets its own name when it has the length that the server announced. Then it is read
as a recording to its last frame, and removed if it is not one. An interrupted download leaves its `.part`; the next
attempt, or the next run, continues it.
"""

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording
from motionscribe_models.recordings.acclaim import read_asf
from motionscribe_models.recordings.skeletons import CMU_EXPMAP
from motionscribe_training.errors import FetchError

CHUNK = 1 << 16
ATTEMPTS = 5
TIMEOUT_S = 30.0
"""Silence after which a connection counts as broken."""


@dataclass(frozen=True)
class PublicSet:
    """Files below one address; a skeleton comes before the motion that needs it."""

    base_url: str
    files: tuple[str, ...]


SETS = {
    "cmu-86": PublicSet(
        "http://mocap.cs.cmu.edu/subjects/86/", ("86.asf", *(f"86_{trial:02d}.amc" for trial in range(1, 15)))
    ),
}


class _BrokenOffError(Exception):
    """A connection that broke off: worth another attempt."""


def fetch(
    name: str,
    folder: Path,
    base_url: str | None = None,
    *,
    pause_s: float = 1.0,
    quiet: bool = False,
) -> list[Path]:
    """Fetches the set `name` to `folder` and returns the paths of all its files; complete ones are not fetched again.

    Each file gets ATTEMPTS connections, the pause between two doubling from `pause_s`. Raises FetchError.
    """
    if name not in SETS:
        raise FetchError(f"expected one of {', '.join(SETS)}, got {name!r}")
    base = (base_url or SETS[name].base_url).rstrip("/") + "/"
    if not base.startswith(("http://", "https://")):
        raise FetchError(f"expected an address of http:// or https://, got {base}")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file for file in SETS[name].files]
    for path in paths:
        if not path.is_file():
            _fetch_file(base + path.name, path, pause_s, quiet)
        try:
            _check(path)
        except FetchError:
            path.unlink()  # complete but wrong: the next run fetches it again
            raise
    return paths


def _fetch_file(url: str, path: Path, pause_s: float, quiet: bool) -> None:
    part = path.with_name(path.name + ".part")
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause_s * 2 ** (attempt - 1))
        try:
            _append(url, part, quiet)
            break
        except (_BrokenOffError, http.client.HTTPException, OSError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                raise FetchError(f"{url}: expected a file, the server says {error.code} {error.reason}") from error
            reason = error
    else:
        raise FetchError(f"{url}: broke off {ATTEMPTS} times, last with: {reason}; run again to go on")
    part.replace(path)


def _append(url: str, part: Path, quiet: bool) -> None:
    """One connection: fetches what `part` lacks. Raises when the file is not whole afterwards."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # `fetch` allows http and https alone
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310  # likewise
    except urllib.error.HTTPError as error:
        with error:
            if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return  # broke off after the last byte
        part.unlink()
        raise _BrokenOffError(f"the server's file is not longer than the {have} bytes that are here") from error
    with response:
        if response.status == http.client.PARTIAL_CONTENT:
            span, _, whole = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            if not span.startswith(f"{have}-") or not whole.isdecimal():
                part.unlink()
                raise _BrokenOffError(f"expected the bytes from {have}, got Content-Range {span}/{whole}")
            total: int | None = int(whole)
        else:  # a server without ranges sends the whole file again
            have = 0
            announced = response.headers.get("Content-Length", "")
            total = int(announced) if announced.isdecimal() else None
        label = part.name.removesuffix(".part")
        with (
            part.open("ab" if have else "wb") as file,
            tqdm(total=total, initial=have, desc=label, unit="B", unit_scale=True, disable=quiet) as bar,
        ):
            while chunk := response.read(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    size = part.stat().st_size
    if total is not None and size != total:
        raise _BrokenOffError(f"expected {total} bytes, got {size}")


def _check(path: Path) -> None:
    """Reads a file to its end in the format of its name. Raises FetchError."""
    try:
        if path.suffix == ".asf":
            read_asf(path, CMU_EXPMAP.rate_hz)
        else:
            read_recording(path)
    except RecordingError as error:
        raise FetchError(f"{path.name}: not the recording that was expected: {error}") from error
