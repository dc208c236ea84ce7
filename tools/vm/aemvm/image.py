# SPDX-License-Identifier: GPL-2.0
"""The image of a kernel as the emulator gets it: unpacked, since to unpack itself takes a kernel as
long as all the rest of its boot. See Documentation/x86/boot.rst of the kernel, payload_offset, and
Xen's elfnote.h, PHYS32_ENTRY, for what can be started so."""

import os
import struct
import subprocess
import tempfile

COMMANDS = {b"\xfd7zXZ\0": ["xz", "-dc"], b"\x28\xb5\x2f\xfd": ["zstd", "-dc"],
            b"\x02\x21\x4c\x18": ["lz4", "-dc"]}
SIGNATURE = 0x202, b"HdrS"
PAYLOAD = 0x248             # of the header: where it begins, behind the setup, and its length
ENTRY = 18                  # XEN_ELFNOTE_PHYS32_ENTRY


def payload_of(image):
    """What is packed, and how long it is when it is not; None if there is no such thing."""
    at, word = SIGNATURE
    if image[at:at + len(word)] != word:
        return None, 0
    begin, length = struct.unpack_from("<II", image, PAYLOAD)
    begin += (image[0x1f1] + 1) * 512
    packed = image[begin:begin + length]
    return packed[:-4], struct.unpack("<I", packed[-4:])[0]


def can_start(elf):
    notes = (struct.pack("<III4s", 4, length, ENTRY, b"Xen\0") for length in (4, 8))
    return elf.startswith(b"\x7fELF") and any(note in elf for note in notes)


def unpack(image):
    """The ELF file that is in there, if it can be started; else None."""
    packed, size = payload_of(image)
    command = next((words for magic, words in COMMANDS.items()
                    if packed and packed.startswith(magic)), None)
    if not command:
        return None
    elf = subprocess.run(command, input=packed, stdout=subprocess.PIPE, check=True).stdout
    return elf if len(elf) == size and can_start(elf) else None


def keep(kernel, elf):
    """The unpacked image beside the packed one; a link to that if there is none to be had."""
    with tempfile.TemporaryDirectory(dir=kernel, prefix=".image.") as folder:
        path = os.path.join(folder, "vmlinux")
        if elf:
            with open(path, "wb") as f:
                f.write(elf)
        else:
            os.symlink("vmlinuz", path)
        os.replace(path, os.path.join(kernel, "vmlinux"))


def bootable(kernel):
    """The path of the image to boot, of a kernel in the cache."""
    packed, bare = os.path.join(kernel, "vmlinuz"), os.path.join(kernel, "vmlinux")
    if os.path.exists(bare):
        return bare
    try:
        with open(packed, "rb") as f:
            keep(kernel, unpack(f.read()))
    except (OSError, subprocess.CalledProcessError):
        return packed
    return bare
