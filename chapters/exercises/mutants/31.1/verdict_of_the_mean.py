# expect: the place decides
# means: The two numbers are averaged first and then made a verdict, so nothing is ever a tie where the orders disagree.
def win_rate(judge, games):
    total = 0.0
    for question, mine, theirs in games:
        mean = (judge(question, mine, theirs) + 1 - judge(question, theirs, mine)) / 2
        total += 0.5 if abs(mean - 0.5) < 1e-12 else float(mean > 0.5)
    return total / len(games)
