# expect: what stands behind a circle ends it
# means: The piece was looked for anywhere in the text: it must be what the text ends with.
def loop_period(tokens, longest, times=3):
    for period in range(1, longest + 1):
        for begin in range(len(tokens) - times * period + 1):
            if tokens[begin : begin + times * period] == tokens[begin : begin + period] * times:
                return period
    return 0
