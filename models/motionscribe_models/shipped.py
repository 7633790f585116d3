"""Where the models are that come with the package."""

from pathlib import Path


def shipped_models() -> Path:
    """Their folder: inside the package where that was installed, beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent
