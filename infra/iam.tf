# Who may do what, each right on the smallest thing that has it. docs/infra.md shows the same as a table, and a test compares the two.

# --- Pub/Sub

locals {
  # The topics that each function publishes to.
  publishes = {
    collect        = keys(local.streams)
    write-bigquery = ["rejected"]
    replay         = keys(local.streams)
  }

  publish_grants = merge([for name, streams in local.publishes : {
    for stream in streams : "${name} to ${stream}" => { function = name, topic = google_pubsub_topic.stream[stream].name }
  }]...)
}

resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = local.publish_grants
  topic    = each.value.topic
  role     = "roles/pubsub.publisher"
  member   = google_service_account.function[each.value.function].member
}

resource "google_pubsub_topic_iam_member" "days" {
  topic  = google_pubsub_topic.days.name
  role   = "roles/pubsub.publisher"
  member = google_service_account.function["rollover"].member
}

# Pub/Sub moves a message to the dead letters by publishing it there and acknowledging it here. Without either of these two roles it
# does neither, and says so nowhere.
resource "google_pubsub_topic_iam_member" "dead_letter" {
  for_each = google_pubsub_topic.undeliverable
  topic    = each.value.name
  role     = "roles/pubsub.publisher"
  member   = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter" {
  for_each     = google_pubsub_subscription.push
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

# --- Who calls a function

# Phones and browsers have no Google account. Everything else is private.
resource "google_cloud_run_v2_service_iam_member" "public_collector" {
  count    = var.collector_is_public ? 1 : 0
  name     = google_cloudfunctions2_function.function["collect"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.writers
  name     = google_cloudfunctions2_function.function[each.value].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.push[each.key].member
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  for_each = local.schedules
  name     = google_cloudfunctions2_function.function[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

# --- BigQuery

locals {
  # The predefined roles that would do are too wide: dataEditor lets a writer read and delete what it wrote. Nobody may update the dataset,
  # which includes who has access. Reading its access list comes with reading its labels, where a project has BigQuery's fine-grained
  # dataset permissions switched on: without the second right the first is refused there.
  dataset_roles = {
    write-bigquery = {
      title = "Chiplog: append rows"
      permissions = [
        "bigquery.datasets.get", # the label with the reporting time zone
        "bigquery.datasets.getIamPolicy",
        "bigquery.tables.create",
        "bigquery.tables.get",
        "bigquery.tables.updateData",
      ]
    }
    rollover = {
      title = "Chiplog: make daily tables"
      permissions = [
        "bigquery.tables.create",
        "bigquery.tables.delete",
        "bigquery.tables.get",
        "bigquery.tables.getData",
        "bigquery.tables.list",
        "bigquery.tables.update",
        "bigquery.tables.updateData",
      ]
    }
    maintain = {
      title = "Chiplog: keep tables in order"
      permissions = [
        "bigquery.datasets.get", # the same label
        "bigquery.datasets.getIamPolicy",
        "bigquery.routines.create",
        "bigquery.routines.get",
        "bigquery.routines.update",
        "bigquery.tables.create",
        "bigquery.tables.get",
        "bigquery.tables.getData", # a table function may only name tables that its maker can read
        "bigquery.tables.list",
        "bigquery.tables.update",
      ]
    }
  }
}

resource "google_project_iam_custom_role" "dataset" {
  for_each    = local.dataset_roles
  role_id     = "${local.role_prefix}_${replace(each.key, "-", "_")}"
  title       = each.value.title
  description = "What the function ${each.key} does in the dataset, and nothing else."
  permissions = each.value.permissions

  # It holds nothing. But a role that was deleted keeps its id for 37 days, and can be brought back in the first 7 only: in between a
  # deployment that returns could make neither this one nor another of its name.
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed]
}

# One entry of the dataset's access list each. google_bigquery_dataset_iam_member would write back only the entries that have a role, and so
# take away every view, routine and dataset that somebody authorised to read this one.
resource "google_bigquery_dataset_access" "function" {
  for_each      = local.dataset_roles
  dataset_id    = google_bigquery_dataset.chiplog.dataset_id
  role          = "projects/${var.project}/roles/${google_project_iam_custom_role.dataset[each.key].role_id}"
  user_by_email = google_service_account.function[each.key].email
}

# Jobs belong to a project, so the right to start one does too.
resource "google_project_iam_member" "jobs" {
  for_each = toset(["rollover", "maintain"])
  project  = var.project
  role     = "roles/bigquery.jobUser"
  member   = google_service_account.function[each.key].member
}

# --- Cloud Storage

locals {
  bucket_roles = {
    write-storage = "roles/storage.objectCreator" # creates, and can neither overwrite nor delete nor read
    maintain      = "roles/storage.objectUser"    # joins files and deletes their parts
    replay        = "roles/storage.objectViewer"
  }
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = local.bucket_roles
  bucket   = google_storage_bucket.raw.name
  role     = each.value
  member   = google_service_account.function[each.key].member
}

# --- Secret Manager

resource "google_secret_manager_secret_iam_member" "reader" {
  secret_id = google_secret_manager_secret.sources.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function["collect"].member
}

# --- Builds

resource "google_artifact_registry_repository_iam_member" "build" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build" {
  bucket = google_storage_bucket.code.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

resource "google_project_iam_member" "build_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# Cloud Functions copies the bundle into a bucket that it makes itself, and the build reads it there.
resource "google_project_iam_member" "build_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title      = "only_the_source_buckets_of_cloud_functions"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-\")"
  }
}
