"""Numbers as they were printed, and the arithmetic of what they may have been before rounding.

Exact fractions throughout, so that a number on the edge of a rounding falls on the side where it
belongs and no verdict hangs on a binary digit.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_FARTHEST = 60
"""Powers of ten from one; chosen: beyond print, and squares of quotients are still floats."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers from ``low`` to ``high``, both ends included.

    Sums, differences, products and quotients hold every result that numbers of the operands can
    give. They hold more than that where one operand stands in an expression twice, so that what
    is outside is impossible, while what is inside need not be possible.
    """

    low: Fraction
    high: Fraction

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"An interval cannot go from {self.low} down to {self.high}.")

    @classmethod
    def of(cls, number: "Interval | Fraction | int") -> "Interval":
        """Return an interval as it is, and a number as the interval that holds it alone."""
        return number if isinstance(number, Interval) else cls(Fraction(number), Fraction(number))

    @classmethod
    def around(cls, *numbers: float | Fraction) -> "Interval":
        """Return the shortest interval that holds all of the numbers."""
        return cls(Fraction(min(numbers)), Fraction(max(numbers)))

    def __add__(self, other: "Interval | Fraction | int") -> "Interval":
        right = Interval.of(other)
        return Interval(self.low + right.low, self.high + right.high)

    def __sub__(self, other: "Interval | Fraction | int") -> "Interval":
        right = Interval.of(other)
        return Interval(self.low - right.high, self.high - right.low)

    def __mul__(self, other: "Interval | Fraction | int") -> "Interval":
        right = Interval.of(other)
        return Interval.around(*(x * y for x in self.ends for y in right.ends))

    def __truediv__(self, other: "Interval | Fraction | int") -> "Interval":
        """Divide; ZeroDivisionError where the divisor may be nought."""
        right = Interval.of(other)
        if 0 in right:
            raise ZeroDivisionError("a divisor that may be nought before rounding")
        return Interval.around(*(x / y for x in self.ends for y in right.ends))

    def __contains__(self, number: Fraction | int) -> bool:
        return self.low <= number <= self.high

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        """Lowest and highest."""
        return self.low, self.high

    @property
    def width(self) -> Fraction:
        """Distance of the ends."""
        return self.high - self.low

    def square(self) -> "Interval":
        """Every square; narrower than a product with itself, which knows no sameness."""
        size = self.size()
        return Interval(size.low**2, size.high**2)

    def size(self) -> "Interval":
        """Every absolute value."""
        low, high = sorted(abs(end) for end in self.ends)
        return Interval(Fraction(0) if 0 in self else low, high)

    def meets(self, other: "Interval") -> bool:
        """Whether a number lies in both."""
        return self.low <= other.high and other.low <= self.high

    def within(self, other: "Interval") -> bool:
        """Whether the other holds all of this."""
        return other.low <= self.low and self.high <= other.high

    def whole(self) -> range:
        """Every whole number in it."""
        return range(math.ceil(self.low), math.floor(self.high) + 1)


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as a paper prints it.

    Parameters
    ----------
    text
        As it stands there.
    value
        Taken at its face.
    unit
        What one step of its last digit is worth; nought for an exact number, such as a count.
    """

    text: str
    value: Fraction
    unit: Fraction

    @classmethod
    def exact(cls, number: int) -> "Printed":
        """Return a count, or a setting that somebody chose."""
        return cls(f"{number:,}", Fraction(number), Fraction(0))

    @classmethod
    def rounded(cls, number: Decimal | int | str) -> "Printed":
        """Return a number whose digits were rounded to those that it has.

        ``0.830`` has three decimals, ``83`` none, and ``143e2`` was rounded to hundreds.
        """
        decimal = Decimal(number)
        exponent = decimal.as_tuple().exponent
        # NaN and infinity have a letter for an exponent.
        if not isinstance(exponent, int) or abs(exponent) > _FARTHEST:
            raise ValueError(f"{number} is no number that a paper prints")
        return cls(str(number), Fraction(decimal), Fraction(10) ** exponent)

    @property
    def interval(self) -> Interval:
        """What is printed so when rounded to the nearest; ties may have gone either way."""
        return Interval(self.value - self.unit / 2, self.value + self.unit / 2)

    def cut_from(self, number: Fraction) -> bool:
        """Whether a number is printed so when its further digits are left away."""
        up = self.value <= number < self.value + self.unit
        down = self.value - self.unit < number <= self.value
        return (up and self.value >= 0) or (down and self.value <= 0)

    def as_share(self) -> "Printed":
        """Return a share in [0, 1]: a number above one is taken for a percentage."""
        if self.value <= 1:
            return self
        return Printed(self.text, self.value / 100, self.unit / 100)
