"""Rows of text: separators, headers, index columns and decimal commas as programs write them."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import read_recording
from motionscribe_models.recordings.table import first_row, read_table

NAMES = st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Zs"], exclude_characters="#"), min_size=1)
HEADERS = st.lists(NAMES.map(lambda name: f"c{name}"), min_size=2, max_size=5, unique=True)


@given(
    header=HEADERS,
    data=st.data(),
    separator=st.sampled_from([";", "\t", ","]),
    comma=st.booleans(),
    index=st.booleans(),
)
def test_what_a_program_writes_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    header: list[str],
    data: st.DataObject,
    separator: str,
    comma: bool,
    index: bool,
) -> None:
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
    row = st.lists(numbers, min_size=len(header), max_size=len(header))
    values = data.draw(st.lists(row, min_size=1, max_size=6))
    cells = [[repr(value).replace(".", "," if comma and separator != "," else ".") for value in row] for row in values]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(["", *header] if index else header)
    writer.writerows([str(n), *row] if index else row for n, row in enumerate(cells))
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    table = read_table(path)
    assert table.header == tuple(header)
    assert table.lines == [n + 2 for n in range(len(values))]
    assert np.array_equal(table.numbers(range(len(header)), range(len(values))), values)


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        ("time;a\n0;1\n", ("time", "a"), [["0", "1"]]),
        ("sep=;\ntime;a,b\n0;1,5\n", ("time", "a,b"), [["0", "1,5"]]),
        ("time\ta\n0\t1\n", ("time", "a"), [["0", "1"]]),
        ('"time","a, b"\n"0","1"\n', ("time", "a, b"), [["0", "1"]]),
        ("# made by a program\n# time,a\n0,1\n# a pause\n1,2\n", ("time", "a"), [["0", "1"], ["1", "2"]]),
        (",a,b\n0,1,2\n1,3,4\n", ("a", "b"), [["1", "2"], ["3", "4"]]),
        (
            "Unnamed: 0,a,b\n7,1,2\n8,3,4\n10,3,4\n11,3,4\n",
            ("a", "b"),
            [["1", "2"], ["3", "4"], ["3", "4"], ["3", "4"]],
        ),
        ("a;b;\n1;2;\n;;\n3;4;\n", ("a", "b"), [["1", "2"], ["3", "4"]]),
        (",0,1\n0,5,6\n1,7,8\n", None, [["5", "6"], ["7", "8"]]),
        ("0,1\n5,6\n7,8\n", None, [["5", "6"], ["7", "8"]]),
        ("0,5;1,5\n2,5;3\n", None, [["0,5", "1,5"], ["2,5", "3"]]),
    ],
)
def test_forms_of_tables(tmp_path: Path, text: str, header: tuple[str, ...] | None, rows: list[list[str]]) -> None:
    (tmp_path / "t.csv").write_text(text)
    table = read_table(tmp_path / "t.csv")
    assert table.header == header
    assert table.rows == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# only\n# comments\n", "got only comments"),
        ("a,b\n\n# x\n1,2\n1,2,3\n", r"t\.csv:5: expected 2 columns, got 3"),
        ("a;b\n1,5;2\n1.000,5;2\n", r"t\.csv:3: expected a number with a decimal comma, as elsewhere, got '1\.000,5'"),
        ("a,b\n1,2\n3,x4\n", r"t\.csv:3: expected a number, got 'x4' in column b"),
        ("a,b\n1,2\n3,\n", r"t\.csv:3: expected a number, got '' in column b"),
        ("a,b\n1,2\n3,-inf\n", r"t\.csv:3: expected a finite number, got -inf in column b"),
        ("a,b\n1,2\n3," + "9" * 200_000 + '"\n', r"t\.csv:3: expected"),
        ("down,0.6,0.7\nup,0.7,0.8\n", "expected a first line that names the columns, got 0.6 in it"),
        ("2024-01-01,1,2\n2024-01-02,1,2\n", r"or a header line; got 3"),
        (",a\n0.1,1\n0.2,2\n", "expected a name of its own for each column"),
    ],
)
def test_tables_that_are_half_one_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RecordingError, match=said):
        read_recording(tmp_path / "t.csv", 30.0)


def test_the_first_row_is_found_without_reading_on(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\ufeff# x\n\nstart_seq;end_seq;name\n1;2\n", encoding="utf-8")
    assert first_row(tmp_path / "t.csv") == ["start_seq", "end_seq", "name"]
    (tmp_path / "t.csv").write_text("")
    assert first_row(tmp_path / "t.csv") == []
