"""BigQuery through google-cloud-bigquery: create, stream, load, append by the Storage Write API, query, data frames, listing. Prints what it counted."""
import datetime
import io
import json
import sys

from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import types, writer
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from local_cloud import PROJECT, bigquery_client, tell, write_client

DATASET = sys.argv[1]
client = bigquery_client()
client.create_dataset(DATASET)

schema = [
    bigquery.SchemaField("id", "STRING"),
    bigquery.SchemaField("n", "INTEGER"),
    bigquery.SchemaField("price", "FLOAT"),
    bigquery.SchemaField("at", "TIMESTAMP"),
    bigquery.SchemaField("params", "RECORD", mode="REPEATED", fields=[bigquery.SchemaField("key", "STRING"), bigquery.SchemaField("value", "STRING")]),
]
table = client.create_table(bigquery.Table(f"{PROJECT}.{DATASET}.things", schema=schema))

# Streaming inserts, with one row that is refused.
NOON = datetime.datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc)
errors = client.insert_rows_json(table, [{"id": "json-1", "n": 1, "price": 1.5, "at": NOON.isoformat(), "params": [{"key": "k", "value": "ü"}]}, {"id": "json-2", "n": 2}])
assert errors == [], errors
refused = client.insert_rows_json(table, [{"id": "bad", "n": "many"}])
assert [error["index"] for error in refused] == [0], refused

# A load job from a file, and one from memory.
load = client.load_table_from_file(
    io.BytesIO(b"".join(json.dumps({"id": f"file-{i}", "n": i}).encode() + b"\n" for i in range(10))), table,
    job_config=bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", schema=schema, write_disposition="WRITE_APPEND"))
load.result()
client.load_table_from_json([{"id": "memory-1", "n": 1}], table, job_config=bigquery.LoadJobConfig(schema=schema)).result()

# The Storage Write API's default stream, with a descriptor made here.
proto = descriptor_pb2.DescriptorProto(name="Thing")
for number, (name, kind) in enumerate([("id", descriptor_pb2.FieldDescriptorProto.TYPE_STRING), ("n", descriptor_pb2.FieldDescriptorProto.TYPE_INT64)], start=1):
    proto.field.add(name=name, number=number, type=kind, label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
pool = descriptor_pool.DescriptorPool()
pool.Add(descriptor_pb2.FileDescriptorProto(name="thing.proto", package="t", message_type=[proto]))
Thing = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Thing"))

stream = f"projects/{PROJECT}/datasets/{DATASET}/tables/things/streams/_default"
first = types.AppendRowsRequest(write_stream=stream, proto_rows=types.AppendRowsRequest.ProtoData(writer_schema=types.ProtoSchema(proto_descriptor=proto)))
appends = writer.AppendRowsStream(write_client(), first)
rows = types.ProtoRows(serialized_rows=[Thing(id=f"append-{i}", n=i).SerializeToString() for i in range(25)])
for _ in range(2):
    answer = appends.send(types.AppendRowsRequest(proto_rows=types.AppendRowsRequest.ProtoData(rows=rows))).result(timeout=10)
    assert not answer.row_errors, answer
appends.close()

# Asking.
by_kind = {row.kind: row.n for row in client.query(f"SELECT SPLIT(id, '-')[OFFSET(0)] AS kind, COUNT(*) AS n FROM `{DATASET}.things` GROUP BY kind").result()}
one = next(iter(client.query(
    f"SELECT id, n, price, `at`, params FROM `{DATASET}.things` WHERE id = @id",
    job_config=bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("id", "STRING", "json-1")])).result()))
assert one.at == NOON and one.price == 1.5 and one.params == [{"key": "k", "value": "ü"}], dict(one)

frame = client.query(f"SELECT id, n, price, `at` FROM `{DATASET}.things` ORDER BY id, n").to_dataframe(create_bqstorage_client=False)
paged = client.query(f"SELECT id FROM `{DATASET}.things`").result(page_size=7)
pages = [page.num_items for page in paged.pages]

# A destination, truncated; a dry run; a job id used twice; an error with its place.
job = client.query(f"SELECT COUNT(*) AS n FROM `{DATASET}.things`", job_config=bigquery.QueryJobConfig(destination=f"{PROJECT}.{DATASET}.counted", write_disposition="WRITE_TRUNCATE"), job_id=f"counted_{DATASET}")
job.result()
listed = [dict(row) for row in client.list_rows(f"{PROJECT}.{DATASET}.counted")]
frame_of_list = client.list_rows(f"{PROJECT}.{DATASET}.counted").to_dataframe(create_bqstorage_client=False)
dry = client.query(f"SELECT id FROM `{DATASET}.things`", job_config=bigquery.QueryJobConfig(dry_run=True, use_query_cache=False))
problems = {}
for name, call in {
    "duplicate": lambda: client.query("SELECT 1", job_id=f"counted_{DATASET}", job_retry=None).result(),
    "syntax": lambda: client.query("SELEC 1").result(),
    "missing": lambda: client.get_table(f"{PROJECT}.{DATASET}.nothing"),
}.items():
    try:
        call()
    except exceptions.GoogleAPICallError as error:
        problems[name] = [error.code, error.errors[0]["reason"]]

tables = sorted(table.table_id for table in client.list_tables(DATASET))
client.delete_dataset(DATASET, delete_contents=True)
tell(by_kind=by_kind, frame=[len(frame), str(frame["n"].dtype), str(frame["at"].dtype), int(frame["n"].sum())], pages=[sum(pages), max(pages)], listed=listed, frame_of_list=frame_of_list["n"].tolist(), is_dry=dry.total_bytes_processed > 0, problems=problems, tables=tables)
