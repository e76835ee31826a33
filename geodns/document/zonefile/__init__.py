"""A zone as a master file: into this project's resources, and back.

What a master file cannot say (steers, ecs) stays as it is on import and is told in comments on
export; what we cannot keep of a file (most of the SOA) is told in notes.
"""

from geodns.document.zonefile.export import zone_to_text as zone_to_text
from geodns.document.zonefile.load import ImportedZone as ImportedZone
from geodns.document.zonefile.load import with_zone as with_zone
from geodns.document.zonefile.load import zone_from_text as zone_from_text
