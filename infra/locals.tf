# What several files need: the catalogue of streams, names, and where Google's regions lie.

locals {
  # The one catalogue: topics, subscriptions, lifecycles and alerts follow from it. A stream is added there, not here.
  streams = jsondecode(file("${path.module}/../schemas/streams.json")).streams

  # The number of the project, from a bucket of it: known after its creation, never typed by hand, and no call while planning.
  project_number = google_storage_bucket.code.project_number

  # Google's own accounts in this project, which act for its services.
  pubsub_agent         = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  storage_agent        = "serviceAccount:service-${local.project_number}@gs-project-accounts.iam.gserviceaccount.com"
  secret_manager_agent = "serviceAccount:service-${local.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"

  # The time zones that the functions take, each with the label that it has on a dataset. Generated, since both are decided in functions/.
  time_zones = jsondecode(file("${path.module}/time-zones.json"))

  # Regions inside the European Union; London and Zurich are in Europe and not in it.
  eu_regions = [
    "europe-central2", "europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west3", "europe-west4",
    "europe-west8", "europe-west9", "europe-west10", "europe-west12",
  ]
  us_regions = [
    "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4",
  ]

  # Where Pub/Sub may keep a message on its way, by location.
  message_regions = var.location == "EU" ? local.eu_regions : var.location == "US" ? local.us_regions : [var.region]

  # Ids of custom roles have no hyphens.
  role_prefix = replace(var.prefix, "-", "_")

  day_seconds = 86400
}
