import pytest
from hypothesis import given
from hypothesis import strategies as st

from kellgren.reporting.canvas import _DRAWN, drawable, fit, font, wrap


def test_every_letter_that_is_drawn_has_a_glyph() -> None:
    letters = font(20)
    missing = bytes(letters.getmask("\N{CJK UNIFIED IDEOGRAPH-819D}"))
    printable_ascii = {chr(code) for code in range(0x21, 0x7F)}
    assert not [
        char for char in _DRAWN | printable_ascii if bytes(letters.getmask(char)) == missing
    ]


@given(st.text())
def test_drawable_text_needs_no_other_letters(text: str) -> None:
    assert all(char.isascii() or char in _DRAWN for char in drawable(text))
    assert drawable(text).isprintable()


def test_lookalikes_and_accents() -> None:
    assert drawable("Kellgren–Lawrence, Größe é 膝") == "Kellgren-Lawrence, Grosse e ?"


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)), st.integers(40, 300))
def test_fitted_text_fits_and_keeps_its_end(text: str, width: int) -> None:
    shown = fit(text, 14, width)
    assert font(14).getlength(shown) <= width
    if shown != text:
        head, tail = shown.split("…")[0], shown.split("…")[-1]
        assert text.startswith(head)
        assert text.endswith(tail)


@given(st.lists(st.sampled_from(["a", "knee", "LATERALITY_CONFLICT"]), max_size=12))
def test_wrapping_loses_no_word(words: list[str]) -> None:
    lines = wrap(" ".join(words), 13, 200)
    assert " ".join(lines).split() == words
    assert all(font(13).getlength(line) <= 200 for line in lines)


@pytest.mark.parametrize("size", [13, 52])
def test_the_font_is_made_once(size: int) -> None:
    assert font(size) is font(size)
