# expect: the place decides
# means: One order is enough for a win here. Both have to agree.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), 1 - judge(question, theirs, mine)
        if one > 0.5 or other > 0.5:
            total += 1
        elif not (one < 0.5 and other < 0.5):
            total += 0.5
    return total / len(games)
