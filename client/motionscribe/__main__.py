"""`python -m motionscribe` is the command `motionscribe`."""

import sys

from motionscribe.cli import main

if __name__ == "__main__":
    sys.exit(main())
