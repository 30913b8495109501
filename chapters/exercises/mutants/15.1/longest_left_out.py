# expect: a piece may be as long as longest
# means: A piece of exactly `longest` tokens was not tried.
def loop_period(tokens, longest, times=3):
    for period in range(1, longest):
        end = tokens[len(tokens) - times * period :] if times * period <= len(tokens) else []
        if end and end == end[:period] * times:
            return period
    return 0
