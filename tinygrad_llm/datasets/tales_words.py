"""The words of the tales: everything that a choice can be."""

from __future__ import annotations

GIRLS = ("Lily", "Mia", "Anna", "Ruth", "Emma", "Nora", "Ida", "Clara", "Rosa", "Ella", "June", "Vera")
BOYS = ("Tom", "Ben", "Sam", "Max", "Leo", "Finn", "Hugo", "Otto", "Paul", "Carl", "Jack", "Noah")
CHILDREN = GIRLS + BOYS
PRONOUNS = {"girl": ("she", "her", "her"), "boy": ("he", "him", "his")}
"""Who does it, whom it is done to, whose it is."""

PLACES = ("harbor", "market", "forest", "meadow", "old mill", "library", "river", "castle", "bakery", "garden")
SPOTS = ("under a bench", "behind a wall", "in the tall grass", "beside a barrel", "on a broad stone", "near the gate")
COLORS = ("red", "blue", "green", "yellow", "white", "silver")
THINGS = (
    "kite",
    "ball",
    "drum",
    "book",
    "lantern",
    "basket",
    "whistle",
    "ribbon",
    "map",
    "cup",
    "flute",
    "wooden horse",
)
FOODS = ("big apple", "pear", "honey cake", "bun", "plum tart", "cheese roll")
ANIMALS = ("cat", "dog", "goat", "duck", "hen", "pony", "crow", "mouse")
WEATHER = ("sunny", "windy", "cold", "misty", "bright", "rainy")
TIMES = ("morning", "afternoon", "evening", "Sunday")
ADULTS = ("the baker", "the miller", "the fisher", "the teacher", "the gardener", "the old sailor")
