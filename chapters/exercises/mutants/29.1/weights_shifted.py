# expect: a weight stands with its answer
# means: The answers that are None were thrown out, but not their weights, so that the weights stand with other answers.
def vote(answers, weights=None):
    given = [answer.strip() for answer in answers if answer is not None]
    votes = {}
    for answer, weight in zip(given, weights or [1] * len(given)):
        votes[answer] = votes.get(answer, 0) + weight
    return max(votes, key=votes.get) if any(votes.values()) else None
