"""Reads include/intmill/intmill.h into plain dictionaries: a strict parser of our own style.

It knows the few forms that the header is made of and refuses everything else, so that nothing can enter
the ABI unseen: every item says @since, structs begin with struct_size and have no holes, enums are 32 bits
wide. Sizes and offsets are those of 64-bit machines. Types are spelled as clang spells them."""

import re

from .doc import Doc
from .tokens import HeaderError, Reader, tokenize

SIZES = {"char": 1, "int32_t": 4, "uint32_t": 4, "int64_t": 8, "float": 4, "double": 8}
POINTER = 8
FORCE32 = 0x7FFFFFFF
# An array and the parameter that counts it, where that is not n_<array>.
COUNTS = {"dims": "rank", "data": "bytes", "scales": "n", "zero_points": "n"}


def parse(text, name="intmill.h"):
    return _Parser(text, name).result()


def _join(words):
    """const char * ; intmill_tensor *const * ; struct DLManagedTensor *"""
    text = " ".join(words)
    return re.sub(r"\* (?=[*c])", "*", text)


class _Parser:
    def __init__(self, text, name):
        self._name = name
        self.out = {"version": None, "soversion": None, "constants": [], "enums": [], "handles": [],
                    "structs": [], "callbacks": [], "functions": []}
        self._names = set()
        self._foreign = set()
        self._in_cplusplus = False
        self._reader = Reader(tokenize(text, name), name, self._directive)
        self._parse()

    def result(self):
        if self.out["version"] is None:
            raise HeaderError(f"{self._name}: no line '#define INTMILL_VERSION <number>'")
        self._check_since()
        return self.out

    # ---- directives

    def _directive(self, token, take_doc):
        text = re.sub(r"\\\n", " ", token.text).strip()
        if re.match(r"#ifdef __cplusplus$", text):
            self._in_cplusplus = True
        elif text == "#endif" and self._in_cplusplus:
            self._in_cplusplus = False
        constant = re.match(r"#define (INTMILL_\w+) (\d+)$", text)
        macro = re.match(r"#define (INTMILL_\w+)\b", text)
        if constant:
            self._constant(constant.group(1), int(constant.group(2)), take_doc(), token.line)
        elif macro and macro.group(1) not in ("INTMILL_INTMILL_H", "INTMILL_API"):
            self._documented(macro.group(1), take_doc(), token.line)
            if not macro.group(1).endswith("_INIT"):
                raise HeaderError(f"{self._name}:{token.line}: macro {macro.group(1)} is neither a number "
                                  "nor an initial value (*_INIT)")

    def _constant(self, name, value, doc, line):
        parts = self._documented(name, doc, line)
        if name == "INTMILL_VERSION":
            major, minor, patch = value // 10000, value // 100 % 100, value % 100
            self.out["version"] = f"{major}.{minor}.{patch}"
            self.out["soversion"] = major
        self.out["constants"].append({"name": name, "value": value, "since": parts.since, "doc": parts.text})

    def _documented(self, name, doc, line, since=None):
        """The parts of a comment; `since` is what an item may inherit from the one around it."""
        if doc is None:
            raise HeaderError(f"{self._name}:{line}: {name} has no /** comment */")
        parts = Doc(doc)
        parts.since = parts.since or since
        if parts.since is None:
            raise HeaderError(f"{self._name}:{line}: {name} has no @since")
        return parts

    # ---- declarations

    def _parse(self):
        r = self._reader
        while r.now.kind != "end":
            line = r.now.line
            if self._in_cplusplus:
                if not (r.accept("extern") and r.accept('"C"') and r.accept("{")) and not r.accept("}"):
                    r.fail(f"found {r.now.text!r} in #ifdef __cplusplus")
            elif r.now.text == "struct":
                r.take()
                self._foreign.add(r.expect_kind("word").text)
                r.expect(";")
            elif r.now.text == "typedef":
                doc = r.take_doc()
                r.take()
                self._typedef(doc, line)
            elif r.now.text == "INTMILL_API":
                doc = r.take_doc()
                r.take()
                self._function(doc, line)
            else:
                r.fail(f"found {r.now.text!r}, wanted a typedef or INTMILL_API")

    def _name_of(self, token):
        if not re.fullmatch(r"intmill_[a-z0-9_]+", token.text):
            self._reader.fail(f"{token.text}: a name is intmill_ and lower case", token.line)
        if token.text in self._names:
            self._reader.fail(f"{token.text} is declared twice", token.line)
        self._names.add(token.text)
        return token.text

    def _typedef(self, doc, line):
        r = self._reader
        if r.accept("enum"):
            self._enum(doc, line)
        elif r.now.text == "struct":
            r.take()
            tag = r.expect_kind("word")
            if r.now.text == "{":
                self._struct(tag, doc, line)
            else:
                r.expect(tag.text)
                name = self._name_of(tag)
                parts = self._documented(name, doc, line)
                self.out["handles"].append({"name": name, "since": parts.since, "doc": parts.text})
                r.expect(";")
        else:
            self._callback(doc, line)

    def _enum(self, doc, line):
        r = self._reader
        name = self._name_of(r.expect_kind("word"))
        parts = self._documented(name, doc, line)
        values = []
        r.expect("{")
        while not r.accept("}"):
            value_doc = r.take_doc()
            token = r.expect_kind("word")
            r.expect("=")
            number = int(r.expect_kind("number").text, 0)
            value = self._documented(token.text, value_doc, token.line, parts.since)
            twin = next((v["name"] for v in values if number == v["value"]), None)
            if twin:
                r.fail(f"{token.text} has the number of {twin}", token.line)
            values.append({"name": token.text, "value": number, "since": value.since, "doc": value.text})
            if r.now.text != "}":
                r.expect(",")
        r.expect(name)
        r.expect(";")
        if not values or not values[-1]["name"].endswith("_FORCE32") or values[-1]["value"] != FORCE32:
            r.fail(f"{name} does not end with *_FORCE32 = 0x7fffffff", line)
        self.out["enums"].append({"name": name, "since": parts.since, "doc": parts.text, "values": values})

    def _struct(self, tag, doc, line):
        r = self._reader
        name = self._name_of(tag)
        parts = self._documented(name, doc, line)
        fields, offset, align = [], 0, 1
        r.expect("{")
        while not r.accept("}"):
            field_doc = r.take_doc()
            field_line = r.now.line
            kind, field = self._type_and_name(";")
            r.expect(";")
            size = self._size(kind, field_line)
            if offset % size:
                r.fail(f"{name}.{field}: a hole before it, {size - offset % size} bytes wide", field_line)
            about = self._documented(f"{name}.{field}", field_doc, field_line, parts.since)
            fields.append({"name": field, "type": kind, "offset": offset, "size": size,
                           "since": about.since, "doc": about.text})
            offset, align = offset + size, max(align, size)
        r.expect(name)
        r.expect(";")
        if not fields or (fields[0]["name"], fields[0]["type"]) != ("struct_size", "uint32_t"):
            r.fail(f"{name} does not begin with uint32_t struct_size", line)
        if offset % align:
            r.fail(f"{name}: a hole at its end, {align - offset % align} bytes wide", line)
        self.out["structs"].append({"name": name, "since": parts.since, "doc": parts.text, "size": offset,
                                    "align": align, "fields": fields})

    def _size(self, kind, line):
        if kind.endswith("*"):
            return POINTER
        if any(kind == e["name"] for e in self.out["enums"]):
            return 4
        if kind not in SIZES:
            self._reader.fail(f"a field of type {kind}", line)
        return SIZES[kind]

    def _callback(self, doc, line):
        r = self._reader
        returns = self._type("(")
        r.expect("(")
        r.expect("*")
        name = self._name_of(r.expect_kind("word"))
        r.expect(")")
        parts = self._documented(name, doc, line)
        params = self._params(parts)
        self.out["callbacks"].append(self._callable(name, parts, returns, params))

    def _function(self, doc, line):
        returns, name_text = self._type_and_name("(")
        name = self._name_of(self._reader.now._replace(text=name_text))
        parts = self._documented(name, doc, line)
        params = self._params(parts)
        counts = {p["name"] for p in params}
        for p in params:
            self._describe(p, counts)
        self.out["functions"].append(self._callable(name, parts, returns, params))

    @staticmethod
    def _callable(name, parts, returns, params):
        item = {"name": name, "since": parts.since, "doc": parts.text, "returns": returns, "params": params}
        if "return" in parts.tags:
            item["returns_doc"] = parts.tags["return"]
        return item

    def _describe(self, param, names):
        """Direction, and for an array the parameter that counts it."""
        name, kind = param["name"], param["type"]
        count = COUNTS.get(name, f"n_{name}")
        if kind.endswith("*") and count in names:
            param["count"] = count
        struct = kind.removesuffix(" *") in {s["name"] for s in self.out["structs"]}
        if name == "out":
            param["direction"] = "out"
        else:
            changed = struct or (kind.endswith("**") and "count" in param)
            param["direction"] = "inout" if changed else "in"

    def _params(self, parts):
        r = self._reader
        params = []
        r.expect("(")
        if r.now.text == "void" and r._tokens[r._at + 1].text == ")":
            r.take()
        while not r.accept(")"):
            kind, name = self._type_and_name(",)")
            param = {"name": name, "type": kind}
            if name in parts.tags:
                param["doc"] = parts.tags[name]
            params.append(param)
            if r.now.text != ")":
                r.expect(",")
        r.expect(";")
        unknown = set(parts.tags) - {p["name"] for p in params} - {"return"}
        if unknown:
            r.fail(f"@param {min(unknown)}: no such parameter")
        return params

    def _type_and_name(self, ends):
        words = self._words(ends)
        if len(words) < 2 or not re.fullmatch(r"[a-z_]\w*", words[-1]):
            self._reader.fail(f"found {' '.join(words)!r}, wanted a type and a name")
        return self._known(words[:-1]), words[-1]

    def _type(self, ends):
        return self._known(self._words(ends))

    def _words(self, ends):
        words = []
        while self._reader.now.text not in ends:
            if self._reader.now.kind not in ("word", "mark") or self._reader.now.text in "(){}[];,=":
                self._reader.fail(f"found {self._reader.now.text!r} in a type")
            words.append(self._reader.take().text)
        return words

    def _known(self, words):
        """Refuses what no other language can call: by-value structs, bool, size_t, long, varargs."""
        base = [w for w in words if w not in ("const", "*")]
        structs = {s["name"] for s in self.out["structs"]} | {h["name"] for h in self.out["handles"]}
        if base[:1] == ["struct"]:
            known = len(base) == 2 and base[1] in self._foreign and "*" in words
        else:
            plain = base == ["void"] or (len(base) == 1 and (base[0] in SIZES or base[0] in self._names))
            known = plain and ("*" in words or base[0] not in structs | {"char"})
        if not known:
            self._reader.fail(f"a type that has no place in this ABI: {' '.join(words)}")
        return _join(words)

    # ---- the whole

    def _check_since(self):
        newest = tuple(map(int, self.out["version"].split(".")[:2]))
        for name, since in all_since(self.out):
            if tuple(map(int, since.split("."))) > newest:
                raise HeaderError(f"{self._name}: {name} is @since {since}, the header is of "
                                  f"{self.out['version']}")


def all_since(abi):
    """(name, since) of every item, enumerators and fields included."""
    for group in ("constants", "handles", "callbacks", "functions", "enums", "structs"):
        for item in abi[group]:
            yield item["name"], item["since"]
            for part in item.get("values", []) + item.get("fields", []):
                yield f"{item['name']}.{part['name']}", part["since"]
