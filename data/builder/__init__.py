"""Makes the default geo database out of DB-IP City Lite. Used when building, never at run time."""
