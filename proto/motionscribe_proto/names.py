"""Names that somebody gives and somebody else reads: which characters they may have, and text that is safe to show.

A character that nobody sees can clear a terminal, write its title, turn the order of a line round, or make two names
look alike. The server refuses it in a name; whoever shows text writes it as an escape. No terminal and no wire here.
"""

import unicodedata

JOINERS = "\u200c\u200d"
"""Part of words in Persian and Hindi, and of emoji."""
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode: controls, marks of format and direction, surrogates, separators of lines and paragraphs."""


def is_hidden(character: str) -> bool:
    """True for what is no part of a text that people read."""
    return unicodedata.category(character) in HIDDEN and character not in JOINERS


def escape(text: str) -> str:
    r"""`text` with each hidden character as \uXXXX, as JSON spells it. What is JSON stays the same JSON."""
    if text.isprintable():
        return text
    return "".join(_spell(character) if is_hidden(character) else character for character in text)


def hidden_in(name: str) -> str | None:
    """The first hidden character of a name, with its place, for an error. None where it has none."""
    for place, character in enumerate(name, 1):
        if is_hidden(character):
            what = unicodedata.name(character, "a control character")
            return f"U+{ord(character):04X} ({what}) at position {place}"
    return None


def _spell(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
