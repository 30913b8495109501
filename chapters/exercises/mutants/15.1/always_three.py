# expect: other numbers of times
# means: Three times were asked for, whatever `times` says.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // 3) + 1):
        end = tokens[len(tokens) - 3 * period :]
        if end == end[:period] * 3:
            return period
    return 0
