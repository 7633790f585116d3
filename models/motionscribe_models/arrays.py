"""Names for arrays of floats; docstrings give their shapes."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Single = NDArray[np.float32]
