"""Questions about documents: a value by its label, a cell by row and column, title, last line."""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.plans import Plan, Query
from pixelis.data.worlds.scene import Item, Scene

FAMILY = "text_extraction"
# How people ask for a column without naming it.
DIRECT = {
    "Platform": "[Which platform does the train to {row} leave from|From which platform does {row} leave|Where does the train to {row} stop, which platform]",
    "Time": "[When does the train to {row} leave|What time is the train to {row}|At what time do I leave for {row}]",
    "Price": "[How much is {row}|What does {row} cost|How much do I pay for {row}]",
    "Stock": "[How many {row} are in stock|How much {row} is left in stock]",
    "Aisle": "[In which aisle is {row}|Which aisle has {row}|Which aisle do I find {row} in]",
    "Points": "[How many points does {row} have|How many points did {row} get]",
    "Goals": "[How many goals did {row} score|How many goals does {row} have]",
    "Coach": "[Who is the coach of {row}|Who coaches {row}]",
    "Day": "[On which day is {row}|What day is {row} on|Which day is the {row} class]",
    "Start": "[When does {row} start|At what time does {row} begin|What time does {row} start]",
    "Hall": "[In which hall is {row}|Which hall is {row} in]",
    "Teacher": "[Who teaches {row}|Who is the teacher of {row}]",
    "Office": "[In which office is {row}|Which office does {row} have|Where does {row} sit, which office]",
    "Job": "[What does {row} work as|What is the job of {row}|What is {row}'s job]",
    "Train": "[Which train goes to {row}|What train goes to {row}]",
    "Phone": "[What is the phone number of {row}|How do I call {row}|Which number do I dial for {row}]",
}  # fmt: skip


def queries(scene: Scene) -> Iterator[Query]:
    """Everything that can be read off the document by one look."""
    texts = [item for item in scene.items if item.kind == "text"]
    for item in texts:
        if item.role == "title" and int(item.box.x1) % 3 == 0:  # titles are asked for less often
            yield _line("doc_title", "first", item)
        elif item.role == "line":
            yield _line("doc_last", "last", item)
        elif item.role == "value":
            yield from _value(item, texts)


def _line(kind: str, field: str, item: Item) -> Query:
    plan = Plan("read", f"{field} line", field=field)
    return Query(FAMILY, kind, {}, item.text, "text", plan)


def _value(item: Item, texts: list[Item]) -> Iterator[Query]:
    row = next(t.text for t in texts if t.role == "label" and t.row == item.row)
    head = next((t.text for t in texts if t.role == "header" and t.column == item.column), None)
    label = row.rstrip(":")
    if head is None:
        plan = Plan("read", label, words=(label,))
        yield Query(FAMILY, "doc_value", {"label": _spoken(label)}, item.text, "text", plan)
        return
    plan = Plan("read", f"{label}, {head}", words=(label, head))
    slots = {"row": label, "column": head.lower(), "direct": DIRECT[head].replace("{row}", label)}
    yield Query(FAMILY, "doc_cell", slots, item.text, "text", plan, 1)


def _spoken(label: str) -> str:
    """`Total` is spoken of as the total."""
    return f"[{label}|{label.lower()}]"
