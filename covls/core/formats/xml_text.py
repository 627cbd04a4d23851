"""Text as XML has it: escaped, and without what XML has no way to write."""


def legal(text: str) -> str:
    """Text with a question mark for each character that may not stand in XML 1.0."""
    return text if text.isprintable() else "".join(c if _is_legal(c) else "?" for c in text)


def escaped(text: str) -> str:
    """Text as it stands between tags."""
    return legal(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """Text as the value of an attribute, with its quotes."""
    value = escaped(text).replace('"', "&quot;")
    for char, name in (("\t", "&#9;"), ("\n", "&#10;"), ("\r", "&#13;")):
        value = value.replace(char, name)
    return f'"{value}"'


def _is_legal(char: str) -> bool:
    code = ord(char)
    return (
        char in "\t\n\r"
        or 0x20 <= code < 0xD800
        or 0xE000 <= code < 0xFFFE
        or 0x10000 <= code <= 0x10FFFF
    )
