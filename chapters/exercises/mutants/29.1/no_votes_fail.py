# expect: nobody votes
# means: Where nobody has voted there is no largest count, and max has nothing to look at.
def vote(answers, weights=None):
    votes = {}
    for answer, weight in zip(answers, weights or [1] * len(answers)):
        if answer is not None:
            votes[answer.strip()] = votes.get(answer.strip(), 0) + weight
    return max(votes, key=votes.get)
