"""Changes of a Config, as plain functions: put, remove, merge, place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from operator import is_
from typing import Any

from geodns.api.kinds import ALL, ZONE, Kind, config_key
from geodns.api.ports import Geo
from geodns.document.references import references
from geodns.document.resources import Key, collect, pointer, resources, whole_body
from geodns.document.tolerant import Judge, further_faults_of
from geodns.errors import ConfigError, Reason
from geodns.model.base import Resource, read
from geodns.model.config import Config
from geodns.model.node import Location, Node
from geodns.model.webhook import Webhook

READ_ONLY = frozenset({"id", "revision", "status", "author", "warnings"})
"""What replies add to a resource and writes ignore."""


def keys_in(config: Config, kind: Kind, home: Key) -> Iterator[Key]:
    """The keys of a collection; ``home`` is the zone's key, or empty."""
    for at in kind.section_of(config):
        key = at if isinstance(at, tuple) else (at,)
        if key[: kind.home] == home[: kind.home]:
            yield key


def with_resource(config: Config, kind: Kind, key: Key, resource: Resource) -> Config:
    """The Config with this resource in it."""
    section: Any = {**kind.section_of(config), config_key(key): resource}
    return replace(config, **{kind.attribute: section})


def without(config: Config, kind: Kind, key: Key) -> Config:
    """The Config without this resource; a zone goes with all that is in it."""
    dropped: Any = {
        other.attribute: _kept(other.section_of(config), other, kind, key) for other in ALL
    }
    return replace(config, **dropped)


def applied(config: Config, wanted: Config, made: frozenset[tuple[str, Key]]) -> Config:
    """The Config with all of ``wanted`` in it, and without those ``made`` that it lacks."""
    stays = {(item.kind, item.key) for item in resources(wanted)}
    items = [item for item in resources(config) if (item.kind, item.key) not in made - stays]
    after = collect([*items, *resources(wanted)])
    kept = {at: keeping(hook, config.webhooks.get(at)) for at, hook in after.webhooks.items()}
    return replace(after, webhooks=kept)


def sharing(after: Config, before: Config) -> Config:
    """The Config with the very objects of ``before`` wherever they say the same: what is not
    touched costs nothing from here on."""
    sections: Any = {
        kind.attribute: _shared(kind.section_of(after), kind.section_of(before)) for kind in ALL
    }
    return replace(after, **sections)


def _shared(new: Mapping[Any, Resource], old: Mapping[Any, Resource]) -> Mapping[Any, Resource]:
    if new is old:
        return new
    shared = {at: _same(resource, old.get(at)) for at, resource in new.items()}
    is_same = len(shared) == len(old) and all(map(is_, shared.values(), old.values()))
    return old if is_same else shared


def _same(resource: Resource, known: Resource | None) -> Resource:
    """The known one if it says the same and says as much."""
    if known is None or known is resource or known != resource:
        return resource
    return known if known.model_fields_set == resource.model_fields_set else resource


def keeping(webhook: Webhook, known: Resource | None) -> Webhook:
    """The webhook, with what replies hide as it was where it came back hidden."""
    return webhook.keeping(known) if isinstance(known, Webhook) else webhook


def _kept(section: Mapping[Any, Any], other: Kind, kind: Kind, key: Key) -> Mapping[Any, Any]:
    if other is kind:
        gone = config_key(key)
        return {at: resource for at, resource in section.items() if at != gone}
    if kind is ZONE and other.home:
        return {at: resource for at, resource in section.items() if at[0] != key[0]}
    return section


_INSTEAD = {"at": "location", "location": "at", "pool": "split", "split": "pool"}
"""Fields of nodes, networks and steers of which one takes the place of the other."""


def merged(resource: Resource, patch: Any) -> Any:
    """The body of a resource, changed by a merge patch. A field that is set puts out the one that
    it stands instead of, unless the patch speaks of that, too."""
    fields = whole_body(resource)
    for name in patch if isinstance(patch, dict) else ():
        other = _INSTEAD.get(name)
        if other is not None and patch[name] is not None and other not in patch:
            fields.pop(other, None)
    return merge_patch(fields, patch)


def merge_patch(target: Any, patch: Any) -> Any:
    """``target`` changed by a JSON merge patch (RFC 7396 §2).

    The recursion is as deep as the patch, which was bounded when it was read.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def writable(data: Any) -> Any:
    """The body without what replies add."""
    if not isinstance(data, dict):
        return data
    return {name: value for name, value in data.items() if name not in READ_ONLY}


def read_resource(config: Config, kind: Kind, key: Key, data: Any, judge: Judge) -> Resource:
    """The resource of a body that is to be put into the Config.

    Errors: ConfigError with the body's own faults, and then with what ``judge`` finds besides.
    """
    try:
        return read(kind.model, data)
    except ConfigError as error:
        further = further_faults_of(kind.word, key, data, error.reasons, config, judge)
        raise ConfigError([*error.reasons, *relative(further, kind, key)]) from None


def placed(node: Node, known: Node | None, geo: Geo) -> tuple[Node, Reason | None]:
    """The node with a place of its own, and how it came by it.

    Shape:  a node written without location keeps the one it has for as long as its first
            address stays; ``location: null`` asks for a new look-up. If the database does not
            know the address, the node stays without, which the check of the document refuses.
    """
    if node.at is not None or node.location is not None or not node.addresses:
        return node, None
    address = node.addresses[0]
    stands = known.location if known and known.addresses[:1] == (address,) else None
    if stands is not None and "location" not in node.model_fields_set:
        return node.model_copy(update={"location": stands}), None
    place = geo.lookup(address)
    if place is None:
        return node, None
    location = Location(lat=float(place.latitude), lon=float(place.longitude))
    detail = (
        f"Placed at {location.lat:g}, {location.lon:g} ({place.as_text()}) "
        f"from {address} by {geo.describe()}."
    )
    note = Reason("/location", "placed", detail, address, "Give location {lat, lon} if it is off.")
    return node.model_copy(update={"location": location}), note


def place_all(config: Config, known: Config, geo: Geo) -> tuple[Config, list[Reason]]:
    """The Config with a location for every node, and notes with pointers into the document."""
    nodes: dict[str, Node] = {}
    notes: list[Reason] = []
    for node_id, node in config.nodes.items():
        nodes[node_id], note = placed(node, known.nodes.get(node_id), geo)
        if note:
            at = pointer("node", (node_id,))
            notes.append(replace(note, pointer=at + note.pointer))
    return replace(config, nodes=nodes), notes


# --- Faults in the words of the one who asked ---


def in_use(config: Config, kind: Kind, key: Key) -> list[Reason]:
    """A reason for every place in the Config that names this resource."""
    return [
        Reason(
            reference.pointer,
            "in_use",
            f"The {kind.title(key)} is used by {_user(reference.pointer)}.",
            reference.id,
        )
        for reference in references(config)
        if (reference.kind, reference.id) == (kind.word, key[0])
    ]


def _user(at: str) -> str:
    """The resource that a pointer leads into, as a person would name it."""
    section, name, *rest = (_unescape(token) for token in at.split("/")[1:])
    if section == "zones" and len(rest) > 1:
        return f"{rest[0].removesuffix('s')} {rest[1]} of zone {name}"
    return f"{section.removesuffix('s')} {name}"


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def relative(reasons: Iterable[Reason], kind: Kind, key: Key) -> Iterator[Reason]:
    """The reasons with pointers into the resource's own body where they are about it."""
    prefix = pointer(kind.word, key)
    for reason in reasons:
        about = is_about(reason, kind, key)
        yield replace(reason, pointer=reason.pointer.removeprefix(prefix)) if about else reason


def is_about(reason: Reason, kind: Kind, key: Key) -> bool:
    """Whether a reason from the document points into this resource's own body."""
    prefix = pointer(kind.word, key)
    if not _within(reason.pointer, prefix):
        return False
    inner = [f"{prefix}/{other.section}" for other in ALL if kind is ZONE and other.home]
    return not any(_within(reason.pointer, section) for section in inner)


def _within(at: str, prefix: str) -> bool:
    return at == prefix or at.startswith(prefix + "/")
