"""What the stack refers to, apart from modules that are slow to import."""

ITEM_ID = "761ff52b-8e6d-d373-fdf2-91a1a70df20c"
"""The first item of a fresh stack: md5('item-1')."""
