# What a destroy left where it was, back into Terraform's hands (docs/deploy.md, "Destroy without losing data"). Copy this file to infra/,
# apply, and take the copy away: without it the apply would try to make what exists, and fail.

import {
  to = google_bigquery_dataset.chiplog
  id = "projects/${var.project}/datasets/${var.dataset}"
}

import {
  for_each = local.kept_tables
  to       = google_bigquery_table.kept[each.key]
  id       = "projects/${var.project}/datasets/${var.dataset}/tables/${each.key}"
}

import {
  to = google_storage_bucket.raw
  id = "${var.project}/${var.project}-${var.prefix}-raw"
}

import {
  to = google_secret_manager_secret.sources
  id = "projects/${var.project}/secrets/${var.prefix}-sources"
}

import {
  for_each = local.dataset_roles
  to       = google_project_iam_custom_role.dataset[each.key]
  id       = "projects/${var.project}/roles/${local.role_prefix}_${replace(each.key, "-", "_")}"
}

import {
  for_each = var.log_sink == null ? {} : { logs = 0 }
  to       = google_storage_bucket.logs[each.value]
  id       = "${var.project}/${var.project}-${var.prefix}-logs"
}
