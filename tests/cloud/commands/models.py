"""Inputs of operations held against AWS's own models: names, types, what is required, ranges, patterns, words."""
import functools
import json
import pathlib
import re

import botocore.loaders
import botocore.model
import botocore.validate


@functools.lru_cache
def load(folder):
    """The known answers' model of SageMaker, or where they are absent botocore's own, which is older."""
    path = pathlib.Path(folder, "sagemaker", "service-2.json")
    if path.exists():
        return botocore.model.ServiceModel(json.loads(path.read_text()))
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("sagemaker", "service-2"))


def problems(service, operation, value):
    """What is wrong, in words; empty: nothing."""
    shape = service.operation_model(operation).input_shape
    report = botocore.validate.ParamValidator().validate(value, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found + list(_texts(value, shape, operation))


def _texts(value, shape, where):
    if shape.type_name == "structure":
        for name, inner in value.items():
            if name in shape.members:
                yield from _texts(inner, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            yield from _texts(inner, shape.member, where)
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from _texts(key, shape.key, where)
            yield from _texts(inner, shape.value, where)
    elif shape.type_name == "string":
        # Python's expressions have no \p{L}: letters, blanks and digits of any language.
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s"), value):
            yield f"{where}: {value!r} does not match {pattern}"
        if shape.enum and value not in shape.enum:
            yield f"{where}: {value!r} is none of the enumeration's"
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{where}: {value!r} is too long"
