"""A file of netCDF 4 with HDF5 alone: dimensions are scales, numbered in the order in which they were made.

What xarray's engines and the netCDF library read: https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html
(netCDF-4 format). Needs the extra `h5`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_models.errors import MissingExtraError

NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.%10d"
"""The name that marks a dimension without coordinates."""


@dataclass(frozen=True, eq=False)
class Variable:
    """Numbers, or single bytes of text, by dimensions that the file has."""

    dims: tuple[str, ...]
    values: Any
    attributes: Mapping[str, Any] = field(default_factory=dict)


def write_netcdf(
    path: Path,
    dims: Mapping[str, Any],
    variables: Mapping[str, Variable],
    attributes: Mapping[str, Any],
) -> None:
    """Writes dimensions with their coordinates: an array of numbers, a list of texts, or only a length.

    Floats that are missing are NaN. Raises MissingExtraError without h5py, OSError.
    """
    h5py = load_h5py(path.suffix)
    whole = BytesIO()  # HDF5 crashes where a disk is full
    with h5py.File(whole, "w", track_order=True) as file:  # netCDF wants things in the order in which they were made
        file.attrs.update(attributes)
        for number, (dim, values) in enumerate(dims.items()):
            scale = _add_scale(file, h5py, dim, values)
            scale.attrs["_Netcdf4Dimid"] = np.int32(number)
        for name, variable in variables.items():
            _add(file, name, variable, list(dims))
    path.write_bytes(whole.getvalue())


def load_h5py(ending: str) -> Any:
    """The h5py module. Raises MissingExtraError."""
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("h5", f"writing {ending}") from None
    return h5py


def _add_scale(file: Any, h5py: Any, dim: str, values: Any) -> Any:
    if isinstance(values, int):
        scale = file.create_dataset(dim, shape=(values,), dtype=">f4", track_order=True)
        scale.make_scale(NO_VARIABLE % values)
        return scale
    kind = h5py.string_dtype() if isinstance(values, list) else None
    scale = file.create_dataset(dim, data=values, dtype=kind, track_order=True)
    scale.make_scale(dim)
    return scale


def _add(file: Any, name: str, variable: Variable, dims: Sequence[str]) -> None:
    values = variable.values
    missing = values.dtype.type(np.nan) if values.dtype.kind == "f" else None
    packed = {"compression": "gzip", "compression_opts": 1} if values.dtype.kind != "f" and values.size else {}
    found = file.create_dataset(name, data=values, fillvalue=missing, track_order=True, **packed)
    for axis, dim in enumerate(variable.dims):
        found.dims[axis].attach_scale(file[dim])
    found.attrs["_Netcdf4Coordinates"] = np.array([dims.index(dim) for dim in variable.dims], np.int32)
    found.attrs["_Netcdf4Dimid"] = np.int32(dims.index(variable.dims[0]))
    found.attrs.update(variable.attributes)
