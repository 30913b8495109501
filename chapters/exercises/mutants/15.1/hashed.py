# expect: tokens may be anything
# means: Pieces were put into a set or a dictionary, which takes no lists: == takes everything.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        if len({tuple(tokens[len(tokens) - k * period :][:period]) for k in range(1, times + 1)}) == 1:
            return period
    return 0
