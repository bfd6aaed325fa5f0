# What each function is told: exactly the variables that the SETTINGS table in its function.ts declares, since it refuses to start with
# one it does not know. K_REVISION is Cloud Run's own. An empty value means the function's default and is not sent.

locals {
  sources_folder = "/etc/chiplog"
  sources_file   = "sources.json"

  environment = {
    collect = {
      GOOGLE_CLOUD_PROJECT    = var.project
      CHIPLOG_PREFIX          = var.prefix
      CHIPLOG_TIME_ZONE       = var.time_zone
      CHIPLOG_SOURCES_FILE    = "${local.sources_folder}/${local.sources_file}"
      CHIPLOG_LATE_DAYS_MAX   = tostring(var.late_days_max)
      CHIPLOG_BODY_TIMEOUT_MS = "20000"
      # Only behind the load balancer, which overwrites the header; without it a client could forge its country.
      CHIPLOG_GEO_HEADER = var.domain == null ? "" : local.geo_header
    }

    write-bigquery = {
      GOOGLE_CLOUD_PROJECT            = var.project
      CHIPLOG_PREFIX                  = var.prefix
      CHIPLOG_DATASET                 = google_bigquery_dataset.chiplog.dataset_id
      CHIPLOG_TIME_ZONE               = var.time_zone
      CHIPLOG_BIGQUERY_WRITE_ENDPOINT = ""
    }

    write-storage = {
      GOOGLE_CLOUD_PROJECT = var.project
      CHIPLOG_BUCKET       = google_storage_bucket.raw.name
    }

    rollover = {
      GOOGLE_CLOUD_PROJECT = var.project
      CHIPLOG_PREFIX       = var.prefix
      CHIPLOG_DATASET      = google_bigquery_dataset.chiplog.dataset_id
      CHIPLOG_LOCATION     = var.location
      CHIPLOG_TIME_ZONE    = var.time_zone
      # Below the 540 s that a call may take, with time for the last step.
      CHIPLOG_ROLLOVER_WAIT_SECONDS     = "240"
      CHIPLOG_ROLLOVER_RECENT_DAYS      = "3"
      CHIPLOG_ROLLOVER_OLDER_EVERY_DAYS = "7"
    }

    maintain = {
      GOOGLE_CLOUD_PROJECT = var.project
      CHIPLOG_DATASET      = google_bigquery_dataset.chiplog.dataset_id
      CHIPLOG_LOCATION     = var.location
      CHIPLOG_BUCKET       = google_storage_bucket.raw.name
      CHIPLOG_TIME_ZONE    = var.time_zone
      # As long as the subscriptions keep messages: a joined file must not be named by a redelivery.
      CHIPLOG_RETENTION_DAYS = tostring(var.retention_days)
    }

    replay = {
      GOOGLE_CLOUD_PROJECT  = var.project
      CHIPLOG_PREFIX        = var.prefix
      CHIPLOG_BUCKET        = google_storage_bucket.raw.name
      CHIPLOG_LATE_DAYS_MAX = tostring(var.late_days_max)
    }
  }
}
