"""Generations that are worse than the one that is served, in every way that we could think of."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Manifest = dict[str, Any]


class Damage:
    """All ways in which a generation can be worse than the one that is served."""

    def __init__(self, data: Path, zones: list[str], seed: int) -> None:
        self._data, self._zones = data, zones
        self._snapshot = data / "snapshot"
        self._draw = random.Random(seed)
        self.good: Manifest = json.loads((data / "manifest").read_bytes())
        self._older = (data / "manifest.prev").read_bytes()
        self._emptied: dict[str, Manifest] = {}
        self._added: list[Path] = []
        self.ways: dict[str, Callable[[], tuple[bytes, int]]] = {
            name.removeprefix("way_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("way_")
        }

    def keep_emptied(self, manifest: Manifest) -> None:
        """A whole generation in which all is gone that can go."""
        for entry in manifest["sections"]:
            self._emptied[f"{entry['kind']} {entry['name']}"] = entry
            kept = self._snapshot.parent / f"kept-{entry['hash']}"
            shutil.copy(self._snapshot / entry["hash"], kept)

    def inject(self, way: str) -> int:
        """Write a damaged generation; the number that it is announced by."""
        octets, number = self.ways[way]()
        (self._data / "manifest.next").write_bytes(octets)
        return number

    def clear(self) -> None:
        """Take away the sections that came with it."""
        for path in self._added:
            path.unlink(missing_ok=True)
        self._added.clear()

    # --- The manifest ---

    def way_stale_number(self) -> tuple[bytes, int]:
        number = self._draw.randint(0, self.good["generation"])
        return self._sealed({**self.good, "generation": number}), number

    def way_older_generation(self) -> tuple[bytes, int]:
        return self._older, self._draw.choice((self._next, json.loads(self._older)["generation"]))

    def way_other_number(self) -> tuple[bytes, int]:
        return self._sealed(self._following()), self._next + self._draw.randint(1, 5)

    def way_nothing(self) -> tuple[bytes, int]:
        return b"", self._next

    def way_truncated_manifest(self) -> tuple[bytes, int]:
        octets = self._sealed(self._following())
        return octets[: self._draw.randrange(len(octets))], self._next

    def way_flipped_manifest(self) -> tuple[bytes, int]:
        return self._flipped(self._sealed(self._following())), self._next

    def way_reordered_manifest(self) -> tuple[bytes, int]:
        return self._shuffled(self._sealed(self._following())), self._next

    def way_unsealed_change(self) -> tuple[bytes, int]:
        sealed = json.loads(self._sealed(self._following()))
        self._draw.choice(sealed["sections"])["size"] += 1
        return json.dumps(sealed).encode(), self._next

    def way_future_format(self) -> tuple[bytes, int]:
        return self._sealed({**self._following(), "format": self._draw.randint(2, 9)}), self._next

    # --- Sections that are not what they should be ---

    def way_missing_section(self) -> tuple[bytes, int]:
        return self._with(lambda entry: {"hash": self._draw.randbytes(32).hex()})

    def way_truncated_section(self) -> tuple[bytes, int]:
        return self._with(
            lambda entry: self._file(
                self._octets(entry), lambda o: o[: self._draw.randrange(len(o))]
            )
        )

    def way_flipped_section(self) -> tuple[bytes, int]:
        return self._with(lambda entry: self._file(self._octets(entry), self._flipped))

    def way_reordered_section(self) -> tuple[bytes, int]:
        return self._with(lambda entry: self._file(self._octets(entry), self._shuffled))

    def way_empty_section(self) -> tuple[bytes, int]:
        return self._with(lambda entry: self._file(b"", bytes))

    def way_wrong_size(self) -> tuple[bytes, int]:
        # Of a section that is new, for those held are known to be whole.
        return self._with(
            lambda entry: {**self._fresh(entry), "size": entry["size"] + self._draw.randint(1, 99)}
        )

    def way_future_section(self) -> tuple[bytes, int]:
        def newer(entry: Manifest) -> Manifest:
            octets = bytearray(self._octets(entry))
            octets[10] += self._draw.randint(1, 9)
            return self._file(bytes(octets), bytes)

        return self._with(newer)

    def way_another_kind(self) -> tuple[bytes, int]:
        return self._with(lambda entry: {"kind": entry["kind"] % 4 + 1})

    def way_unknown_kind(self) -> tuple[bytes, int]:
        more = {"kind": 99, "name": "x", "hash": "0" * 64, "size": 1, "optional": False}
        following = self._following()
        following["sections"] = [*following["sections"], {**more, "recipe": ""}]
        return self._sealed(following), self._next

    # --- Sections that are whole, in the wrong place or lost ---

    def way_swapped_zones(self) -> tuple[bytes, int]:
        return self._exchanged(swap=True)

    def way_one_zone_twice(self) -> tuple[bytes, int]:
        return self._exchanged(swap=False)

    def way_lost_zone(self) -> tuple[bytes, int]:
        lost = self._draw.choice(self._zones)
        return self._without(lambda entry: entry["name"] == lost)

    def way_lost_kind(self) -> tuple[bytes, int]:
        kind = self._draw.choice((1, 2, 3, 4))
        return self._without(lambda entry: entry["kind"] == kind)

    def way_no_sections(self) -> tuple[bytes, int]:
        return self._without(lambda entry: True)

    def way_emptied_zone(self) -> tuple[bytes, int]:
        return self._emptied_entry("1 three.test")

    def way_emptied_pool(self) -> tuple[bytes, int]:
        return self._emptied_entry("4 pools")

    # --- Helpers ---

    @property
    def _next(self) -> int:
        return int(self.good["generation"]) + 1

    def _following(self) -> Manifest:
        return {**self.good, "generation": self._next, "forced": None}

    def _sealed(self, manifest: Manifest) -> bytes:
        fields = {name: value for name, value in manifest.items() if name != "sha256"}
        return _canonical({**fields, "sha256": hashlib.sha256(_canonical(fields)).hexdigest()})

    def _with(self, change: Callable[[Manifest], Manifest]) -> tuple[bytes, int]:
        """One section of those that the engine needs is changed."""
        following = self._following()
        sections = list(following["sections"])
        at = self._draw.choice([i for i, each in enumerate(sections) if each["kind"] <= 4])
        sections[at] = {**sections[at], **change(sections[at])}
        return self._sealed({**following, "sections": sections}), self._next

    def _without(self, lost: Callable[[Manifest], bool]) -> tuple[bytes, int]:
        following = self._following()
        sections = [entry for entry in following["sections"] if not lost(entry)]
        return self._sealed({**following, "sections": sections}), self._next

    def _exchanged(self, *, swap: bool) -> tuple[bytes, int]:
        following = self._following()
        one, two = self._draw.sample([e for e in following["sections"] if e["kind"] == 1], 2)
        other = {"hash": two["hash"], "size": two["size"]}
        own = {"hash": one["hash"], "size": one["size"]}
        sections = [
            {**e, **other} if e is one else {**e, **own} if e is two and swap else e
            for e in following["sections"]
        ]
        return self._sealed({**following, "sections": sections}), self._next

    def _emptied_entry(self, which: str) -> tuple[bytes, int]:
        entry = self._emptied[which]
        path = self._snapshot / entry["hash"]
        shutil.copy(self._data / f"kept-{entry['hash']}", path)
        self._added.append(path)
        following = self._following()
        kind, _, name = which.partition(" ")
        sections = [
            entry if (str(e["kind"]), e["name"]) == (kind, name) else e
            for e in following["sections"]
        ]
        return self._sealed({**following, "sections": sections}), self._next

    def _octets(self, entry: Manifest) -> bytes:
        return (self._snapshot / entry["hash"]).read_bytes()

    def _fresh(self, entry: Manifest) -> Manifest:
        """The same section with one octet of padding more, so that it is another file."""
        return self._file(self._octets(entry) + b"\0", bytes)

    def _file(self, octets: bytes, spoil: Callable[[bytes], bytes]) -> Manifest:
        """A file under the hash of these octets that holds what has become of them."""
        name = hashlib.sha256(octets).hexdigest()
        spoilt = spoil(octets)
        if spoilt is not octets and name in {e["hash"] for e in self.good["sections"]}:
            # It must be a new one: those held are not read again.
            name = hashlib.sha256(octets + self._draw.randbytes(8)).hexdigest()
        path = self._snapshot / name
        path.write_bytes(spoilt)
        self._added.append(path)
        return {"hash": name, "size": len(octets)}

    def _flipped(self, octets: bytes) -> bytes:
        spoilt = bytearray(octets)
        spoilt[self._draw.randrange(len(spoilt))] ^= 1 << self._draw.randrange(8)
        return bytes(spoilt)

    def _shuffled(self, octets: bytes) -> bytes:
        parts = [octets[at : at + 64] for at in range(0, len(octets), 64)]
        if len(set(parts)) == 1:
            return octets[1:]
        shuffled = parts
        while shuffled == parts:
            shuffled = self._draw.sample(parts, len(parts))
        return b"".join(shuffled)


def _canonical(fields: Manifest) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
