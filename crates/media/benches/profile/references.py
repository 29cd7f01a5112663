"""Reads a JPEG from standard input and prints the minimum processor time of several rounds, in seconds."""

import io
import resource
import sys


def pillow(min_side, filter_name):
    from PIL import Image, ImageOps

    def work(jpeg):
        image = Image.open(io.BytesIO(jpeg))
        image.draft("RGB", (min_side, min_side))
        image = ImageOps.exif_transpose(image)
        for side in (512, 256, 128, 64):
            image = ImageOps.fit(image, (side, side), getattr(Image.Resampling, filter_name))
            image.save(io.BytesIO(), "JPEG", quality=85, progressive=True, optimize=True)

    return work


def vips(crop):
    import pyvips

    def work(jpeg):
        image = pyvips.Image.thumbnail_buffer(jpeg, 512, height=512, crop=crop).copy_memory()
        for side in (512, 256, 128, 64):
            if side < 512:
                image = image.resize(0.5).copy_memory()
            image.jpegsave_buffer(Q=85, interlace=True, optimize_coding=True, keep="none")

    return work


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def minimum(work, jpeg, rounds):
    times = []
    for _ in range(rounds + 1):
        before = processor_time()
        work(jpeg)
        times.append(processor_time() - before)
    # The first round also loads the library.
    return min(times[1:])


library, rounds = sys.argv[1], int(sys.argv[2])
jpeg = sys.stdin.buffer.read()
if library == "pillow":
    variants = [pillow(side, name) for side in (512, 1024) for name in ("LANCZOS", "BICUBIC")]
else:
    variants = [vips(crop) for crop in ("attention", "centre")]
print(min(minimum(work, jpeg, rounds) for work in variants))
