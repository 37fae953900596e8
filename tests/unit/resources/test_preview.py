import base64
import re
from io import BytesIO

from PIL import Image

from resources.preview import MAX_BYTES, as_markdown


def encoded(kind):
    buffer = BytesIO()
    Image.new("L", (8, 8), 77).save(buffer, kind)
    return buffer.getvalue()


def test_a_picture_is_embedded_whole_and_under_its_own_type():
    for kind in ("PNG", "JPEG"):
        data = encoded(kind)
        text = as_markdown(data).value
        found = re.fullmatch(r"!\[preview\]\(data:image/(\w+);base64,([\w+/=]+)\)", text)
        assert found[1] == kind.lower()
        assert base64.b64decode(found[2]) == data


def test_a_picture_that_is_too_large_is_named_and_not_embedded():
    text = as_markdown(b"\x89PNG".ljust(MAX_BYTES + 1, b"\0")).value
    assert text == "150 kB: too large to show, see the artefact"
    assert "base64" in as_markdown(b"\x89PNG".ljust(MAX_BYTES, b"\0")).value
