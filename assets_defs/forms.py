"""The launchpad's forms, made from the science's own models: every field optional, same bounds."""

from enum import Enum
from typing import Any, Literal, Optional, get_args, get_origin

import dagster as dg
from pydantic import BaseModel, Field, create_model


class Rerun(dg.Config):
    """Asked of every expensive asset."""

    recompute: bool = Field(
        default=False, description="make it anew although the same work lies in the cache"
    )


def overrides_of(model: type[BaseModel], name: str) -> type[Rerun]:
    """A form with each field of ``model``: left empty, the study's value holds."""
    fields: dict[str, Any] = {
        field: (
            _field_type(field, info.annotation),
            Field(default=None, description=f"{info.description} (empty: as the study says)"),
        )
        for field, info in model.model_fields.items()
    }
    return create_model(name, __base__=Rerun, **fields)


def _field_type(name: str, annotation: Any) -> Any:
    """The annotation, optional; Dagster's forms know enums but no literals."""
    if get_origin(annotation) is Literal:
        choices: Any = Enum
        annotation = choices(name, {str(value): value for value in get_args(annotation)})
    return Optional[annotation]  # noqa: UP045 - the annotation is a value here


def overridden(model: BaseModel, form: Rerun) -> Any:
    """``model`` with what was filled in, checked again by the model's own bounds."""
    given = {
        key: value.value if isinstance(value, Enum) else value
        for key, value in form.model_dump(exclude={"recompute"}).items()
        if value is not None
    }
    return type(model).model_validate(model.model_dump() | given)
