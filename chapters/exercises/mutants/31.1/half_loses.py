# expect: a half is no verdict
# means: A judge that says exactly 1/2 has not decided; here that counts as a loss.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        one, other = judge(question, mine, theirs), 1 - judge(question, theirs, mine)
        if one > 0.5 and other > 0.5:
            total += 1
        elif not (one <= 0.5 and other <= 0.5):
            total += 0.5
    return total / len(games)
