# expect: a value waits for all that was made from it
# means: A value is written down as soon as it is met, before all that was made from it has been.
def children_first(root):
    order, seen = [], set()

    def visit(value):
        if id(value) in seen:
            return
        seen.add(id(value))
        order.append(value)
        for parent in value.parents:
            visit(parent)

    visit(root)
    return order
