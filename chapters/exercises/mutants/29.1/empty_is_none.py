# expect: nobody votes
# means: Where nobody has voted it gives an empty text, and not None.
def vote(answers, weights=None):
    votes = {"": 0}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes[answer.strip()] = votes.get(answer.strip(), 0) + weight
    return max(votes, key=votes.get)
