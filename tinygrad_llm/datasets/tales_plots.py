"""The plots of the tales, as sentences with holes. Each line is one choice among variants that mean the same.

[hero] is a mention by name, [hero.she] [hero.her] [hero.hers] a pronoun (does, is done to, owns), a capital makes it
begin a sentence. [thing] [food] [place] [spot] [animal] [adult] are things of the story, [thing.short] without its
color. Holes that stand alone, like {weather}, are drawn where they stand.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plot:
    """lines: variants, one tuple a sentence. same_sex: the friend is of the hero's sex, so that no pronoun tells them
    apart.

    answers: who did what, for the questions. summary: the story in a sentence. mood: which endings fit.
    """

    name: str
    lines: tuple[tuple[str, ...], ...]
    summary: str
    mood: str
    asks: tuple[tuple[str, str], ...]
    same_sex: bool = False


OPENING = (
    "One {weather} {time}, [hero] went to the [place] with [hero.hers] [thing].",
    "It was a {weather} {time}, and [hero] carried [hero.hers] [thing] to the [place].",
    "On a {weather} {time} [hero] walked to the [place], and [hero.hers] [thing] came along.",
    "[hero] woke up on a {weather} {time}, took [hero.hers] [thing] and ran to the [place].",
)
MEETING = (
    "There [hero.she] met [friend], who was feeding a [animal].",
    "[friend] was there already, playing with a [animal].",
    "[friend] sat on the ground and talked to a [animal].",
    "A [animal] came first, and after it came [friend].",
)
TALK = (
    '"Good day!" said [friend]. "Shall we play?"',
    '"Look how it jumps!" said [friend] and laughed.',
    '"I have waited for you," said [friend].',
    '"What a day," said [friend], "and what a wind!"',
    "They did not say much, for they were old friends.",
)
HAPPY = (
    "[hero.She] went home singing, and [hero.hers] heart was light.",
    "In the evening [hero] told the whole story at home, and everyone laughed.",
    "And when [hero] fell asleep, [hero.she] dreamed of the [place].",
    "[hero] and [friend] stayed friends, and the [animal] came to see them every day.",
)
SAD = (
    "[hero.She] went home without a word, and the house was very quiet.",
    "That night [hero] lay awake and thought of the [place].",
    "[hero.She] cried a little, and the [animal] looked at [hero.her] for a long time.",
    "It was a long way home from the [place], and [hero.she] walked it alone.",
)

PLOTS = (
    Plot(
        "lost and found",
        (
            (
                "They played until the sun was low.",
                "They ran about and forgot the time.",
                "They climbed, and hid, and ran.",
            ),
            (
                "Then [hero] saw that the [thing.short] was gone.",
                "All at once the [thing.short] was nowhere to be seen.",
                "But when [hero.she] looked around, the [thing.short] was lost.",
            ),
            (
                "They looked everywhere, and [friend] found it [spot].",
                "The [animal] ran ahead, and [friend] found it [spot].",
                "[hero.She] wanted to give up, but [friend] found it [spot].",
            ),
            (
                '"Thank you," said [hero] and gave [friend.her] a [food].',
                "So [friend] got a [food] for [friend.hers] trouble.",
            ),
        ),
        "[hero] lost a [thing] at the [place], and [friend] found it [spot].",
        "happy",
        (("Who found the [thing.short]?", "friend"), ("Where was the [thing.short] found?", "spot")),
    ),
    Plot(
        "the gift",
        (
            (
                "[friend] had no toy at all.",
                "[friend] looked at the [thing.short] and sighed.",
                "[friend] had never held a [thing.short].",
            ),
            (
                "[hero] gave [friend.her] the [thing.short], because [hero.she] had another one at home.",
                "[hero] let [friend.her] keep the [thing.short], because [hero.she] was in a giving mood.",
                "[hero] gave [friend.her] the [thing.short], because [friend.she] had wished for one all year.",
                "[hero] let [friend.her] keep the [thing.short], because [friend.she] liked it so much.",
            ),
            (
                "[friend] danced with joy and ran to show it to [adult].",
                "[friend] held it high, and even [adult] came to look.",
                "[friend] would not put it down, not even when [adult] called.",
            ),
            ("The next day there was a [food] at [hero]'s door.", "A week later [friend] brought [hero.her] a [food]."),
        ),
        "[hero] gave [friend] a [thing] at the [place].",
        "happy",
        (("Who has the [thing.short] now?", "friend"), ("What did [friend] give in return?", "food")),
        same_sex=True,
    ),
    Plot(
        "the storm",
        (
            (
                "Dark clouds came over the [place].",
                "The wind grew strong, and the sky went dark.",
                "Soon there was thunder over the [place].",
            ),
            (
                "[hero] wanted to stay, but [friend] pulled [hero.her] along.",
                "[friend] was afraid, and [hero] took [friend.hers] hand.",
                "[hero] counted the seconds after each flash.",
            ),
            (
                "They ran to the house of [adult] and waited there.",
                "[adult.Cap] saw them and let them in.",
                "They knocked, and [adult] opened the door at once.",
            ),
            (
                "But the storm had carried the [thing.short] away, and nobody saw it again.",
                "When the rain was over, the [thing.short] lay broken [spot].",
                "The [thing.short] had stayed outside, and the rain had spoiled it.",
            ),
        ),
        "A storm at the [place] took the [thing] of [hero].",
        "sad",
        (("Who let the children in?", "adult"), ("Whose [thing.short] was lost in the storm?", "hero")),
    ),
    Plot(
        "the trade",
        (
            (
                "[friend] had a [food] and a wish.",
                "[friend] took a [food] out of [friend.hers] bag.",
                "[friend] smelled of [food], for [friend.she] had one with [friend.her].",
            ),
            (
                "They traded, and now [friend] had the [thing.short] and [hero] had the [food].",
                "[hero] gave the [thing.short], [friend] gave the [food], and both thought they had won.",
                "So the [food] went to [hero], and the [thing.short] went to [friend].",
            ),
            (
                "But [hero.she] missed the [thing.short] before [hero.she] had eaten half of it.",
                "The [food] was gone in a minute, and then [hero.she] was sorry.",
                "[hero.She] ate, and looked at [friend], and was sorry.",
            ),
            (
                "[friend] would not trade again.",
                '"A trade is a trade," said [friend], and so did [adult].',
                "[hero.She] asked [adult] for help, but [adult] only smiled.",
            ),
        ),
        "[hero] traded a [thing] for a [food] and was sorry.",
        "sad",
        (("Who has the [thing.short] now?", "friend"), ("What did [hero] get for the [thing.short]?", "food")),
    ),
    Plot(
        "the race",
        (
            (
                "They raced from the gate of the [place] to the house of [adult].",
                "They raced three times around the [place].",
                "[adult.Cap] made a line in the sand, and they raced.",
            ),
            (
                "[hero] ran well, but the [animal] ran between [hero.hers] feet.",
                "[hero] was ahead, and then [hero.she] lost a shoe.",
                "[hero] fell, and got up, and ran on.",
            ),
            (
                "[friend] could have won, but [friend.she] stopped and helped [hero.her] up.",
                "[friend] turned back for [hero.her], and they walked the rest.",
                "[friend] waited at the end and would not cross the line alone.",
            ),
            (
                "So [adult] gave each of them half of a [food].",
                "[adult.Cap] said that both had won, and cut a [food] in two.",
            ),
        ),
        "[hero] and [friend] raced at the [place], and both won.",
        "happy",
        (("Who judged the race?", "adult"), ("What was the prize?", "food")),
    ),
    Plot(
        "the secret",
        (
            (
                "[hero] had hidden something [spot].",
                '"I will show you a secret," said [hero], "it is [spot]."',
                "There was something [spot] that only [hero] knew of.",
            ),
            (
                "It was a [food], and it was for the [animal].",
                "It was a [food], wrapped in a cloth.",
                "It was the last [food] of the summer.",
            ),
            (
                "[friend] promised not to tell [adult], and [friend.she] never did.",
                "[friend] did not tell [adult], though [friend.she] wanted to.",
                "[friend] kept the secret, even when [adult] asked.",
            ),
            (
                "They shared it there, and the [thing.short] was their table.",
                "They ate it together, and nobody ever knew.",
            ),
        ),
        "[hero] and [friend] shared a secret [food] at the [place].",
        "happy",
        (("Who did not learn of the secret?", "adult"), ("What was the secret?", "food")),
        same_sex=True,
    ),
    Plot(
        "the teacher",
        (
            (
                "[friend] could not make the [thing.short] work.",
                "[friend] asked how one uses a [thing.short].",
                "[friend] held the [thing.short] upside down.",
            ),
            (
                "[hero] laughed at [friend.her], because [hero.she] thought it was easy.",
                "[hero] laughed at [friend.her], because [friend.she] made a funny face.",
                "[hero] showed [friend.her] again and again, because [friend.she] kept forgetting.",
                "[hero] showed [friend.her] again and again, because [hero.she] had time.",
            ),
            (
                "Then [adult] came by and knew a better way.",
                "[adult.Cap] watched them and gave good advice.",
                "In the end it was [adult] who knew the trick.",
            ),
            ("Now [friend] is better at it than [hero].", "Since that day [friend] does it every {time}."),
        ),
        "[friend] learned to use the [thing] of [hero] at the [place].",
        "happy",
        (("Who knew a better way?", "adult"), ("Whose [thing.short] was it?", "hero")),
        same_sex=True,
    ),
    Plot(
        "the farewell",
        (
            (
                "[friend] was quiet, and [hero.she] asked why.",
                "[friend] drew lines in the sand.",
                "[friend] did not want to play.",
            ),
            (
                "[friend] had to move away, to the town where [adult] was born.",
                "[friend] was going to live with [adult], far from the [place].",
                "[friend] would leave in the morning, with [adult] and a cart.",
            ),
            (
                "[hero] did not know what to say, so [hero.she] gave [friend.her] the [thing.short].",
                "[hero] put the [thing.short] into [friend.hers] hands and turned around.",
            ),
            (
                "[friend] left a [food] [spot], where only [hero] would look.",
                "They shared one last [food] and looked at the [place].",
            ),
        ),
        "[friend] moved away, and [hero] gave [friend.her] a [thing].",
        "sad",
        (("Who moved away?", "friend"), ("Who has the [thing.short] now?", "friend")),
    ),
)
