"""Writes the colour profiles of `profiles.rs`, and what LittleCMS makes of some colours.

    pip install pillow && python3 crates/media/tests/images/profiles.py

Pillow 12 with LittleCMS 2.19 wrote the values in `src/decoded_image/tests.rs`.
"""

import io
import struct

from PIL import Image, ImageCms

COLOURS = [(200, 60, 60), (30, 160, 90), (12, 20, 200), (128, 128, 128), (5, 10, 15), (250, 240, 20), (90, 60, 40)]
GREYS = [0, 3, 20, 90, 128, 200, 255]
SRGB_CURVE = struct.pack(">4sIHH5i", b"para", 0, 3, 0, *[round(x * 65536) for x in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)])


def fixed(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz(values):
    return b"XYZ \0\0\0\0" + fixed(*values)


def gamma(value):
    return struct.pack(">4sIIHH", b"curv", 0, 1, round(value * 256), 0)


def profile(space, tags):
    text = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"p\0" + b"\0" * 82
    tags = [(b"desc", text), (b"cprt", b"text\0\0\0\0x\0\0\0"), (b"wtpt", xyz((0.9642, 1, 0.8249))), *tags]
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags:
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    head = struct.pack(">I4sI4s4s4s", start + len(body), b"none", 0x02400000, b"mntr", space, b"XYZ ")
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def rgb(red, green, blue, curve):
    colorants = [(b"rXYZ", xyz(red)), (b"gXYZ", xyz(green)), (b"bXYZ", xyz(blue))]
    return profile(b"RGB ", colorants + [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")])


def lut(red, green, blue, exponent):
    """The same as a matrix, as a lookup table of two steps."""
    table = b"mft2" + struct.pack(">IBBBB", 0, 3, 3, 2, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 256, 2)
    table += b"".join(struct.pack(">H", round((i / 255) ** exponent * 65535)) for i in range(256)) * 3
    for r, g, b in [(r, g, b) for r in (0, 1) for g in (0, 1) for b in (0, 1)]:
        table += b"".join(struct.pack(">H", max(0, round((r * red[i] + g * green[i] + b * blue[i]) * 32768))) for i in range(3))
    return profile(b"RGB ", [(b"A2B0", table + struct.pack(">HH", 0, 65535) * 3)])


P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
PROFILES = {
    "DISPLAY_P3": rgb(*P3, SRGB_CURVE),
    "ADOBE_RGB": rgb(*ADOBE, gamma(563 / 256)),
    "PROPHOTO_RGB": rgb(*PROPHOTO, gamma(461 / 256)),
    "LINEAR_P3": rgb(*P3, gamma(1)),
    "LUT": lut(*ADOBE, 1.8),
    "GREY_GAMMA_1_8": profile(b"GRAY", [(b"kTRC", gamma(461 / 256))]),
}


def main():
    srgb = ImageCms.createProfile("sRGB")
    for name, data in PROFILES.items():
        is_grey = data[16:20] == b"GRAY"
        mode, colours = ("L", GREYS) if is_grey else ("RGB", COLOURS)
        transform = ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(data)), srgb, mode, "RGB")
        values = []
        for colour in colours:
            image = ImageCms.applyTransform(Image.new(mode, (1, 1), colour), transform)
            values.append(list(image.getpixel((0, 0))))
        print(name, len(data), hex(sum(data)), values)


if __name__ == "__main__":
    main()
