#!/usr/bin/env python3
"""Writes azure-models.txt: the bodies of requests as Microsoft's own packages model them.

Run with a Python that has azure-mgmt-compute, azure-mgmt-network and azure-mgmt-resource:

    python3 tests/clouds/data/azure-models.py > tests/clouds/data/azure-models.txt

A line without indentation is a model, or an enumeration with its values; one with it is a field:
its name, its type (`[]` before it: a list; `{}`: a map), and `ro` where only the API sets it.
"""
import enum
import importlib
import sys
import types
import typing

ROOTS = {
    "Compute": """VirtualMachine VirtualMachineUpdate Disk DiskUpdate SshPublicKeyResource
        SshPublicKeyUpdateResource SshGenerateKeyPairInputParameters AvailabilitySet
        AvailabilitySetUpdate ProximityPlacementGroup ProximityPlacementGroupUpdate UpdateResource""",
    "Network": """VirtualNetwork Subnet NetworkSecurityGroup SecurityRule PublicIPAddress
        NetworkInterface TagsObject""",
    "Resources": "ResourceGroup ResourceGroupPatchable",
}
PACKAGES = {
    "Compute": "azure.mgmt.compute.models",
    "Network": "azure.mgmt.network.models",
    "Resources": "azure.mgmt.resource.resources.models",
}
SCALARS = {str: "string", int: "int", float: "float", bool: "bool", bytes: "string"}


def is_model(ty):
    return hasattr(ty, "_calculated") or hasattr(ty, "_attribute_map")


def named(area, ty, queue):
    """The type's name; models and enumerations it speaks of go to the queue."""
    origin, args = typing.get_origin(ty), typing.get_args(ty)
    if origin in (typing.Union, types.UnionType):
        some = [a for a in args if a is not type(None)]
        enums = [a for a in some if isinstance(a, type) and issubclass(a, enum.Enum)]
        return named(area, (enums or some)[0], queue)
    if origin is list:
        return "[]" + named(area, args[0], queue)
    if origin in (dict, typing.Mapping):
        return "{}" + named(area, args[1], queue)
    if ty in SCALARS:
        return SCALARS[ty]
    if isinstance(ty, type) and (issubclass(ty, enum.Enum) or is_model(ty)):
        queue.append(ty)
        return f"{area}.{ty.__name__}"
    if getattr(ty, "__module__", "") == "datetime":
        return "string"
    return "any"


def fields(area, model, queue):
    """Name, type and whether it is read only, of each field."""
    if hasattr(model, "_calculated"):
        model.__new__(model)  # Its fields are found out when the first one is made.
        hints = {}
        for base in reversed(model.__mro__):
            names = dict(vars(sys.modules.get(base.__module__, types.ModuleType("none"))))
            names["_models"] = names.get("_models") or importlib.import_module(PACKAGES[area])
            for name, text in getattr(base, "__annotations__", {}).items():
                try:
                    hints[name] = eval(text, names) if isinstance(text, str) else text
                except Exception:
                    hints[name] = typing.Any
        for name, field in model._attr_to_rest_field.items():
            only = field._visibility == ["read"]
            ty = "any" if only else resolved(area, hints.get(name, typing.Any), queue)
            yield field._rest_name, ty, only
        return
    for name, told in model._attribute_map.items():
        only = model._validation.get(name, {}).get("readonly", False)
        yield told["key"], "any" if only else msrest(area, told["type"], queue), only


def resolved(area, ty, queue):
    """The same with names of models that stand as text looked up."""
    def look(t):
        if isinstance(t, typing.ForwardRef):
            t = t.__forward_arg__
        if isinstance(t, str):
            return getattr(importlib.import_module(PACKAGES[area]), t.split(".")[-1])
        args = typing.get_args(t)
        if not args:
            return t
        args = tuple(look(a) for a in args)
        origin = typing.get_origin(t)
        if origin in (typing.Union, types.UnionType):
            return typing.Union[args]
        return origin[args if len(args) > 1 else args[0]]
    return named(area, look(ty), queue)


def msrest(area, text, queue):
    """A type as the older generator writes it."""
    if text[0] == "[":
        return "[]" + msrest(area, text[1:-1], queue)
    if text[0] == "{":
        return "{}" + msrest(area, text[1:-1], queue)
    if text in ("int", "float", "bool"):
        return text
    model = getattr(importlib.import_module(PACKAGES[area]), text, None)
    return "string" if text == "str" else named(area, model, queue) if model else "any"


def main():
    seen = {}
    for area, roots in ROOTS.items():
        package = importlib.import_module(PACKAGES[area])
        queue = [getattr(package, name) for name in roots.split()]
        while queue:
            model = queue.pop()
            name = f"{area}.{model.__name__}"
            if name in seen:
                continue
            if issubclass(model, enum.Enum):
                seen[name] = [" ".join([name, "=", *(v.value for v in model)])]
                continue
            lines = [f"  {n} {t}{' ro' if only else ''}" for n, t, only in sorted(fields(area, model, queue))]
            seen[name] = [name, *lines]
    for name in sorted(seen):
        print("\n".join(seen[name]))


main()
