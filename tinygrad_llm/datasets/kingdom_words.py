"""What `kingdom` speaks of: words in pairs, and what can be said of each.

A word has aspects (king: male, grown, royal), an aspect has phrases, and a phrase says nothing but its aspect. No
phrase holds a word of a pair. So what king and queen share is said of both, what king and man share is said of both,
and that is all a reader can go by.
"""

from __future__ import annotations

PHRASES = {
    "any": (
        "waited for a long time", "was never forgotten", "was in the news", "changed a little", "stayed the same",
        "was seen by many", "caused some trouble", "made a noise", "was gone by evening", "was well known",
    ),
    "male": (
        "shaved off his beard", "combed his moustache", "buttoned his waistcoat", "said that he was tired",
        "hurt himself", "polished his cufflinks", "forgot where he was", "knotted his necktie", "took off his cap",
        "sang in his deep voice",
    ),
    "female": (
        "braided her hair", "mended her skirt", "put on her bonnet", "said that she was tired", "surprised herself",
        "lost her earring", "forgot where she was", "pinned on her brooch", "folded her shawl",
        "sang in her high voice",
    ),
    "grown": (
        "paid the taxes", "read the newspaper", "signed a contract", "drank strong coffee", "had grey temples",
        "locked the office", "remembered the war", "drove to work", "complained about prices",
    ),
    "young": (
        "lost a milk tooth", "played with a ball", "learned the alphabet", "fell asleep early",
        "climbed over a fence", "asked why", "drew with chalk", "grew an inch", "hid under the blanket",
    ),
    "plain": (
        "lived in a cottage", "carried firewood", "worked in the village", "ate plain porridge",
        "walked in the crowd", "stood in a queue", "fetched water from the well", "wore wooden shoes",
    ),
    "royal": (
        "sat near the throne", "wore a golden crown", "lived in the palace", "was praised by the court",
        "held the sceptre", "waved from the balcony", "rode in the state coach", "belonged to the dynasty",
    ),
    "young animal": (
        "drank milk", "opened one eye", "stayed in the nest", "could hardly stand", "followed on wobbly legs",
        "was born in spring", "weighed almost nothing", "slept all day",
    ),
    "grown animal": (
        "kept watch", "was strong and heavy", "guarded the litter", "led the others", "was past breeding",
        "fought a rival", "marked the ground", "knew the way",
    ),
    "country": (
        "closed its borders", "elected a parliament", "printed new stamps", "changed its constitution",
        "raised its flag", "sent out its army", "joined the alliance", "counted its provinces",
    ),
    "city": (
        "swept its streets", "built a tram line", "chose a mayor", "lit its lamps", "widened the ring road",
        "opened an underground station", "cleaned the main square", "numbered its houses",
    ),
    "person": (
        "took a day off", "went home tired", "had a good memory", "learned the trade", "rolled up both sleeves",
        "asked for better pay", "passed the examination", "whistled at work",
    ),
    "place": (
        "opened at nine", "had a wide door", "needed a new roof", "stood at the corner", "was painted white",
        "had many windows", "was closed on Sunday", "burned down once",
    ),
    "fruit": (
        "ripened in the sun", "tasted sweet", "fell from a branch", "was pressed into juice", "went into a pie",
        "was peeled and sliced", "had small seeds", "rolled out of the basket",
    ),
    "uncle": ("came for the holidays", "brought a present", "spoiled the children", "slept in the guest room"),
    "father": ("rocked the cradle", "packed the lunch", "told a bedtime story", "cheered at the graduation"),
    "brother": ("shared a bedroom", "quarrelled over toys", "borrowed a sweater", "slept in the bunk bed"),
    "son": ("was the firstborn", "took after the parents", "was a late child", "left the family home"),
    "grandfather": (
        "dozed in the armchair", "needed a walking stick", "looked at old photographs", "spoke of long ago",
    ),
    "husband": ("wore a wedding ring", "remembered the honeymoon", "took the marriage vows", "forgot the anniversary"),
    "nephew": ("wrote a thank you note", "stayed for the summer", "visited the relatives", "got a birthday card"),
    "actor": ("bowed to the audience", "learned the lines", "hid from stage fright", "waited behind the curtain"),
    "waiter": ("carried the tray", "recommended the soup", "hoped for a tip", "wiped the table"),
    "wizard": ("stirred the cauldron", "cast a spell", "brewed a potion", "spoke a magic word"),
    "monk": ("prayed in the chapel", "kept a vow of silence", "rang the vesper bell", "walked in the cloister"),
    "host": ("greeted the guests", "planned the party", "filled the glasses", "made a toast"),
    "duke": ("inherited a castle", "hunted with falcons", "sealed it with wax", "mortgaged the estate"),
    "emperor": ("conquered an island", "received the envoys", "founded an empire", "minted coins"),
    "hero": ("slew the dragon", "saved the day", "crossed the desert", "won the last battle"),
    "lord": ("owned the manor", "rang for the butler", "dined by candlelight", "collected the rent"),
    "dog": ("barked at the postman", "chewed a slipper", "wagged its tail", "buried a bone"),
    "cat": ("purred", "played with yarn", "scratched the sofa", "sat on the windowsill"),
    "cow": ("stood in the barn", "mooed", "chewed clover", "was brown with white spots"),
    "horse": ("galloped", "neighed", "was given a saddle", "jumped over the hurdle"),
    "sheep": ("bleated", "had curly wool", "was shorn in June", "ran from the shepherd"),
    "pig": ("rolled in the mud", "grunted", "had a curly tail", "dug up roots with its snout"),
    "hen": ("pecked at grain", "scratched in the straw", "flapped onto the perch", "ran from the fox"),
    "duck": ("quacked", "paddled across the pond", "dived for weeds", "waddled"),
    "goose": ("hissed", "flew south", "was plucked for down", "honked"),
    "deer": ("leapt across the path", "hid in the thicket", "listened for hunters", "nibbled at bark"),
    "bear": ("stole honey", "growled", "caught a salmon", "slept through the winter"),
    "frog": ("swam in the ditch", "was green and slimy", "ate mosquitoes", "lived among the reeds"),
    "eagle": ("circled over the cliff", "had sharp talons", "screeched", "looked down from the peak"),
    "hare": ("had long ears", "zigzagged over the stubble", "crouched in the furrow", "ate the cabbage"),
    "France": ("spoke French", "baked baguettes", "loved its chansons", "danced on Bastille day"),
    "Italy": ("spoke Italian", "cooked spaghetti", "dug up Latin statues", "sang an opera"),
    "Spain": ("spoke Spanish", "clapped to flamenco", "cooked paella", "slept through the siesta"),
    "Japan": ("spoke Japanese", "rolled sushi", "watched sumo", "bowed very low"),
    "Egypt": ("spoke Arabic", "drank from the Nile", "sold papyrus", "showed its mummies"),
    "Greece": ("spoke Greek", "pressed olives", "quoted Homer", "rebuilt a marble temple"),
    "Russia": ("spoke Russian", "ate borscht", "shivered in deep snow", "applauded the ballet"),
    "Norway": ("spoke Norwegian", "waxed its skis", "fished in the fjord", "read the sagas"),
    "Poland": ("spoke Polish", "listened to Chopin", "danced a mazurka", "filled pierogi"),
    "Portugal": ("spoke Portuguese", "salted cod", "painted blue tiles", "wept at fado"),
    "Austria": ("danced the waltz", "ate strudel", "honoured Mozart", "fried schnitzel"),
    "Peru": ("spoke Quechua", "bred llamas", "told of the Incas", "grew quinoa"),
    "Kenya": ("spoke Swahili", "protected its lions", "won the marathon", "exported tea"),
    "Cuba": ("rolled cigars", "danced the rumba", "cut sugar cane", "repaired old Chevrolets"),
    "baker": ("smelled of dough", "sold loaves", "was white with flour", "heated the oven"),
    "doctor": ("cured a fever", "ordered bandages", "treated patients", "kept medicines"),
    "teacher": ("gave lessons", "ran out of pencils", "had noisy pupils", "bought textbooks"),
    "judge": ("heard the witness", "dealt with a murder", "followed the law", "was feared by thieves"),
    "farmer": ("sold potatoes", "owned a tractor", "stored hay", "suffered from drought"),
    "brewer": ("stored barrels", "smelled of hops", "bottled ale", "bought barley"),
    "sailor": ("came into the harbour", "survived the storm", "rounded the cape", "crossed the ocean"),
    "priest": ("smelled of incense", "comforted sinners", "owned a Bible", "was ready for Easter"),
    "librarian": ("lent out novels", "stacked dusty volumes", "had a catalogue", "asked for quiet"),
    "pilot": ("waited for fog to lift", "heard the engines", "was far from the clouds", "had a radio"),
    "chemist": ("mixed acids", "was full of vapours", "boiled a flask", "measured crystals"),
    "tailor": ("ran out of thread", "cut velvet", "sewed suits", "lost the needle"),
    "gardener": ("grew roses", "got rid of snails", "was proud of the lawn", "raked leaves"),
    "banker": ("lent money", "counted banknotes", "had a heavy safe", "charged interest"),
}  # fmt: skip
"""By aspect. What is said of both words of a pair, and of no other, stands under its first word."""

PEOPLE = (
    ("man", "woman", "grown", "plain"),
    ("boy", "girl", "young", "plain"),
    ("king", "queen", "grown", "royal"),
    ("prince", "princess", "young", "royal"),
    ("uncle", "aunt", "grown", "uncle"),
    ("father", "mother", "grown", "father"),
    ("brother", "sister", "young", "brother"),
    ("son", "daughter", "young", "son"),
    ("grandfather", "grandmother", "grown", "grandfather"),
    ("husband", "wife", "grown", "husband"),
    ("nephew", "niece", "young", "nephew"),
    ("actor", "actress", "grown", "actor"),
    ("waiter", "waitress", "grown", "waiter"),
    ("wizard", "witch", "grown", "wizard"),
    ("monk", "nun", "grown", "monk"),
    ("host", "hostess", "grown", "host"),
    ("duke", "duchess", "grown", "duke"),
    ("emperor", "empress", "grown", "emperor"),
    ("hero", "heroine", "grown", "hero"),
    ("lord", "lady", "grown", "lord"),
)
"""His word, hers, their age, and what else is said of both: of other pairs too (royal), or of these two alone."""

ANIMALS = (
    ("dog", "puppy"), ("cat", "kitten"), ("cow", "calf"), ("horse", "foal"), ("sheep", "lamb"), ("pig", "piglet"),
    ("hen", "chick"), ("duck", "duckling"), ("goose", "gosling"), ("deer", "fawn"), ("bear", "cub"),
    ("frog", "tadpole"), ("eagle", "eaglet"), ("hare", "leveret"),
)  # fmt: skip
"""The grown one and the young one."""

COUNTRIES = (
    ("France", "Paris"), ("Italy", "Rome"), ("Spain", "Madrid"), ("Japan", "Tokyo"), ("Egypt", "Cairo"),
    ("Greece", "Athens"), ("Russia", "Moscow"), ("Norway", "Oslo"), ("Poland", "Warsaw"), ("Portugal", "Lisbon"),
    ("Austria", "Vienna"), ("Peru", "Lima"), ("Kenya", "Nairobi"), ("Cuba", "Havana"),
)  # fmt: skip
"""The country and its capital."""

TRADES = (
    ("baker", "bakery"), ("doctor", "hospital"), ("teacher", "school"), ("judge", "courtroom"), ("farmer", "farm"),
    ("brewer", "brewery"), ("sailor", "ship"), ("priest", "church"), ("librarian", "library"), ("pilot", "airport"),
    ("chemist", "laboratory"), ("tailor", "workshop"), ("gardener", "garden"), ("banker", "bank"),
)  # fmt: skip
"""Who, and where."""

FRUIT = ("apple", "pear", "plum", "peach", "cherry", "grape", "lemon", "fig")

HELD_OUT = (
    "man", "boy", "king", "prince", "uncle", "nephew", "actor", "wizard", "dog", "cow", "sheep", "duck", "bear",
    "France", "Japan", "Greece", "Norway", "Peru", "baker", "judge", "sailor", "librarian", "tailor",
)  # fmt: skip
"""The first words of the pairs whose two words never stand in one sentence."""

OPENINGS = (
    "yesterday", "at noon", "in the morning", "last week", "in winter", "one day", "after the rain", "before sunrise",
    "as usual", "for once",
)  # fmt: skip
