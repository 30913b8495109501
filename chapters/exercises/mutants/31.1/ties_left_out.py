# expect: the place decides
# means: Ties are left out of the mean; they are games, too, and count half.
def win_rate(judge, games):
    total, count = 0.0, 0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), 1 - judge(question, theirs, mine)
        if one > 0.5 and other > 0.5:
            total += 1
            count += 1
        elif one < 0.5 and other < 0.5:
            count += 1
    return total / max(1, count)
