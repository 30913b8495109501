# expect: the shortest counts
# means: The longest piece was returned: the shortest counts.
def loop_period(tokens, longest, times=3):
    for period in range(min(longest, len(tokens) // times), 0, -1):
        end = tokens[len(tokens) - times * period :]
        if end == end[:period] * times:
            return period
    return 0
