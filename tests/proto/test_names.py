"""Which characters a name may have, and text that is safe to show."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_proto.names import escape, hidden_in

HIDDEN = {
    "\x1b": "U+001B (a control character)",
    "\n": "U+000A",
    "\0": "U+0000",
    "\x7f": "U+007F",
    "\x9b": "U+009B (a control character)",
    "\u200e": "U+200E (LEFT-TO-RIGHT MARK)",
    "\u061c": "U+061C (ARABIC LETTER MARK)",
    "\u202e": "U+202E (RIGHT-TO-LEFT OVERRIDE)",
    "\u2066": "U+2066 (LEFT-TO-RIGHT ISOLATE)",
    "\u2028": "U+2028 (LINE SEPARATOR)",
    "\u2029": "U+2029 (PARAGRAPH SEPARATOR)",
    "\u200b": "U+200B (ZERO WIDTH SPACE)",
    "\ufeff": "U+FEFF",
    "\ud800": "U+D800",
    "\U000e0041": "U+E0041 (TAG LATIN CAPITAL LETTER A)",
}


@pytest.mark.parametrize("character", HIDDEN)
def test_a_hidden_character_is_found_and_named(character: str) -> None:
    found = hidden_in(f"ab{character}c")
    assert found is not None
    assert HIDDEN[character] in found
    assert found.endswith("at position 3")


@pytest.mark.parametrize("name", ["", "walk", "golf swing", "Übung 3", "歩く", "می‌روم", "क्‍ष", "🏃🏽‍♀️", "=1+1", "[red]"])
def test_names_of_all_languages_are_names(name: str) -> None:
    assert hidden_in(name) is None
    assert escape(name) == name


@given(st.text())
def test_escaped_text_has_nothing_hidden_and_json_stays_the_same(text: str) -> None:
    shown = escape(text)
    assert hidden_in(shown) is None
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert json.loads(escape(json.dumps(text, ensure_ascii=False))) == text
    assert escape(shown) == shown


def test_an_escape_is_spelt_as_json_does() -> None:
    assert escape("a\x1b[2J\x9b\u202e\U000e0041") == r"a\u001b[2J\u009b\u202e\udb40\udc41"
