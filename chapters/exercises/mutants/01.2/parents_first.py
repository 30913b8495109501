# expect: The entries are right, but in the opposite order
# means: The parents come first: this is the order of the way forward.
def children_first(root):
    order, seen = [], set()

    def visit(value):
        if id(value) in seen:
            return
        seen.add(id(value))
        for parent in value.parents:
            visit(parent)
        order.append(value)

    visit(root)
    return order
