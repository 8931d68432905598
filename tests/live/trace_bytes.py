"""What a trace file holds, as bytes: every block unpacked, as src/trace/format.hpp lays them out."""

import ctypes
import ctypes.util
import re
import shutil
import struct
import subprocess

from lab import REPOSITORY, Skipped, check

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


def events(path):
    """The events of a run that are no calls, in order: (kind, protobuf text of its fields)."""
    if not shutil.which("protoc"):
        raise Skipped("protoc is not installed: the trace cannot be decoded")
    decoded = subprocess.run(["protoc", "--decode=slowtrace.model.Block", f"--proto_path={REPOSITORY}/src",
                              "model/trace.proto"], input=unpacked(path), capture_output=True, check=True).stdout
    for event in re.findall(r"^  event \{\n(.*?)^  \}", decoded.decode(), re.M | re.S):
        kind, _, fields = event.strip().partition(" ")
        yield kind, fields


def field(fields, name, missing="0"):
    """The value of a scalar field in protobuf text."""
    match = re.search(rf'\b{name}: "?([^"\n]*)', fields)
    return match[1] if match else missing
