# expect: one token three times
# means: The pieces were taken from the beginning: the text must end with them.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        if tokens[:period] * times == tokens[: times * period]:
            return period
    return 0
