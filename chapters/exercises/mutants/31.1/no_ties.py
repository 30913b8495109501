# expect: the place decides
# means: A game that the place decides is lost, and should be a tie.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), 1 - judge(question, theirs, mine)
        if one > 0.5 and other > 0.5:
            total += 1
    return total / len(games)
