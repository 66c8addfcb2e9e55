"""Compiling hot loops, for the renderer and for re-ranking."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function for the processor, once a machine; type-checking wrappers are peeled off first.

    No fast maths and one thread, so that a result does not depend on who computes it.
    """
    compiled = numba.njit(cache=True, fastmath=False, nogil=True, error_model="numpy")(inspect.unwrap(function))
    return cast(F, compiled)
