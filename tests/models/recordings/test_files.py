"""What systems leave in folders is no recording."""

from pathlib import Path

from motionscribe_models.recordings.files import files_in

LEFT = ("._take.amc", ".DS_Store", "Thumbs.db", "desktop.ini", "~$take.csv", ".~lock.take.csv#", ".hidden.csv")


def test_files_of_systems_are_passed_over(tmp_path: Path) -> None:
    for name in (*LEFT, "take.amc", "a.csv"):
        (tmp_path / name).write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "folder.amc").mkdir()
    assert [path.name for path in files_in(tmp_path)] == ["a.csv", "take.amc"]
