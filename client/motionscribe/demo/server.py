"""The server of the demo: a process of its own on a free port of this machine, gone with the demo.

In: the folder of models. Out: an address that answers. Settings of the user's own server do not reach it.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from motionscribe.errors import ServerFailed
from motionscribe_models.errors import UnknownModelError

MODEL = "body"
READY = "listening on "
# the server gives calls 5 s to end
SHUTDOWN_S = 15.0


@contextmanager
def serve(models: Path) -> Iterator[str]:
    """The address of a server that serves MODEL from `models` and leaves nothing behind.

    Raises UnknownModelError where there is no such model, ServerFailed with the server's last words.
    """
    if not (models / MODEL).is_dir():
        raise UnknownModelError(
            f"expected the model {MODEL} in {models}, got none: run the demo from a checkout, or give --models"
        )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOTIONSCRIBE_")}
    with tempfile.TemporaryDirectory(prefix="motionscribe-demo-") as folder:
        command = [sys.executable, "-m", "motionscribe_server", "--port=0", f"--load={MODEL}"]
        command += [f"--models={models.resolve()}", f"--storage-location={folder}/demo.sqlite"]
        log = Path(folder, "log")
        with (
            log.open("w") as errors,
            subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as server,
        ):
            try:
                said = server.stdout.readline() if server.stdout else ""
                if not said.startswith(READY):
                    status = server.wait()
                    raise ServerFailed((log.read_text().splitlines() or [f"the server ended with status {status}"])[-1])
                yield said.removeprefix(READY).strip()
            finally:
                server.terminate()
                try:
                    server.wait(SHUTDOWN_S)
                except subprocess.TimeoutExpired:
                    server.kill()
