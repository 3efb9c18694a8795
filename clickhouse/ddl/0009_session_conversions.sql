-- Converting events of a session, so that replays are ranked by their sessions alone. Those of whoever logged in on the way lie on
-- other nodes; a node without tables, as all but the first are when they are made, has none.

ALTER TABLE sessions$local $on_cluster
    ADD COLUMN IF NOT EXISTS conversions UInt32;

INSERT INTO sessions$stored
SELECT * EXCEPT (conversions, converted), converted AS conversions
FROM (
  SELECT * FROM sessions$stored FINAL
) AS known
INNER JOIN (
  SELECT site_id, session_id, toUInt32(count()) AS converted
  FROM events
  WHERE conversion
  GROUP BY site_id, session_id
) AS converting USING (site_id, session_id)
SETTINGS skip_unavailable_shards = 1;
