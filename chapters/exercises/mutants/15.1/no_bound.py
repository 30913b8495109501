# expect: a piece may be as long as longest
# means: `longest` was not regarded.
def loop_period(tokens, longest, times=3):
    for period in range(1, len(tokens) // times + 1):
        end = tokens[len(tokens) - times * period :]
        if end == end[:period] * times:
            return period
    return 0
