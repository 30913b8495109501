# expect: tokens may be anything
# means: The tokens were joined to one string: there 1 11 looks like 11 1.
import re


def loop_period(tokens, longest, times=3):
    text = "".join(map(str, tokens))
    for period in range(1, longest + 1):
        if re.search(rf"(.{{{period}}})\1{{{times - 1}}}\Z", text):
            return period
    return 0
