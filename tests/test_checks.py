"""Checks: what is taken, what is refused and how that is said."""

import math

import pytest

from pyzzicato.checks import check_number, check_one_of, check_whole, plain_text, show_value

# Named, or pytest would write them out.
HUGE = pytest.param(10**400, id="huge")
LONG = pytest.param("a" * 10**7, id="long")


@pytest.mark.parametrize("value", [1, 2.5, 3])
def test_numbers_in_their_range_are_taken(value):
    assert check_number("seconds", value, 1, 3, "try 2") == value


@pytest.mark.parametrize(
    "value", [0.99, 3.01, math.nan, math.inf, -math.inf, True, "2", None, [2], {}, HUGE]
)
def test_other_numbers_are_refused_with_name_range_and_fix(value):
    with pytest.raises(ValueError, match="^seconds must be 1 to 3, got .*; try 2$"):
        check_number("seconds", value, 1, 3, "try 2")


@pytest.mark.parametrize("value", [3, 3.0])
def test_whole_numbers_may_come_as_json_numbers(value):
    taken = check_whole("takes", value, 1, 4, "ask again", from_json=True)
    assert taken == 3
    assert type(taken) is int


def test_a_whole_number_is_no_float_elsewhere():
    with pytest.raises(ValueError, match="got 3.0"):
        check_whole("takes", 3.0, 1, 4)


@pytest.mark.parametrize("value", [0, 5, 2.5, math.nan, math.inf, True, "3", None, [], HUGE])
def test_other_whole_numbers_are_refused(value):
    with pytest.raises(ValueError, match="^takes must be a whole number from 1 to 4, got "):
        check_whole("takes", value, 1, 4, "ask again", from_json=True)


@pytest.mark.parametrize("value", ["c", "A", "", None, 3, ["a"], LONG])
def test_a_choice_is_one_of_those_there_are(value):
    assert check_one_of("model", "a", ["a", "b"]) == "a"
    with pytest.raises(ValueError, match="^model must be one of a, b, got ") as raised:
        check_one_of("model", value, ["a", "b"])
    assert len(str(raised.value)) < 200


def test_what_is_shown_of_a_value_is_short_and_no_html():
    assert show_value([1, "a", [2]]) == "[1, 'a', list]"
    for value in [
        "<img src=x onerror=alert(1)>" * 1000,
        "a\nb\x00\x1b[31m",
        10**5000,
        [0] * 10**6,
        ["x" * 90] * 8,
    ]:
        shown = show_value(value)
        assert len(shown) <= 80
        assert not set('<>&"`\n\x00\x1b') & set(shown)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Clair de lune", "Clair de lune"),
        ("  Rêverie\n\t(1890) ", "Rêverie (1890)"),
        ("<script>alert(1)</script>", "script alert(1) /script"),
        ('"><b>bold</b>&amp;', "b bold /b amp;"),
        ("\u202egnp.exe", "gnp.exe"),
        ("x" * 500, "x" * 80),
        ("\x00\x07", ""),
    ],
)
def test_titles_are_plain_text(text, plain):
    assert plain_text(text) == plain
