# expect: a clear game
# means: In the second order theirs stands first: the judge's number is of theirs, and mine has the rest.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), judge(question, theirs, mine)
        if one > 0.5 and other > 0.5:
            total += 1
        elif not (one < 0.5 and other < 0.5):
            total += 0.5
    return total / len(games)
