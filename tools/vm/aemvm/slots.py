# SPDX-License-Identifier: GPL-2.0
"""How many guests run at once on this machine, whoever started them."""

import fcntl
import os
import tempfile
import time


class Slot:
    """Held while a guest runs; with AEM_VM_SLOTS=n, n of them are shared by all. Taken in a random
    order of arrival: a place is looked for several times a second."""

    def __init__(self):
        self.count = int(os.environ.get("AEM_VM_SLOTS", "0"))
        self.folder = os.path.join(tempfile.gettempdir(), f"aem-vm-slots.{os.getuid()}")
        self.file = None

    def _try(self, number):
        # A lock ends with its holder, however that ends.
        file = open(os.path.join(self.folder, str(number)), "w", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self.file = file
        return True

    def __enter__(self):
        if self.count:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        while self.count and not any(self._try(number) for number in range(self.count)):
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        if self.file:
            self.file.close()
