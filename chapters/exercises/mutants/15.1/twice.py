# expect: twice is not enough
# means: Only the last two pieces were compared, whatever `times` says.
def loop_period(tokens, longest, times=3):
    for period in range(1, longest + 1):
        if 2 * period <= len(tokens) and tokens[-period:] == tokens[-2 * period : -period]:
            return period
    return 0
