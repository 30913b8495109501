# expect: a value used twice comes once
def children_first(root):
    order = [root]
    for value in order:
        order.extend(value.parents)
    return order
