# expect: a text that is too short has none
# means: In an empty text a piece of no token was found: there is none, and 0 is asked for.
def loop_period(tokens, longest, times=3):
    for period in range(1, longest + 1):
        if tokens[-period:] * times == tokens[-times * period :]:
            return period
    return 0
