"""What the tests of the network learn from."""

import pytest
from tests.support.small_training import Sequences, oscillations


@pytest.fixture(scope="session")
def sequences() -> Sequences:
    """Two oscillations of different speed and size."""
    return oscillations()
