# SPDX-License-Identifier: GPL-2.0
"""Makes a program that leads to a finding as small as it gets."""

TIMES = 40          # how often a program is run to see whether it is the one
BESIDE = 16         # programs that may have been running
LIMIT = 60          # guests to spend on one finding


class Minimizer:
    """Tries many candidates in one guest, each so often that a race gets its chance. The first
    that leads to the same finding is gone on with; what comes out is confirmed in a guest that
    has seen nothing else."""

    def __init__(self, guests, signature, say):
        self.guests, self.signature, self.say = guests, signature, say
        self.times = TIMES
        self.spent = 0

    def _try(self, programs, times):
        """The one that led to the finding, after how many runs of it, and the guest's result."""
        self.spent += 1
        result = self.guests.replay(programs, times)
        ran = result.programs()
        if not result.found() or result.signature() != self.signature or not ran:
            return None, 0, result
        runs = 0
        for program in reversed(ran):
            if str(program) != str(ran[-1]):
                break
            runs += 1
        return ran[-1], runs, result

    def suspect(self, programs):
        """Which of the programs that ran last it was, or None."""
        last = list(reversed(programs[-BESIDE:]))
        found, runs, result = self._try(last, 2)
        if not found:
            found, runs, result = self._try(last, TIMES)
        if not found and len(programs) > 1:
            found, runs, result = self._try(programs * 3, 1)
        if found:
            self.times = min(max(4 * runs, 5), TIMES)
        return found, result

    def _shrink(self, program, edits):
        """Applies as many of the edits as can be: all at once, halves, quarters, ... single ones."""
        size = len(edits)
        while size and self.spent < LIMIT:
            chunks = [edits[i:i + size] for i in range(0, len(edits), size)]
            while chunks and self.spent < LIMIT:
                candidates = [program.edited(chunk) for chunk in chunks]
                found, _, _ = self._try(candidates, self.times)
                index = next((i for i, c in enumerate(candidates) if str(c) == str(found)), None)
                if index is None:
                    break
                program = candidates[index]
                edits = [edit for edit in edits if edit not in chunks[index]]
                chunks = chunks[index + 1:]
                self.say(f"{len(program)} statements, {len(str(program))} characters")
            size = 0 if size == 1 else (min(size, len(edits)) + 1) // 2
        return program

    def minimize(self, program):
        """The small one, and the result of the guest that it was confirmed in."""
        small = self._shrink(program, program.drops())
        small = self._shrink(small, small.edits(values=False))
        small = self._shrink(small, small.edits(values=True))
        for candidate in (small, program):
            found, _, result = self._try([candidate], TIMES)
            if found:
                return candidate, result
        return program, None
