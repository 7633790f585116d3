"""Where the pose model of the camera is: the files of an npm package, which a browser loads from the page alone."""

from pathlib import Path

from motionscribe.errors import BadRequest

PACKAGE = "@mediapipe/pose"
VERSION = "0.5.1675469404"
BESIDE = Path(__file__).parent
"""Where `make camera` installs it."""
HOW = (
    f"the camera needs a pose model: run `make camera` in a checkout, or elsewhere `npm install --prefix camera "
    f"{PACKAGE}@{VERSION}` and then `motionscribe page --camera camera`"
)


def find_pose_model(folder: Path | None) -> Path | None:
    """The package that npm installed in `folder`, None where it is not; without `folder`, beside the page.

    Raises BadRequest where it is not in a `folder` that was named.
    """
    package = (folder or BESIDE) / "node_modules" / PACKAGE
    if (package / "pose.js").is_file():
        return package
    if folder:
        raise BadRequest(f"expected {PACKAGE} in {folder / 'node_modules'}, got none: {HOW}")
    return None
