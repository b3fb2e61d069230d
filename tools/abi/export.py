"""What is generated from the extracted ABI: its own JSON, the linker's version script, Debian's symbols."""

import json


def to_json(abi):
    return json.dumps(abi, indent=1, ensure_ascii=False) + "\n"


def node(abi):
    """The version node of all symbols: one for a SONAME, as every release has all that came before."""
    return f"INTMILL_{abi['soversion']}"


def version_script(abi):
    lines = [f"    {f['name']};" for f in abi["functions"]]
    return "\n".join([f"{node(abi)} {{", "  global:", *lines, "  local:", "    *;", "};", ""])


def debian_symbols(abi):
    """With each symbol the release that brought it, so that a program needs no newer package than that."""
    soversion, name = abi["soversion"], node(abi)
    first = min((f["since"] for f in abi["functions"]), key=lambda s: tuple(map(int, s.split("."))))
    lines = [f"libintmill.so.{soversion} libintmill{soversion} #MINVER#",
             "* Build-Depends-Package: libintmill-dev",
             f" {name}@{name} {first}.0"]
    lines += sorted(f" {f['name']}@{name} {f['since']}.0" for f in abi["functions"])
    return "\n".join(lines + [""])
