"""What a trace file holds, as bytes: every block unpacked, as src/trace/format.hpp lays them out."""

import ctypes
import ctypes.util
import struct

from lab import Skipped, check

HEADER_BYTES, FRAME_BYTES = 16, 12


def unpacked(path):
    """The blocks' contents, one after another."""
    library = ctypes.util.find_library("zstd")
    if not library:
        raise Skipped("libzstd is not found: the trace cannot be unpacked")
    zstd = ctypes.CDLL(library)
    zstd.ZSTD_decompress.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
    with open(path, "rb") as file:
        data = file.read()
    content, at = b"", HEADER_BYTES
    while True:
        packed, raw, _ = struct.unpack_from("<III", data, at)
        at += FRAME_BYTES
        if packed == 0:
            return content
        room = ctypes.create_string_buffer(raw)
        got = zstd.ZSTD_decompress(room, raw, data[at:at + packed], packed)
        check(got == raw, f"a block of {raw} bytes unpacks to {got}")
        content += room.raw
        at += packed
