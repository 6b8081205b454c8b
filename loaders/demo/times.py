"""When incidents happen: days of the week, hours, and how sure anyone can be of them."""

from typing import NamedTuple

import numpy as np

from loaders.demo.chance import Chance, IntArray
from loaders.demo.model import FIRST_YEAR, MONTHS, days_in_month

__all__ = ["DAY", "EPOCH", "HABITS", "LAST_DAY", "Habit", "lasted", "started"]

# Times are whole minutes, days whole days, since the first midnight of the series.
EPOCH = np.datetime64(f"{FIRST_YEAR}-01-01")
DAY = 24 * 60
LAST_DAY = int(days_in_month().sum()) - 1

# Days on which more happens outdoors: Hallowe'en, Bonfire Night, New Year's Eve.
LIVELY = {"10-31": 2, "11-05": 2, "12-31": 2}


class Habit(NamedTuple):
    """When a type happens: a digit of weight for each weekday from Monday and each hour from midnight."""

    days: str
    hours: str
    late: int = 1  # how much livelier Friday and Saturday nights are
    # (share in percent, shortest, longest) in hours: how long the window is within which it happened
    windows: tuple[tuple[int, int, int], ...] = ((72, 0, 0), (28, 0, 1))


HABITS = {
    "evening": Habit("5555676", "421111111122333455678875", 2),
    "night": Habit("4445797", "532111111122333344567777", 4),
    "any": Habit("5555666", "321111112333444455666554"),
    "shops": Habit("5556674", "000000014688999998864210"),
    "home": Habit("5556665", "433322345776555566788765", windows=((45, 1, 5), (35, 5, 14), (20, 24, 66))),
    "parked": Habit("5555665", "322211122233344456788865", windows=((30, 0, 0), (25, 1, 4), (45, 6, 12))),
    "away": Habit("5555654", "100000036887655554432221", windows=((20, 0, 0), (80, 1, 9))),
}


def started(habit: IntArray, month: IntArray, *, chance: Chance) -> IntArray:
    """Draw the minute at which each incident began.

    Parameters
    ----------
    habit
        Position in `HABITS` of each incident; shape (rows,).
    month
        Month of each incident from 0; shape (rows,).
    """
    weeks = np.array([_week(h) for h in HABITS.values()])
    day = _picked(np.cumsum(_days(weeks.sum(axis=2)), axis=2)[habit, month], chance=chance)
    day += (np.cumsum(days_in_month()) - days_in_month())[month]
    hour = _picked(np.cumsum(weeks, axis=2)[habit, _weekday(day)], chance=chance)
    minute = chance.whole(0, 59, size=len(day))
    # Half of all callers round to the quarter.
    minute = np.where(chance.chosen(0.5, size=len(day)), minute // 15 * 15, minute)
    return day * DAY + hour * 60 + minute


def lasted(habit: IntArray, *, chance: Chance) -> IntArray:
    """Draw the length in minutes of the window within which each incident happened; 0 where the moment is known."""
    minutes = np.zeros(len(habit), dtype=np.int64)
    for number, each in enumerate(HABITS.values()):
        rows = np.flatnonzero(habit == number)
        shares, low, high = np.array(each.windows).T
        window = chance.pick(shares, size=len(rows))
        span = 4 * (high - low)[window]
        minutes[rows] = 60 * low[window] + 15 * np.floor(chance.uniform(len(rows)) * (span + 1)).astype(np.int64)
    return minutes


def _week(habit: Habit) -> IntArray:
    """Return the weight of each hour of the week; shape (7, 24), Monday first."""
    week = np.outer([int(d) for d in habit.days], [int(h) for h in habit.hours])
    week[4:6, 21:] *= habit.late
    week[5:7, :4] *= habit.late
    return week


def _days(weekdays: IntArray) -> IntArray:
    """Spread weights of weekdays (habits, 7) over the days of each month; shape (habits, months, 31)."""
    weights = np.zeros((len(weekdays), MONTHS, 31), dtype=np.int64)
    first = 0
    for month, length in enumerate(days_in_month().tolist()):
        days = np.arange(first, first + length)
        lively = [LIVELY.get(str(EPOCH + day)[5:], 1) for day in days]
        weights[:, month, :length] = weekdays[:, _weekday(days)] * lively
        first += length
    return weights


def _weekday(day: IntArray) -> IntArray:
    """Return 0 for Monday to 6 for Sunday: 1 January 1970 was a Thursday."""
    return (day + int(EPOCH.astype(np.int64)) + 3) % 7


def _picked(ends: IntArray, *, chance: Chance) -> IntArray:
    """Draw a position in each row of running totals (rows, positions)."""
    at = np.floor(chance.uniform(len(ends)) * ends[:, -1])
    picked: IntArray = np.count_nonzero(at[:, None] >= ends, axis=1)
    return picked
