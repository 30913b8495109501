# expect: a clear game
# means: This is the mean of the probabilities, not of the verdicts: a win is a win, whether by much or by little.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        total += (judge(question, mine, theirs) + 1 - judge(question, theirs, mine)) / 2
    return total / len(games)
