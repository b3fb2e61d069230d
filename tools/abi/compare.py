"""What may change between two releases: within a major version, things are added and nothing else."""


def compare(old, new):
    """The list of broken promises, one line each; empty when whoever uses `old` can use `new`."""
    if _version(new) < _version(old):
        return [f"version {new['version']} is older than {old['version']}"]
    if new["soversion"] != old["soversion"]:
        return []  # another SONAME: nothing was promised
    problems = []
    for group, rule in (("functions", _callable), ("callbacks", _callable), ("structs", _struct),
                        ("enums", _enum), ("handles", None), ("constants", _constant)):
        problems += _group(group, rule, old, new)
    return problems


def _version(abi):
    return tuple(map(int, abi["version"].split(".")))


def _group(group, rule, old, new):
    now = {item["name"]: item for item in new[group]}
    before = {item["name"]: item for item in old[group]}
    for name, item in before.items():
        if name not in now:
            yield f"{name} was removed"
            continue
        yield from _since(name, item, now[name])
        if rule:
            yield from rule(name, item, now[name], old)
    for name, item in now.items():
        if name not in before:
            yield from _added(name, item, old)


def _since(name, before, now):
    if before["since"] != now["since"]:
        yield f"{name}: @since was {before['since']}, is {now['since']}"


def _added(name, item, old):
    """What is new says so; a patch release adds nothing."""
    if tuple(map(int, item["since"].split("."))) <= _version(old)[:2]:
        yield f"{name} is new since {old['version']}, but says @since {item['since']}"


def _callable(name, before, now, _):
    if before["returns"] != now["returns"]:
        yield f"{name}: returned {before['returns']}, returns {now['returns']}"
    was = [p["type"] for p in before["params"]]
    types = [p["type"] for p in now["params"]]
    if was != types:
        yield f"{name}: took ({', '.join(was)}), takes ({', '.join(types)})"
    elif [p.get("direction") for p in before["params"]] != [p.get("direction") for p in now["params"]]:
        yield f"{name}: a parameter goes in another direction"


def _struct(name, before, now, old):
    for i, field in enumerate(before["fields"]):
        found = now["fields"][i] if i < len(now["fields"]) else None
        if not found:
            yield f"{name}.{field['name']} was removed"
        elif any(field[key] != found[key] for key in ("name", "type", "offset", "size")):
            yield (f"{name}: at offset {field['offset']} was {field['type']} {field['name']}, "
                   f"is {found['type']} {found['name']}: fields are only appended")
            return
        else:
            yield from _since(f"{name}.{field['name']}", field, found)
    for field in now["fields"][len(before["fields"]):]:
        yield from _added(f"{name}.{field['name']}", field, old)
    if before["align"] != now["align"]:
        yield f"{name}: was aligned to {before['align']} bytes, is to {now['align']}"


def _enum(name, before, now, old):
    values = {v["name"]: v for v in now["values"]}
    for v in before["values"]:
        if v["name"] not in values:
            yield f"{v['name']} was removed from {name}"
        elif values[v["name"]]["value"] != v["value"]:
            yield f"{v['name']} was {v['value']}, is {values[v['name']]['value']}"
        else:
            yield from _since(v["name"], v, values[v["name"]])
    known = {v["name"] for v in before["values"]}
    for v in now["values"]:
        if v["name"] not in known:
            yield from _added(v["name"], v, old)


def _constant(name, before, now, _):
    if before["value"] != now["value"] and name != "INTMILL_VERSION":
        yield f"{name} was {before['value']}, is {now['value']}"
