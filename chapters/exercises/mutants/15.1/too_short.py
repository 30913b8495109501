# expect: twice is not enough
# means: A text shorter than all repetitions together was not left out.
def loop_period(tokens, longest, times=3):
    for period in range(1, longest + 1):
        pieces = [tokens[max(0, len(tokens) - k * period) :][:period] for k in range(1, times + 1)]
        if all(piece == pieces[0] for piece in pieces):
            return period
    return 0
