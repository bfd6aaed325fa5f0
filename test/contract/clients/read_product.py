"""What the product stored, read by an analyst's tools: events by query and as a data frame, the raw file with the body as it was sent."""
import gzip
import json
import sys

from local_cloud import bigquery_client, storage_client, tell

dataset, bucket, marker = sys.argv[1:4]
client = bigquery_client()
frame = client.query(
    f"""SELECT event_name, user_pseudo_id, (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'marker') AS marker
        FROM `{dataset}.events_*` WHERE _TABLE_SUFFIX LIKE 'intraday_%' AND user_pseudo_id = '{marker}'""").to_dataframe(create_bqstorage_client=False)
bodies = []
for blob in storage_client().list_blobs(bucket, prefix="raw/events/"):
    for line in gzip.decompress(blob.download_as_bytes(raw_download=True)).splitlines():
        body = json.loads(line)["body"]
        body = json.loads(body) if isinstance(body, str) else body
        if isinstance(body, dict) and body.get("user_pseudo_id") == marker:
            bodies.append(len(body["events"]))
tell(rows=len(frame), markers=sorted(set(frame["marker"])), bodies=bodies)
