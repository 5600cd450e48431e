"""Many files: what is below folders, processes that share the work, places that no hostile name leads out of."""

from arcomp.batch.places import place_below
from arcomp.batch.trees import Folder, Seen, below, make_folders, put_folders
from arcomp.batch.workers import Done, Lost, Message, Workers, in_order

__all__ = [
    "Done",
    "Folder",
    "Lost",
    "Message",
    "Seen",
    "Workers",
    "below",
    "in_order",
    "make_folders",
    "place_below",
    "put_folders",
]
