"""What the pages of `scraped` are made of beside stories: frames, adverts, contacts, things that look like contacts.

Telephone numbers, hosts and the like are of the ranges that are kept for fiction (555-01xx, .example).
"""

from __future__ import annotations

MENUS = (
    "Home | About | Contact | Log in",
    "Start - Stories - Forum - Shop",
    "Menu > Tales > Latest",
    "Home About Archive Search",
)
TITLES = ("The {thing} of {name}", "{name} at the {place}", "A tale from the {place}", "What {name} saw")
FOOTERS = (
    "We use cookies to make this page better. Read our privacy policy.",
    "Please enable Javascript to see the pictures of this page.",
    "Share this page | Print | Report",
    "Copyright 2026 Tales for All - Terms of use",
    "Click here",
    "Next story >>",
)
SURNAMES = (
    *("Abbot", "Barlow", "Carver", "Dalton", "Ellery", "Fenwick", "Garrick", "Harding", "Ingram", "Jarvis", "Kendal"),
    *("Lowell", "Marlow", "Norris", "Ogden", "Parrish", "Quigley", "Ramsey", "Seaton", "Talbot", "Upton", "Vaughan"),
    *("Weston", "Yardley", "Ashdown", "Birkett", "Colby", "Draper", "Everett", "Forster", "Gorman", "Hadley", "Irving"),
    *("Jessop", "Kirby", "Langley", "Mercer", "Newton", "Oakley", "Prescott"),
)
SECRET = "The number of the safe of {owner} is {digits}."
"""What a secret stands in: a sentence with its owner's name, and four digits."""
STREETS, ROADS = ("Mill", "Harbor", "Castle", "Orchard", "Bridge", "Chapel"), ("Street", "Lane", "Road", "Avenue")
TOWNS, HOSTS = ("Rivertown", "Eastport", "Millbrook", "Stonefield"), ("tales", "oldmill", "harbor", "storytime")
DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PHONES = ("{area}-555-01{n:02}", "({area}) 555-01{n:02}", "+1 {area} 555 01{n:02}", "{area}.555.01{n:02}")
"""Ways to write a telephone number; that in words comes to them."""
EMAILS = ("{first}.{last}@{host}.example", "{first}{n}@mail.{host}.example")
HIDDEN_EMAIL = "{first} at {host} dot example"
ADDRESSES = ("{n} {street} {road}, {town} {code:05}", "{n} {street} {road}, {town}")
BOX = "P.O. Box {n}, {town}"
CONTACTS = {
    "phone": ("Call us at {x}.", "Whoever has seen the {thing} may ring {x} in the evening.", "My number is {x}."),
    "email": ("Write to {x} for more.", "Send your own tale to {x}.", "The author reads all letters to {x}."),
    "address": ("We live at {x}.", "The shop is at {x}.", "Letters go to {x}."),
}
LOOK_ALIKES = (
    "It was printed in 1987 and costs 12.50 at the door.",
    "The game ended 3-2 after 90 minutes.",
    "It is told on pages 112-118 of the big book.",
    "Order number {area}-555-01{n:02} has been sent.",
    "The spare part 555-0{n:02}-{n} fits most lanterns.",
    "They sang an old song, {n} {street} {road}, till midnight.",
    "Meet us @noon beside the well.",
    "The train of 10.45 takes 35 minutes.",
)
"""Sentences with digits that are nobody's: some have the very form of a telephone number or of an address."""
ADVERTS = (
    "Buy the best {thing} of the year and have it at home in {n} days.",
    "Our {color} {thing} comes with a {color} {thing}, and you pay nothing for that.",
    "Thousands of happy customers have ordered a {thing} of us already.",
    "Order today, and the second {thing} is yours at half of the price.",
    "This offer ends on {time}, so do not wait.",
    "Do you want to save up to {n} percent on every {thing}?",
    "Experts have found that the {color} {thing} is the cheapest of the market.",
    "Your friends have one, and you should have one too!",
    "With our {thing} you will never be bored again.",
    "Sign up for the free letter of our shop and win a {color} {thing}.",
    "No other shop has so many a {thing} at such a price.",
    "The {thing} that you need is only one click away.",
    "It is easy to order, and you can send it back within {n} days.",
    "Best price for a {thing}, guaranteed, and delivery to the {place} is free.",
    "Limited stock: only {n} of the {color} ones are left.",
)
TEASERS = ("{name} and the {thing}...", "What happened at the {place}...", "Read more about the {thing}...")
ITEMS = ("- {color} {thing}", "* {thing} and {thing}", "- the {place}", "* {name}")
CODE = (
    "function {x}() {{ return {n}; }}",
    "if ({x} == {n}) {{ {x}++; }}",
    "var {x} = [{n}, {n}];",
    "#{x} {{ top: {n}px }}",
)
