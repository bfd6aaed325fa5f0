# BigQuery: the dataset and the two tables with a fixed name. Shards (events_20260115, events_intraday_…, late_events_…) and the table
# functions are made, migrated and dropped by the functions; Terraform must never know one, or a plan could touch it.

resource "google_bigquery_dataset" "chiplog" {
  dataset_id    = var.dataset
  friendly_name = "Chiplog"
  description   = "Events as the GA4 export has them. Query them with the table functions, or with events_*; do not make a view or a table whose name begins with a stream's prefix."
  location      = var.location

  # No default expiration of tables or partitions, on purpose: it would delete the daily tables too. Expiry is set per table, from streams.json.
  # How long a dropped table or a wrong statement can be undone.
  max_time_travel_hours = "168"

  delete_contents_on_destroy = false

  # The reporting time zone, for ever: one event must not have two days. The functions compare it with their own setting. It is given here
  # so that none of them needs the right to change the dataset, which is also the right to say who may read it.
  labels = { chiplog_time_zone = local.time_zones[var.time_zone] }

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [labels]

    postcondition {
      condition     = try(self.labels["chiplog_time_zone"], local.time_zones[var.time_zone]) == local.time_zones[var.time_zone]
      error_message = "The reporting time zone of a dataset cannot be changed: its days would overlap. Set time_zone back, or make another dataset."
    }
  }

  depends_on = [google_project_service.needed]
}

locals {
  # Written by the generator from functions/rollover/tables.ts, so that columns are named once.
  kept_tables = { for table in jsondecode(file("${path.module}/kept-tables.json")) : table.name => table }
}

# rollovers and user_days: the memory of the rollover.
resource "google_bigquery_table" "kept" {
  for_each    = local.kept_tables
  dataset_id  = google_bigquery_dataset.chiplog.dataset_id
  table_id    = each.key
  description = each.value.description
  schema      = jsonencode(each.value.fields)
  clustering  = each.value.clustering

  dynamic "time_partitioning" {
    for_each = each.value.partitioned_by == null ? [] : [each.value.partitioned_by]
    content {
      type  = "DAY"
      field = time_partitioning.value
    }
  }

  deletion_protection = true

  lifecycle {
    prevent_destroy = true
  }
}
