# expect: twice is not enough
# means: None was returned where there is no circle: 0 is asked for.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        end = tokens[len(tokens) - times * period :]
        if end == end[:period] * times:
            return period
    return None
