"""Cloud Storage through google-cloud-storage: upload in one and in pieces, download, ranges, list, compose, preconditions, delete. Prints what it saw."""
import gzip
import os
import sys

from google.api_core import exceptions
from local_cloud import storage_client, tell

client = storage_client()
bucket = client.create_bucket(sys.argv[1])

bucket.blob("a/text").upload_from_string("grüße", content_type="text/plain; charset=utf-8")
big = os.urandom(3 * 256 * 1024 + 17)
pieces = bucket.blob("a/pieces", chunk_size=256 * 1024)
pieces.upload_from_string(big)
packed = [gzip.compress(f"line {i}\n".encode()) for i in range(3)]
for i, member in enumerate(packed):
    bucket.blob(f"members/{i}").upload_from_string(member, content_type="application/gzip")
whole = bucket.blob("whole.gz")
whole.compose([bucket.blob(f"members/{i}") for i in range(3)])

statuses = {}
for name, call in {
    "there already": lambda: bucket.blob("a/text").upload_from_string("other", if_generation_match=0),
    "missing": lambda: bucket.blob("nothing").download_as_bytes(),
    "not empty": lambda: bucket.delete(),
}.items():
    try:
        call()
    except exceptions.GoogleAPICallError as error:
        statuses[name] = error.code

blob = bucket.get_blob("a/pieces")
iterator = client.list_blobs(bucket, prefix="", delimiter="/")
names = [blob.name for blob in iterator]
tell(
    text=bucket.blob("a/text").download_as_text(), is_same=bucket.blob("a/pieces").download_as_bytes(checksum="crc32c") == big, size=blob.size,
    part=list(bucket.blob("a/pieces").download_as_bytes(start=5, end=9, checksum=None)) == list(big[5:10]), composed=gzip.decompress(whole.download_as_bytes(raw_download=True)).decode(),
    components=whole.component_count, names=names, prefixes=sorted(iterator.prefixes), paged=[blob.name for blob in client.list_blobs(bucket, prefix="members/", page_size=2)], statuses=statuses)
bucket.delete(force=True)
