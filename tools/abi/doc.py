"""Takes doc comments apart."""

import re


class Doc:
    """The text, the release of @since, and what @param and @return say by parameter and under "return"."""

    def __init__(self, token):
        body = token.text[3:-2]
        flat = " ".join(re.sub(r"^\s*\* ?", "", line).strip() for line in body.splitlines()).strip()
        # @since may stand anywhere: it is a remark of its own and ends nothing.
        found = re.search(r"\s*@since (\d+\.\d+)", flat)
        self.since = found.group(1) if found else None
        flat = re.sub(r"\s*@since \d+\.\d+", "", flat)
        pieces = re.split(r"\s*@(param \w+|return)\s+", flat)
        self.text = pieces[0]
        self.tags = {}
        for tag, text in zip(pieces[1::2], pieces[2::2]):
            # What is said of errors belongs to the function, not to the parameter before it.
            said, errors, rest = text.partition("Errors:")
            self.tags[tag.removeprefix("param ")] = said.strip()
            self.text = f"{self.text} {errors}{rest}".strip()
