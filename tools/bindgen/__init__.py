"""The generators of the bindings' raw layers, a module a language; see tools/bindgen.py."""
