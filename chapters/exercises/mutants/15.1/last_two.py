# expect: what stands behind a circle ends it
# means: Only the last two pieces were compared, whatever `times` says.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        if tokens[-period:] == tokens[-2 * period : -period]:
            return period
    return 0
