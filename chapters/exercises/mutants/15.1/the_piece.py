# expect: one token three times
# means: The piece was returned: its length is asked for.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        if tokens[-period:] * times == tokens[-times * period :]:
            return tokens[-period:]
    return 0
