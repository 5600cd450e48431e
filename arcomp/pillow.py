"""``import arcomp.pillow`` lets Pillow open and save `.arcomp` files, and whatever opens its pictures by Pillow."""

from arcomp.plugins.pillow import ArcompImageFile, register

register()

__all__ = ["ArcompImageFile", "register"]
