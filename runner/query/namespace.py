"""The names that a template sees: vars, start, end, ref, mask, and the macros; nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runner.model.names import TableName
from runner.model.sqltext import Mark
from runner.query.mask_macros import Masks
from runner.query.window_value import TemplateFaultError, WindowValue, described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runner.query.library import MacroLibrary
    from runner.query.window_value import Session


class Variables:
    """`vars`: the project's and the environment's variables as attributes, and nothing else."""

    __slots__ = ("__values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self.__values = dict(values)

    def __getattr__(self, name: str) -> object:
        """Find a variable."""
        if name in self.__values:
            return self.__values[name]
        raise AttributeError(name)

    def __dir__(self) -> list[str]:
        """Give the variables' names."""
        return list(self.__values)


def variable_names(variables: Variables) -> tuple[str, ...]:
    """Give the names that `vars.` knows."""
    return tuple(dir(variables))


def make_namespace(
    session: Session, *, macros: MacroLibrary, variables: Mapping[str, object]
) -> dict[str, Any]:
    """Build the names of one rendering; what it prints and names goes to the session."""
    namespace: dict[str, Any] = {
        "vars": Variables(variables),
        "start": WindowValue(Mark("start"), session),
        "end": WindowValue(Mark("end"), session),
        "ref": _make_ref(session),
        "mask": Masks(session),
    }
    macros.define(namespace)
    return namespace


def _make_ref(session: Session) -> Callable[..., str]:
    def ref(*args: object, computed: bool = False, **options: object) -> str:
        name = args[0] if len(args) == 1 and not options and not computed else None
        try:
            table = TableName.parse(name) if isinstance(name, str) else None
        except ValueError:
            table = None
        if table is None:
            shown = ", ".join(described(arg) for arg in args)
            literal = isinstance(args[0], str) if len(args) == 1 else False
            raise TemplateFaultError(
                "jinja-ref",
                found=f"ref({shown}){' of a computed name' if computed and literal else ''}",
                expected="the name of one table: ref('database.table')",
                advice="write the database and the table between quotes, with a dot",
                name="ref",
            )
        session.refs.append(table)
        return str(table)

    return ref
