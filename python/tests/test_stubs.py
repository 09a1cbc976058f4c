# SPDX-License-Identifier: Apache-2.0
"""The stub says what the code does: the same names, the same parameters."""
import ast
import inspect
import pathlib

import flair

STUB = ast.parse((pathlib.Path(flair.__file__).parent / "__init__.pyi").read_text())


def parameters(function):
    a = function.args
    names = [x.arg for x in (*a.posonlyargs, *a.args)] + ([a.vararg.arg] if a.vararg else []) + [x.arg for x in a.kwonlyargs]
    return names + ([a.kwarg.arg] if a.kwarg else [])


def test_every_public_name_has_a_type():
    named = {n.name for n in STUB.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    named |= {a.asname for n in STUB.body if isinstance(n, ast.ImportFrom) for a in n.names if a.asname}
    assert named == set(flair.__all__)


def test_every_public_member_says_what_it_does():
    silent = []
    for name in flair.__all__:
        found = getattr(flair, name)
        members = vars(found).items() if inspect.isclass(found) else ()
        for member, value in [("", found), *members]:
            code = value.fget if isinstance(value, property) else value
            if not member.startswith("_") and (inspect.isfunction(code) or not member) and not inspect.getdoc(code):
                silent.append(f"{name}.{member}")
    assert silent == []


def test_parameters_are_those_of_the_code():
    checked = 0
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            assert parameters(node) == list(inspect.signature(getattr(flair, node.name)).parameters), node.name
            checked += 1
        for method in [m for m in getattr(node, "body", []) if isinstance(m, ast.FunctionDef)]:
            code = inspect.getattr_static(getattr(flair, node.name), method.name)
            if not isinstance(code, property):
                assert parameters(method) == list(inspect.signature(code).parameters), f"{node.name}.{method.name}"
                checked += 1
    public = {f"{c}.{m}" for c in ("Repository", "Client") for m, f in vars(getattr(flair, c)).items() if not m.startswith("_")}
    stubbed = {f"{n.name}.{m.name}" for n in STUB.body if isinstance(n, ast.ClassDef) for m in n.body if isinstance(m, ast.FunctionDef)}
    assert public <= stubbed and checked > 40
