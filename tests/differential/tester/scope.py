"""What an expression can name: the columns in its FROM, and those of the queries around it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Leaf:
    """Something that can be named: a column, or an expression that the query groups by."""

    node: object
    plain: bool = True  # A column and no expression, so that subqueries may refer to it.
    partition: bool = False  # The column by which partitioned shapes are partitioned.


@dataclass
class Scope:
    leaves: list = field(default_factory=list)
    order: list = field(default_factory=list)  # The columns that together order the rows without ties.
    parent: "Scope | None" = None

    def of(self, family):
        return [leaf for leaf in self.leaves if leaf.node.type == family]

    def families(self):
        return {leaf.node.type for leaf in self.leaves}

    def outer(self, family):
        """Columns of the queries around this one."""
        found, scope = [], self.parent
        while scope is not None:
            found += [leaf for leaf in scope.of(family) if leaf.plain]
            scope = scope.parent
        return found
