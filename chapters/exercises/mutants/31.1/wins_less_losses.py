# expect: a clear game
# means: These are wins less losses, from -1 to 1. A win rate counts a win 1, a tie 1/2 and a loss 0.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), 1 - judge(question, theirs, mine)
        if one > 0.5 and other > 0.5:
            total += 1
        elif one < 0.5 and other < 0.5:
            total -= 1
    return total / len(games)
