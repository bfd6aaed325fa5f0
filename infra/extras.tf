# Optional features without a file of their own: the log sink, the budget, App Check.

# --- Logs as files (variable log_sink). Only what the functions write themselves: Cloud Run's request log holds senders' addresses.

resource "google_storage_bucket" "logs" {
  count    = var.log_sink == null ? 0 : 1
  name     = "${var.project}-${var.prefix}-logs"
  location = upper(var.location)

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.log_sink.retention_days
    }
  }

  # Full, it cannot be deleted; so a plan says so, and not an apply half-way.
  lifecycle {
    prevent_destroy = true
  }

  depends_on = [google_project_service.needed]
}

resource "google_logging_project_sink" "logs" {
  count                  = var.log_sink == null ? 0 : 1
  name                   = "${var.prefix}-logs"
  description            = "What the functions of Chiplog log, as files."
  destination            = "storage.googleapis.com/${google_storage_bucket.logs[0].name}"
  filter                 = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${var.prefix}-${name}\""])}) AND log_id(\"run.googleapis.com/stdout\")"
  unique_writer_identity = true
}

resource "google_storage_bucket_iam_member" "logs" {
  count  = var.log_sink == null ? 0 : 1
  bucket = google_storage_bucket.logs[0].name
  role   = "roles/storage.objectCreator"
  member = google_logging_project_sink.logs[0].writer_identity
}

# --- Budget (variable budget)

resource "google_billing_budget" "project" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = "Chiplog ${var.prefix}"

  budget_filter {
    projects = ["projects/${local.project_number}"]
  }

  amount {
    specified_amount {
      # Left out, it is the billing account's; another one is refused.
      currency_code = var.budget.currency
      units         = tostring(var.budget.units)
    }
  }

  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 0.9
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }
  threshold_rules {
    threshold_percent = 1.0
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
    disable_default_iam_recipients   = false
  }

  depends_on = [google_project_service.needed]
}

# --- App Check (variable app_check): which attestations Firebase turns into tokens. The project must have Firebase, and the apps in it.

resource "google_firebase_app_check_play_integrity_config" "android" {
  for_each = toset(try(var.app_check.android_apps, []))
  project  = var.project
  app_id   = each.value

  depends_on = [google_project_service.needed]
}

resource "google_firebase_app_check_app_attest_config" "apple" {
  for_each = toset(try(var.app_check.apple_apps, []))
  project  = var.project
  app_id   = each.value

  depends_on = [google_project_service.needed]
}

resource "google_firebase_app_check_recaptcha_enterprise_config" "web" {
  for_each = try(var.app_check.web_apps, {})
  project  = var.project
  app_id   = each.key
  site_key = each.value

  depends_on = [google_project_service.needed]
}
