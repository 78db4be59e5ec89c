"""Types of a method's parameters, for the keyword-only arguments of its `score` or `select`.

The configuration reads these arguments without importing the method (`experiment.parameters`). Besides the types here,
it knows `bool`, `int`, `float`, `str`, `Literal[...]`, `Annotated[type, Field(gt=..., le=...)]` and `type | type`.
"""

from typing import Annotated

from pydantic import Field

#: A whole number, at least 1.
Count = Annotated[int, Field(ge=1)]
#: A number from 0.
NotNegative = Annotated[float, Field(ge=0)]
#: A share of something.
Share = Annotated[float, Field(ge=0, le=1)]
#: One that is not 0.
PositiveShare = Annotated[float, Field(gt=0, le=1)]
#: One that is neither 0 nor 1.
ProperShare = Annotated[float, Field(gt=0, lt=1)]
