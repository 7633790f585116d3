"""The command motionscribe-server; where an extra is missing, the pip command that installs it."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from motionscribe_models.errors import MissingExtraError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status of command.run; 2 when a package is missing."""
    try:
        from motionscribe_server.command import run

        # only workers import it
        if find_spec("onnxruntime") is None:
            raise MissingExtraError("server-cpu", "onnxruntime")
    except ImportError as error:
        if error.name and error.name.startswith("motionscribe"):
            raise
        missing = error if isinstance(error, MissingExtraError) else MissingExtraError("server-cpu", str(error.name))
        print(f"motionscribe-server: {missing}", file=sys.stderr)
        return 2
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
