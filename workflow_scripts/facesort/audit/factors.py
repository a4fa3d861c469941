"""What is changed within rendered pairs: its name, and what the first and second face are with."""

from typing import Final

# In the order of the tables.
LEVELS: Final = {
    "skin tone": ("light skin", "dark skin"),
    "age lines": ("few lines", "many lines"),
    "face shape": ("a feminine shape", "a masculine shape"),
    "hair": ("short hair", "long hair"),
    "beard": ("no beard", "a full beard"),
    "glasses": ("no glasses", "glasses"),
    "light": ("light from the front", "light from the side"),
    "head": ("the head straight", "the head turned"),
}
# What these are set against: less than the least change, and all changed at once.
NOTHING: Final = "nothing"
ANOTHER: Final = "another person"
