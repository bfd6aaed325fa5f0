"""Google's Python clients at the addresses of a local run: the variables of .chiplog/local.json in, clients out. Each script here begins with it."""
import json
import os
import sys

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, pubsub_v1, storage
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import BigQueryWriteGrpcTransport
import grpc

PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]
WRITE_ENDPOINT = os.environ["BIGQUERY_WRITE_ENDPOINT"].removeprefix("http://")


def bigquery_client():
    # BIGQUERY_EMULATOR_HOST and STORAGE_EMULATOR_HOST are read by the clients themselves; they ask for credentials all the same.
    return bigquery.Client(project=PROJECT, credentials=AnonymousCredentials())


def storage_client():
    return storage.Client(project=PROJECT, credentials=AnonymousCredentials())


def publisher():
    # With PUBSUB_EMULATOR_HOST it needs nothing else.
    return pubsub_v1.PublisherClient()


def subscriber():
    return pubsub_v1.SubscriberClient()


def write_client():
    return BigQueryWriteClient(transport=BigQueryWriteGrpcTransport(channel=grpc.insecure_channel(WRITE_ENDPOINT)))


def tell(**facts):
    """One line of JSON, which the test that started this script reads."""
    print(json.dumps(facts, default=str, sort_keys=True))
    sys.stdout.flush()
