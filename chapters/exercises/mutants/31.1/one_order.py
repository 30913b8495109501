# expect: the place decides
# means: The judge is asked in one order only, so whatever it gives for the place counts.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), judge(question, mine, theirs)
        if one > 0.5 and other > 0.5:
            total += 1
        elif not (one < 0.5 and other < 0.5):
            total += 0.5
    return total / len(games)
