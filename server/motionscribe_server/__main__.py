"""The command motionscribe-server; where an extra is missing, the pip command that installs it."""

import os
import sys
from collections.abc import Sequence

from motionscribe_models.errors import MissingExtraError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status of command.run; 2 when a package is missing."""
    # before numpy is there: products of a few rows are slower on two threads, and the other core is the engine's
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from motionscribe_server.command import run
    except ImportError as error:
        if error.name and error.name.startswith("motionscribe"):
            raise
        missing = error if isinstance(error, MissingExtraError) else MissingExtraError("server-cpu", str(error.name))
        print(f"motionscribe-server: {missing}", file=sys.stderr)
        return 2
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
