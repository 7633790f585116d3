"""Files of a folder that people put there. Systems leave others beside them, some with the same endings."""

from pathlib import Path

_LEFT_BY_SYSTEMS = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}


def files_in(folder: Path) -> list[Path]:
    """The files directly in a folder, sorted by name; not hidden ones (`._take.amc`), locks (`~$x.csv`) and such."""
    return [path for path in sorted(folder.iterdir()) if path.is_file() and not is_left_over(path.name)]


def is_left_over(name: str) -> bool:
    """Whether a file of this name belongs to the system or an open program."""
    return name.startswith((".", "~$")) or name.lower() in _LEFT_BY_SYSTEMS
