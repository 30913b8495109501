# expect: a value used twice comes once
# means: What is reached in two ways is written down twice.
def children_first(root):
    order = [root]
    for value in order:
        order.extend(value.parents)
    return order
