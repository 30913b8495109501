# expect: one token three times
# means: The length of all repetitions together was returned: that of one piece is asked for.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        if tokens[-period:] * times == tokens[-times * period :]:
            return times * period
    return 0
