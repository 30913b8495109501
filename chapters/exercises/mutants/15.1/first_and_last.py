# expect: the middle piece counts too
# means: Only the first and the last of the pieces were compared.
def loop_period(tokens, longest, times=3):
    for period in range(1, min(longest, len(tokens) // times) + 1):
        end = tokens[len(tokens) - times * period :]
        if end[:period] == end[-period:]:
            return period
    return 0
