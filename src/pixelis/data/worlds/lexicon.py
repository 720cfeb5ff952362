"""What documents hold: shops, goods, fields of forms, tables with their columns, charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Maker = Callable[[np.random.Generator], str]


def pick(rng: np.random.Generator, values: Sequence[str], count: int) -> list[str]:
    """That many different ones (all of them when there are fewer)."""
    chosen = rng.permutation(len(values))[:count]
    return [values[int(k)] for k in chosen]


def different(rng: np.random.Generator, make: Maker, count: int) -> list[str]:
    """`count` values of a maker, no two the same where it can make so many."""
    found: list[str] = []
    for _ in range(40 * count):
        value = make(rng)
        if value not in found:
            found.append(value)
        if len(found) == count:
            return found
    return [found[k % len(found)] for k in range(count)]


def _one(*values: str) -> Maker:
    return lambda rng: values[int(rng.integers(len(values)))]


def _number(low: int, high: int, unit: str = "") -> Maker:
    return lambda rng: f"{int(rng.integers(low, high))}{unit}"


def _time(rng: np.random.Generator) -> str:
    return f"{int(rng.integers(5, 24)):02d}:{int(rng.integers(0, 12)) * 5:02d}"


def _price(rng: np.random.Generator) -> str:
    return f"{int(rng.integers(1, 90))}.{int(rng.integers(0, 100)):02d}"


def _phone(rng: np.random.Generator) -> str:
    return f"{int(rng.integers(200, 999))} {int(rng.integers(1000, 9999))}"


def _date(rng: np.random.Generator) -> str:
    month = ("March", "April", "May", "June", "July", "August", "October")[int(rng.integers(7))]
    return f"{int(rng.integers(1, 29))} {month}"


FIRST = "Anna Bruno Carla David Emma Felix Greta Henry Irene James Karin Louis Maria Nora".split()
LAST = "Baker Brandt Cooper Dubois Evans Fischer Grant Hughes Keller Larsen Meyer Novak".split()


def _person(rng: np.random.Generator) -> str:
    return f"{_one(*FIRST)(rng)} {_one(*LAST)(rng)}"


CITIES = (
    "Ely Bath Derby Exeter Leeds Lincoln Oxford Perth Ripon Truro Wells York Dover Luton Crewe "
    "Hull Stoke Salford Durham Carlisle"
).split()
GOODS = (
    "Bread Butter Milk Coffee Tea Sugar Apples Lemons Cheese Honey Rice Pasta Soap Candles Paper "
    "Tomatoes Onions Yogurt Juice Eggs Salt Pepper Biscuits Chocolate"
).split()
THANKS = ("Thank you", "Come again soon", "Have a nice day", "Keep this receipt", "See you soon")
FORMS = ("Registration", "Order form", "Library card", "Parcel slip", "Visitor pass", "Booking")


def shop(rng: np.random.Generator) -> str:
    """`Corner Bakery`."""
    first = _one("Corner", "Green", "Harbour", "Market", "Old Town", "River", "Station", "Sunny")
    second = _one("Bakery", "Store", "Grocery", "Market", "Kiosk", "Shop", "Pantry", "Cellar")
    return f"{first(rng)} {second(rng)}"


FIELDS: Mapping[str, Maker] = {
    "Name": _person,
    "City": _one(*CITIES),
    "Phone": _phone,
    "Date": _date,
    "Room": _number(10, 400),
    "Seat": lambda rng: f"{int(rng.integers(10, 60))}{'ABCDEF'[int(rng.integers(6))]}",
    "Order": _number(1000, 9999),
    "Street": lambda rng: f"{_one('Mill', 'Park', 'Church', 'Hill', 'Lake')(rng)} Road",
    "Weight": _number(2, 40, " kg"),
    "Country": _one("Norway", "Spain", "Kenya", "Japan", "Chile", "Canada", "Poland"),
    "Teacher": _person,
    "Floor": _number(11, 40),
}


class Table(NamedTuple):
    """A kind of table: title, the head and the names of its first column, makers of the others."""

    title: str
    first: str
    rows: Sequence[str]
    columns: Mapping[str, Maker]


LESSONS = ("Yoga", "Drawing", "Chess", "Piano", "Spanish", "Pottery", "Boxing", "Sewing")
JOBS = ("Cook", "Driver", "Nurse", "Painter", "Baker", "Gardener", "Pilot", "Clerk")
_day = _one("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_some = _number(10, 99)
_last = _one(*LAST)

TABLES = (
    Table(
        "Departures", "To", CITIES, {"Time": _time, "Platform": _number(10, 30), "Train": _phone}
    ),
    Table("Price list", "Item", GOODS, {"Price": _price, "Stock": _some, "Aisle": _some}),
    Table("Results", "Team", CITIES, {"Points": _some, "Goals": _some, "Coach": _last}),
    Table(
        "Classes",
        "Class",
        LESSONS,
        {"Day": _day, "Start": _time, "Hall": _number(10, 60), "Teacher": _last},
    ),
    Table(
        "Staff",
        "Person",
        FIRST,
        {"Office": _number(100, 480), "Phone": _phone, "Job": _one(*JOBS)},
    ),
)


class Chart(NamedTuple):
    """A kind of chart: its title and what may stand below its bars."""

    title: str
    labels: Sequence[str]


CHARTS = (
    Chart("Visitors", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")),
    Chart("Harvest", ("Plum", "Pear", "Fig", "Kiwi", "Lime", "Corn", "Rye", "Oats")),
    Chart("Sales", ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct")),
    Chart("Votes", ("Anna", "Ben", "Carl", "Dora", "Emil", "Fay", "Gus", "Hugo")),
    Chart("Rainfall", ("York", "Hull", "Bath", "Ely", "Leeds", "Dover", "Perth")),
)
