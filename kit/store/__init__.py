"""Report folders in; their results across experiments out, and the other way round."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.store.store import read, read_tables

__all__ = ["read", "read_tables"]


def __getattr__(name: str) -> Any:
    """Import on first use: a process that only looks at folders should not wait for pyarrow."""
    if name in __all__:
        from kit.store import store

        return getattr(store, name)
    raise AttributeError(f"module 'kit.store' has no attribute {name!r}")
