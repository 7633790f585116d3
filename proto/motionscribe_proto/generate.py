"""Regenerates the committed stubs from segmentation.proto: `python -m motionscribe_proto.generate [FOLDER]`.

Needs grpcio-tools at the version pinned in the `dev` extra, so that the bytes come out the same.
"""

import sys
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
STUBS = ("segmentation_pb2.py", "segmentation_pb2.pyi", "segmentation_pb2_grpc.py")


def generate(folder: Path) -> None:
    """Writes the stubs below `folder`/motionscribe_proto. Raises RuntimeError when protoc fails."""
    root = HERE.parent
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={root}",
            f"--python_out={folder}",
            f"--pyi_out={folder}",
            f"--grpc_python_out={folder}",
            str(HERE / "segmentation.proto"),
        ]
    )
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status}")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent)
