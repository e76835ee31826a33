"""The search tree of an mmdb file as arrays, walked a level at a time.

Source: MaxMind DB file format specification 2.0, "Binary Search Tree Section".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

RECORD_SIZES = (24, 28, 32)
METADATA_MARKER = b"\xab\xcd\xefMaxMind.com"
SEPARATOR_BYTES = 16
"""Zero bytes between tree and data; a record counts them. Source: the specification."""
VISITS_PER_NODE = 8
"""Most visits to a tree, as a multiple of its nodes, before it counts as a loop.

Source: no reference; an honest tree visits each node once, one that shares branches more often.
"""

Words = npt.NDArray[np.uint32]
Word = TypeVar("Word", np.uint32, np.uint64)


class BrokenFile(ValueError):
    """The bytes are no whole and sound database; the text says what they lack."""


@dataclass(frozen=True, slots=True)
class SearchTree:
    """The two children of each node: a lower number is a node, the node count is nothing.

    Shape: ``children`` is uint32[nodes, 2]; a number above the node count points at a record.
           The data with the records begins at ``data_start`` of the file.
    """

    children: Words
    ip_version: int
    data_start: int

    @property
    def nodes(self) -> int:
        """How many there are; as a child this number means nothing."""
        return len(self.children)

    def record_offsets(self, pointers: Words) -> npt.NDArray[np.int64]:
        """Where the records that children point at are, from the start of the data."""
        return pointers.astype(np.int64) - self.nodes - SEPARATOR_BYTES


@dataclass(frozen=True, slots=True)
class Leaves(Generic[Word]):
    """The networks of one family in address order, covering all of it.

    Shape: parallel arrays; ``value`` is the child that ended the path. Addresses are uint32
           for IPv4 and the upper 64 bits as uint64 for IPv6, where those longer than /64
           share their start.
    """

    start: npt.NDArray[Word]
    depth: npt.NDArray[np.uint8]
    value: Words


def read_tree(content: bytes, node_count: int, record_size: int, ip_version: int) -> SearchTree:
    """The tree of a file, every child checked to be a node, nothing, or within the data.

    Errors: BrokenFile.
    """
    if record_size not in RECORD_SIZES or ip_version not in (4, 6) or node_count < 1:
        raise BrokenFile(
            f"its metadata is nonsense (node count {node_count}, record size {record_size}, "
            f"IP version {ip_version})"
        )
    tree_bytes = node_count * record_size // 4
    data_bytes = content.rfind(METADATA_MARKER) - tree_bytes - SEPARATOR_BYTES
    if data_bytes < 1:
        raise BrokenFile(f"it is too short for its {node_count} nodes")
    raw = np.frombuffer(content, np.uint8, count=tree_bytes).reshape(node_count, record_size // 4)
    children = _unpack(raw, record_size)
    first_record = node_count + SEPARATOR_BYTES
    pointers = children[children > node_count]
    if pointers.size and (
        int(pointers.min()) < first_record or int(pointers.max()) >= first_record + data_bytes
    ):
        raise BrokenFile("its search tree points outside its data")
    return SearchTree(children, ip_version, tree_bytes + SEPARATOR_BYTES)


def leaves4(tree: SearchTree) -> Leaves[np.uint32]:
    """The IPv4 networks: the whole tree of an IPv4 file, the part at ::/96 of an IPv6 one."""
    root = _root4(tree)
    if root >= tree.nodes:
        return Leaves(np.zeros(1, np.uint32), np.zeros(1, np.uint8), np.array([root], np.uint32))
    return _walk(tree, root, np.uint32, 32, without=None)


def leaves6(tree: SearchTree) -> Leaves[np.uint64]:
    """The IPv6 networks; the IPv4 tree and all aliases of it (2002::/16 …) show as nothing."""
    if tree.ip_version == 4:
        nothing = np.array([tree.nodes], np.uint32)
        return Leaves(np.zeros(1, np.uint64), np.zeros(1, np.uint8), nothing)
    root4 = _root4(tree)
    without = root4 if root4 < tree.nodes else None
    return _walk(tree, 0, np.uint64, 128, without)


def _unpack(raw: npt.NDArray[np.uint8], record_size: int) -> Words:
    bytes_ = raw.astype(np.uint32)
    half = record_size // 8
    children = np.empty((len(raw), 2), np.uint32)
    for side, first in ((0, 0), (1, raw.shape[1] - half)):
        word = np.zeros(len(raw), np.uint32)
        for i in range(first, first + half):
            word = word << np.uint32(8) | bytes_[:, i]
        children[:, side] = word
    if record_size == 28:
        # The middle byte holds the four highest bits of both, the left child's first.
        middle = bytes_[:, 3]
        children[:, 0] |= middle >> np.uint32(4) << np.uint32(24)
        children[:, 1] |= (middle & np.uint32(15)) << np.uint32(24)
    return children


def _root4(tree: SearchTree) -> int:
    if tree.ip_version == 4:
        return 0
    node = 0
    for _ in range(96):
        if node >= tree.nodes:
            break
        node = int(tree.children[node, 0])
    return node


def _walk(
    tree: SearchTree, root: int, word: type[Word], longest: int, without: int | None
) -> Leaves[Word]:
    bits = np.dtype(word).itemsize * 8
    limit = VISITS_PER_NODE * tree.nodes
    nodes, prefixes = np.array([root], np.uint32), np.zeros(1, word)
    starts: list[npt.NDArray[Word]] = []
    depths: list[npt.NDArray[np.uint8]] = []
    values: list[Words] = []
    for depth in range(1, longest + 1):
        children = tree.children[nodes].ravel()
        prefixes = np.repeat(prefixes, 2)
        if depth <= bits:
            prefixes[1::2] |= word(1 << (bits - depth))
        if without is not None:
            children[children == without] = tree.nodes
        inner = children < tree.nodes
        if depth == longest and inner.any():
            raise BrokenFile("its search tree is deeper than an address is long")
        starts.append(prefixes[~inner])
        values.append(children[~inner])
        depths.append(np.full(len(values[-1]), depth, np.uint8))
        nodes, prefixes = children[inner], prefixes[inner]
        limit -= len(nodes)
        if limit < 0:
            raise BrokenFile("its search tree runs in circles")
        if not len(nodes):
            break
    start = np.concatenate(starts)
    order = np.argsort(start, kind="stable")
    return Leaves(start[order], np.concatenate(depths)[order], np.concatenate(values)[order])
