"""31.1  Both orders.

A judge is shown a question and two answers, and says how probable it is that the one shown first is the better one:
`judge(question, first, second)`, a number from 0 to 1. It may care for the place. So each pair is shown twice, once in
either order, and a verdict counts only where both agree on the same answer.

`win_rate(judge, games)`: `games` is a list of (question, mine, theirs). A game is won, 1, where mine is found better in
both orders, lost, 0, where theirs is in both, and otherwise a tie, 1/2: a judge that says 1/2 in either order has not
decided. Return the mean over the games.
"""

from tinygrad_llm.course import Todo


def win_rate(judge, games):
    raise Todo("a number from 0 to 1")
